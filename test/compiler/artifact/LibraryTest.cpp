// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A library is written, loaded and called: table, typed functions, exported symbols, needed libraries, two models at once.
#include "compiler/Artifact/Library.h"
#include "compiler/Artifact/Failure.h"
#include "test/compiler/artifact/SampleModel.h"

#include "nacre/runtime.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

#include <cstdlib>
#include <dlfcn.h>
#include <fstream>

using namespace nacre;

namespace {

class LibraryTest : public testing::Test {
protected:
  void SetUp() override { ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("nacre-library-test", folder)); }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  llvm::Expected<LibraryFiles> write(const std::string &name) {
    auto object = llvm::MemoryBuffer::getFile(NACRE_SAMPLE_OBJECT);
    if (!object) return llvm::errorCodeToError(object.getError());
    llvm::StringRef bytes = (*object)->getBuffer();
    return writeLibrary(test::sampleModel(name), bytes, folder);
  }

  llvm::SmallString<128> folder;
};

/// Loads one library and calls `apply` with 2 rows through its typed function.
void callApply(const std::string &path, const std::string &prefix, int32_t m, float expected) {
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(handle, nullptr) << dlerror();
  auto symbol = [&](const char *name) { return dlsym(handle, (prefix + name).c_str()); };
  auto create = reinterpret_cast<nacre_parameters *(*)(nacre_error *)>(symbol("_parameters_create"));
  auto set =
      reinterpret_cast<nacre_status (*)(nacre_parameters *, const char *, const nacre_tensor *, nacre_error *)>(symbol("_parameters_set"));
  auto context = reinterpret_cast<nacre_context *(*)(nacre_parameters *, const nacre_options *, nacre_error *)>(symbol("_context_create"));
  auto apply = reinterpret_cast<nacre_status (*)(nacre_context *, int64_t, const float *, int32_t, float, float *, float *, nacre_error *)>(
      symbol("_apply"));
  ASSERT_TRUE(create && set && context && apply);
  nacre_error error = {};
  nacre_parameters *parameters = create(&error);
  ASSERT_NE(parameters, nullptr) << error.message;
  float factors[2] = {10, 20};
  nacre_tensor value = {factors, NACRE_F32, 1, {2}};
  ASSERT_EQ(set(parameters, "factors", &value, &error), NACRE_OK) << error.message;
  nacre_context *running = context(parameters, nullptr, &error);
  ASSERT_NE(running, nullptr) << error.message;
  float x[6] = {1, 2, 3, 4, 5, 6}, result[6] = {}, total = 0;
  ASSERT_EQ(apply(running, 2, x, m, 0.5f, result, &total, &error), NACRE_OK) << error.message;
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(result[i], x[i] * expected);
  EXPECT_EQ(total, 0.5f + m);
  EXPECT_EQ(apply(running, 2, x, 3, 0.5f, result, &total, &error), NACRE_ERR_VALUE) << error.message;
  EXPECT_EQ(apply(running, 101, x, m, 0.5f, result, &total, &error), NACRE_ERR_SHAPE) << error.message;
  reinterpret_cast<void (*)(nacre_context *)>(symbol("_context_destroy"))(running);
  reinterpret_cast<void (*)(nacre_parameters *)>(symbol("_parameters_destroy"))(parameters);
  dlclose(handle);
}

TEST_F(LibraryTest, TwoModelsRunInOneProcess) {
  auto first = write("First"), second = write("Second");
  ASSERT_TRUE(bool(first)) << llvm::toString(first.takeError());
  ASSERT_TRUE(bool(second)) << llvm::toString(second.takeError());
  callApply(first->shared, "first", 2, 10);
  callApply(second->shared, "second", 4, 20);
}

TEST_F(LibraryTest, ExportsTheModelsNamesAndNeedsTheCLibraryAlone) {
  auto files = write("Sample");
  ASSERT_TRUE(bool(files)) << llvm::toString(files.takeError());
  auto binary = llvm::object::ObjectFile::createObjectFile(files->shared);
  ASSERT_TRUE(bool(binary)) << llvm::toString(binary.takeError());
  auto *elf = llvm::cast<llvm::object::ELFObjectFileBase>(binary->getBinary());
  size_t exported = 0;
  for (const llvm::object::ELFSymbolRef symbol : elf->getDynamicSymbolIterators()) {
    if (*symbol.getFlags() & llvm::object::SymbolRef::SF_Undefined) continue;
    ++exported;
    EXPECT_TRUE(symbol.getName()->starts_with("sample_")) << symbol.getName()->str();
    EXPECT_FALSE(symbol.getName()->starts_with("sample_scale") || *symbol.getName() == "sample_program") << symbol.getName()->str();
  }
  EXPECT_EQ(exported, 11u); // model, 7 of the parameters, 2 of the context, apply
  std::string needed = "readelf -d '" + files->shared + "' | grep NEEDED | grep -vE 'lib[cm]\\.so\\.6' | grep -q .";
  EXPECT_NE(std::system(needed.c_str()), 0) << "it needs more than libc and libm";
}

/// Writes a program that calls both models and links it with their archives.
TEST_F(LibraryTest, HeadersAndArchivesOfTwoModelsServeCAndCpp) {
  auto first = write("First"), second = write("Second");
  ASSERT_TRUE(bool(first) && bool(second));
  std::string base = folder.str().str();
  std::ofstream(base + "/main.c")
      << "#include \"first.h\"\n#include \"second.h\"\n"
         "int main(void) { return first_model()->dims[0].bound == 100 && second_model() != first_model() ? 0 : 1; }\n";
  for (const char *compiler : {"cc -std=c11 -x c", "c++ -std=c++11 -x c++"}) {
    std::string command = std::string(compiler) + " -Wall -Wextra -Werror -pedantic -I" + base + " " + base + "/main.c -x none " +
                          first->archive + " " + second->archive + " -lm -pthread -o " + base + "/main && " + base + "/main";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
}

std::vector<std::string> namesIn(llvm::StringRef folder) {
  std::vector<std::string> names;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator entry(folder, code), end; entry != end && !code; entry.increment(code))
    names.push_back(entry->path());
  return names;
}

TEST_F(LibraryTest, AFailureLeavesNothingBehind) {
  ModelDescription model = test::sampleModel("Sample");
  model.functions[0].program = "missing_program";
  auto object = llvm::MemoryBuffer::getFile(NACRE_SAMPLE_OBJECT);
  ASSERT_TRUE(bool(object));
  llvm::StringRef bytes = (*object)->getBuffer();
  auto files = writeLibrary(model, bytes, folder);
  ASSERT_FALSE(bool(files));
  bool isOurs = false;
  llvm::handleAllErrors(
      files.takeError(), [&](const InternalFailure &failure) { isOurs = llvm::StringRef(failure.message).contains("missing_program"); },
      [](const llvm::ErrorInfoBase &) {});
  EXPECT_TRUE(isOurs);
  EXPECT_TRUE(namesIn(folder).empty());
}

TEST_F(LibraryTest, AnUnwritableFolderIsTheUsersError) {
  auto object = llvm::ArrayRef<llvm::StringRef>();
  auto files = writeLibrary(test::sampleModel("Sample"), object, "/dev/null/out");
  ASSERT_FALSE(bool(files));
  llvm::Error error = files.takeError();
  EXPECT_FALSE(error.isA<InternalFailure>());
  EXPECT_NE(llvm::toString(std::move(error)).find("cannot create the folder '/dev/null/out'"), std::string::npos);
}

} // namespace
