// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/safetensors.h"
#include "test/runtime/Faults.h"
#include "test/runtime/Files.h"
#include "test/runtime/ToyModel.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

static const nacre_api &api = nacre_runtime_api;

namespace {

/// Loads into a toy whose block holds a pattern, and sees whether the block changed.
class Checkpoint : public testing::Test {
protected:
  Checkpoint() { memset(toy.parameter("w"), 0x3C, 1216); }

  nacre_status load(const std::string &path, uint32_t flags = NACRE_LOAD_STRICT) {
    return api.parameters_load(toy.parameters, path.c_str(), flags, &toy.error);
  }

  bool untouched() {
    return std::string(reinterpret_cast<char *>(toy.parameter("w")), 1216) == std::string(1216, 0x3C);
  }

  /// A file of everything but the optimiser's, with some tensors replaced (by name) or left out (no axes data).
  std::string fileWith(std::vector<nacre_named_tensor> replaced, std::string without = "") {
    std::vector<nacre_named_tensor> all = {{"w", f32(w, {64, 2})}, {"ids", i32(ids, {3})}, {"t", f32(t, {2, 3})},
                                           {"mean", f32(mean, {2})}};
    std::vector<nacre_named_tensor> kept = replaced;
    for (const nacre_named_tensor &item : all) {
      bool gone = item.name == without;
      for (const nacre_named_tensor &other : replaced)
        gone |= !strcmp(other.name, item.name);
      if (!gone)
        kept.push_back(item);
    }
    EXPECT_EQ(nacre_safetensors_write(folder.at("w").c_str(), kept.data(), int64_t(kept.size()), nullptr, 0, nullptr), NACRE_OK);
    return folder.at("w");
  }

  std::string message() const { return toy.error.message; }

  Toy toy;
  Folder folder;
  float w[128], t[6] = {11, 12, 13, 21, 22, 23}, mean[2] = {5, 6};
  int32_t ids[3] = {1, 2, 3};
};

} // namespace

TEST_F(Checkpoint, LoadsWhatWasSaved) {
  ASSERT_EQ(api.parameters_init(toy.parameters, 9, nullptr), NACRE_OK);
  toy.parameter("optimizer.w.m")[3] = 77;
  ASSERT_EQ(api.parameters_save(toy.parameters, folder.at("a").c_str(), NACRE_SAVE_OPTIMIZER, &toy.error), NACRE_OK);
  Toy other;
  ASSERT_EQ(api.parameters_load(other.parameters, folder.at("a").c_str(), NACRE_LOAD_OPTIMIZER, &other.error), NACRE_OK)
      << other.error.message;
  for (const char *name : {"w", "t", "mean", "optimizer.w.m"})
    EXPECT_EQ(memcmp(toy.parameter(name), other.parameter(name), 8), 0);
  EXPECT_EQ(other.parameter("optimizer.w.m")[3], 77.0f);
  EXPECT_EQ(folder.count(), 1);
}

TEST_F(Checkpoint, SavesTheOptimizerOnlyOnDemand) {
  std::string path = folder.at("a");
  ASSERT_EQ(api.parameters_save(toy.parameters, path.c_str(), NACRE_SAVE_MODEL, &toy.error), NACRE_OK);
  EXPECT_EQ(folder.read("a").find("optimizer"), std::string::npos);
  EXPECT_EQ(load(path), NACRE_OK) << message();
  EXPECT_EQ(load(path, NACRE_LOAD_OPTIMIZER), NACRE_ERR_NAME);
  EXPECT_EQ(message(), "'" + path + "' lacks parameter 'optimizer.w.m'");
}

TEST_F(Checkpoint, LeavesTheOptimizerAlone) {
  ASSERT_EQ(load(fileWith({})), NACRE_OK) << message();
  EXPECT_EQ(toy.parameter("mean")[1], 6.0f);
  EXPECT_EQ(memcmp(toy.parameter("optimizer.w.m"), std::string(512, 0x3C).data(), 512), 0);
}

TEST_F(Checkpoint, TakesSourceNamesAndTransposes) {
  float turned[] = {11, 21, 12, 22, 13, 23}; // [3, 2]
  ASSERT_EQ(load(fileWith({{"old.t", f32(turned, {3, 2})}}, "t")), NACRE_OK) << message();
  EXPECT_EQ(memcmp(toy.parameter("t"), t, sizeof t), 0);
}

TEST_F(Checkpoint, PrefersTheModelsOwnName) {
  float other[] = {0, 0, 0, 0, 0, 0};
  ASSERT_EQ(load(fileWith({{"old.t", f32(other, {3, 2})}})), NACRE_OK) << message();
  EXPECT_EQ(toy.parameter("t")[5], 23.0f);
}

TEST_F(Checkpoint, IgnoresOtherTensors) {
  float other[] = {0};
  EXPECT_EQ(load(fileWith({{"pooler.bias", f32(other, {1})}})), NACRE_OK) << message();
}

TEST_F(Checkpoint, ConvertsTypes) {
  double doubles[] = {0.1, -2};
  int64_t longs[] = {-7, INT32_MAX, 0};
  const uint16_t half[] = {0x3C00, 0, 0, 0, 0, 0xC000};
  nacre_tensor mean64 = {doubles, NACRE_F64, 1, {2}};
  nacre_tensor ids64 = {longs, NACRE_I64, 1, {3}};
  nacre_tensor t16 = {const_cast<uint16_t *>(half), NACRE_F16, 2, {2, 3}};
  ASSERT_EQ(load(fileWith({{"mean", mean64}, {"ids", ids64}, {"t", t16}})), NACRE_OK) << message();
  EXPECT_EQ(toy.parameter("mean")[0], 0.1f);
  EXPECT_EQ(reinterpret_cast<int32_t *>(toy.parameter("ids"))[0], -7);
  EXPECT_EQ(toy.parameter("t")[5], -2.0f);
  t16.dtype = NACRE_BF16;
  ASSERT_EQ(load(fileWith({{"t", t16}})), NACRE_OK) << message();
  EXPECT_EQ(toy.parameter("t")[5], -2.0f);
}

TEST_F(Checkpoint, ChangesNothingWhenATensorIsMissing) {
  EXPECT_EQ(load(fileWith({}, "mean")), NACRE_ERR_NAME);
  EXPECT_EQ(message(), "'" + folder.at("w") + "' lacks parameter 'mean'");
  EXPECT_EQ(load(fileWith({}, "t")), NACRE_ERR_NAME);
  EXPECT_EQ(message(), "'" + folder.at("w") + "' lacks parameter 't', also by its source name 'old.t'");
  EXPECT_TRUE(untouched());
}

TEST_F(Checkpoint, ChangesNothingWhenAShapeIsWrong) {
  EXPECT_EQ(load(fileWith({{"mean", f32(w, {3})}})), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "'" + folder.at("w") + "': tensor 'mean' for parameter 'mean': expected shape [2], but got [3]");
  EXPECT_EQ(load(fileWith({{"old.t", f32(t, {2, 3})}}, "t")), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "'" + folder.at("w") + "': tensor 'old.t' for parameter 't': expected shape [3, 2], but got [2, 3]");
  EXPECT_EQ(load(fileWith({{"mean", f32(mean, {2, 1})}})), NACRE_ERR_SHAPE);
  EXPECT_TRUE(untouched());
}

TEST_F(Checkpoint, ChangesNothingWhenATypeIsWrong) {
  EXPECT_EQ(load(fileWith({{"mean", i32(ids, {2})}})), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "'" + folder.at("w") + "': tensor 'mean' for parameter 'mean': expected a float type, but got I32");
  EXPECT_EQ(load(fileWith({{"ids", f32(w, {3})}})), NACRE_ERR_VALUE);
  EXPECT_TRUE(untouched());
}

TEST_F(Checkpoint, ChangesNothingWhenAValueDoesNotFit) {
  int64_t longs[] = {1, INT64_C(1) << 40, 0};
  EXPECT_EQ(load(fileWith({{"ids", {longs, NACRE_I64, 1, {3}}}})), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "'" + folder.at("w") + "': tensor 'ids': the value at position 1 does not fit in i32");
  EXPECT_TRUE(untouched());
}

TEST_F(Checkpoint, ChangesNothingWhenTheFileIsBad) {
  EXPECT_EQ(load(folder.at("none")), NACRE_ERR_FILE);
  EXPECT_EQ(load(folder.write("short", "1234")), NACRE_ERR_FORMAT);
  EXPECT_EQ(api.parameters_load(toy.parameters, folder.at("none").c_str(), 0, nullptr), NACRE_ERR_FILE);
  EXPECT_TRUE(untouched());
}

TEST_F(Checkpoint, ChangesNothingWhenTheSystemRefuses) {
  std::string path = fileWith({});
  auto attempt = [&] {
    bool done = load(path) == NACRE_OK;
    EXPECT_TRUE(done || untouched());
    return done;
  };
  EXPECT_EQ(faults::failEach(faults::Call::Read, attempt), 2 + 4);
  memset(toy.parameter("w"), 0x3C, 1216);
  EXPECT_EQ(faults::failEach(faults::Call::Allocate, attempt), 4);
  memset(toy.parameter("w"), 0x3C, 1216);
  EXPECT_EQ(faults::failEach(faults::Call::Map, attempt), 1);
}

TEST_F(Checkpoint, KeepsTheOldFileWhenSavingFails) {
  std::string path = folder.write("a", "old");
  for (faults::Call call : {faults::Call::Allocate, faults::Call::Write, faults::Call::Sync, faults::Call::Rename}) {
    auto save = [&] {
      bool done = api.parameters_save(toy.parameters, path.c_str(), NACRE_SAVE_MODEL, &toy.error) == NACRE_OK;
      EXPECT_TRUE(done || folder.read("a") == "old");
      EXPECT_EQ(folder.count(), 1);
      return done;
    };
    folder.write("a", "old");
    EXPECT_GE(faults::failEach(call, save), 1);
  }
  EXPECT_EQ(load(path), NACRE_OK) << message();
}

TEST_F(Checkpoint, SavesTheSameBytesAgain) {
  api.parameters_init(toy.parameters, 9, nullptr);
  api.parameters_save(toy.parameters, folder.at("a").c_str(), NACRE_SAVE_MODEL, nullptr);
  api.parameters_save(toy.parameters, folder.at("b").c_str(), NACRE_SAVE_MODEL, nullptr);
  EXPECT_EQ(folder.read("a"), folder.read("b"));
}

TEST(CheckpointAlone, LoadsTensorsOfManyPieces) {
  const int64_t rows = 301, columns = 257; // not a whole number of pieces, nor of rows a piece
  nacre_parameter parameter = {"p", "q", NACRE_F32, 2, {rows, columns}, 0, NACRE_PARAM, 1, NACRE_INIT_ZEROS, 0};
  nacre_model model = toyModel();
  model.parameters = &parameter;
  model.parameter_count = 1;
  model.parameter_bytes = rows * columns * 4;
  std::vector<float> turned(rows * columns);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      turned[size_t(column * rows + row)] = float(row * columns + column);
  Folder folder;
  const nacre_named_tensor item = {"q", f32(turned.data(), {columns, rows})};
  ASSERT_EQ(nacre_safetensors_write(folder.at("a").c_str(), &item, 1, nullptr, 0, nullptr), NACRE_OK);
  nacre_parameters *parameters = api.parameters_create(&model, nullptr);
  nacre_error error;
  ASSERT_EQ(api.parameters_load(parameters, folder.at("a").c_str(), 0, &error), NACRE_OK) << error.message;
  nacre_tensor view;
  api.parameters_get(parameters, "p", &view, nullptr);
  for (int64_t i = 0; i < rows * columns; ++i)
    ASSERT_EQ(static_cast<float *>(view.data)[i], float(i));
  parameter.rank = 1;
  parameter.shape[0] = rows * columns;
  EXPECT_EQ(api.parameters_load(parameters, folder.at("a").c_str(), 0, &error), NACRE_ERR_SHAPE);
  EXPECT_STREQ(error.message, "parameter 'p' is not a matrix and cannot be loaded transposed");
  api.parameters_destroy(parameters);
}
