// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/bind.h"
#include "test/runtime/ToyModel.h"

#include <gtest/gtest.h>

namespace {

class Bind : public testing::Test {
protected:
  nacre_status bind(ToyFunction function, std::vector<nacre_tensor> inputs, const int64_t *maxDims = nullptr) {
    call = {&toyModel(), &toyModel().functions[function], maxDims, &error};
    return nacre_bind_inputs(&call, inputs.data(), int32_t(inputs.size()), dims);
  }

  std::string message() const { return error.message; }

  nacre_binding call = {};
  nacre_error error = {};
  int64_t dims[NACRE_MAX_DIMS] = {};
  alignas(64) float x[4096] = {};
  int32_t width = 16;
};

} // namespace

TEST_F(Bind, FindsDimsFromShapes) {
  ASSERT_EQ(bind(Encode, {f32(x, {3, 64})}), NACRE_OK) << message();
  EXPECT_EQ(dims[0], 3);
  ASSERT_EQ(bind(Step, {f32(x, {7}), f32(x, {})}), NACRE_OK) << message();
  EXPECT_EQ(dims[0], 3);
}

TEST_F(Bind, FindsADimBehindAProduct) {
  ASSERT_EQ(bind(Flat, {f32(x, {12}), f32(x, {4})}), NACRE_OK) << message();
  EXPECT_EQ(dims[0], 3);
  EXPECT_EQ(dims[1], 4);
}

TEST_F(Bind, AcceptsEmptyBatches) {
  ASSERT_EQ(bind(Encode, {f32(nullptr, {0, 64})}), NACRE_OK) << message();
  EXPECT_EQ(dims[0], 0);
}

TEST_F(Bind, TakesChoices) {
  ASSERT_EQ(bind(Cut, {f32(x, {2, 64}), i32(&width, {})}), NACRE_OK) << message();
  EXPECT_EQ(dims[2], 16);
  EXPECT_EQ(dims[3], 1);
  width = 65;
  EXPECT_EQ(bind(Cut, {f32(x, {2, 64}), i32(&width, {})}), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "cut: input 'width' is 65, expected one of 4, 16, 64");
}

TEST_F(Bind, GivesTheShapesOfOutputs) {
  ASSERT_EQ(bind(Cut, {f32(x, {2, 64}), i32(&width, {})}), NACRE_OK);
  nacre_tensor tensor;
  ASSERT_EQ(nacre_port_shape(&call, &call.function->outputs[0], dims, &tensor), NACRE_OK);
  EXPECT_EQ(tensor.rank, 2);
  EXPECT_EQ(tensor.shape[0], 2);
  EXPECT_EQ(tensor.shape[1], 16);
  dims[0] = INT64_MAX;
  EXPECT_EQ(nacre_port_shape(&call, &call.function->outputs[0], dims, &tensor), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "cut: the size of 'y' overflows");
}

TEST_F(Bind, NamesAWrongSize) {
  EXPECT_EQ(bind(Encode, {f32(x, {3, 63})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: input 'x' axis 1 is 63, expected 64");
  EXPECT_EQ(bind(Lookup, {i32(&width, {1, 1}), i32(nullptr, {0})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "lookup: input 'n' axis 0 is 0, expected B = 1");
}

TEST_F(Bind, NamesASizeThatNoDimGives) {
  EXPECT_EQ(bind(Step, {f32(x, {8}), f32(x, {})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "step: input 'x' axis 0 is 8, which is no value of 2*B + 1");
  EXPECT_EQ(bind(Step, {f32(x, {0}), f32(x, {})}), NACRE_ERR_SHAPE);
}

TEST_F(Bind, NamesADimThatCannotBeFound) {
  EXPECT_EQ(bind(Square, {f32(x, {9})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "square: the inputs do not determine dim 'T'");
  EXPECT_EQ(bind(Flat, {f32(nullptr, {0}), f32(nullptr, {0})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "flat: the inputs do not determine dim 'B'");
}

TEST_F(Bind, NamesADimAboveItsBound) {
  EXPECT_EQ(bind(Encode, {f32(x, {5000, 64})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: dim 'B' is 5000, above its bound of 4096");
  const int64_t maxDims[] = {8, 16, 64, 2};
  EXPECT_EQ(bind(Encode, {f32(x, {9, 64})}, maxDims), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: dim 'B' is 9, above this context's limit of 8");
}

TEST_F(Bind, NamesAWrongForm) {
  EXPECT_EQ(bind(Encode, {}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: got 0 inputs, expected 1");
  EXPECT_EQ(bind(Encode, {f32(x, {64})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: input 'x' has 1 axes, expected 2");
  EXPECT_EQ(bind(Encode, {i32(&width, {1, 64})}), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "encode: input 'x' has type i32, expected f32");
  EXPECT_EQ(bind(Encode, {f32(x, {-1, 64})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: input 'x' axis 0 is -1, expected a size of at least 0");
  EXPECT_EQ(bind(Encode, {f32(nullptr, {1, 64})}), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "encode: input 'x' has no data");
  EXPECT_EQ(bind(Encode, {f32(reinterpret_cast<float *>(reinterpret_cast<char *>(x) + 1), {1, 64})}), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "encode: input 'x' is not aligned to its element size");
  EXPECT_EQ(bind(Encode, {f32(x, {INT64_C(1) << 60, 64})}), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: the size of input 'x' overflows");
}

TEST_F(Bind, ChecksOutputs) {
  nacre_tensor in = f32(x, {2, 64});
  ASSERT_EQ(bind(Encode, {in}), NACRE_OK);
  nacre_tensor out = f32(x + 128, {2, 2});
  EXPECT_EQ(nacre_check_outputs(&call, dims, &in, &out, 1), NACRE_OK);
  EXPECT_EQ(nacre_check_outputs(&call, dims, &in, &out, 2), NACRE_ERR_SHAPE);
  out.shape[0] = 3;
  EXPECT_EQ(nacre_check_outputs(&call, dims, &in, &out, 1), NACRE_ERR_SHAPE);
  EXPECT_EQ(message(), "encode: output 'z' axis 0 is 3, expected B = 2");
  out = f32(x + 127, {2, 2});
  EXPECT_EQ(nacre_check_outputs(&call, dims, &in, &out, 1), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "encode: output 'z' shares memory with 'x'");
  out = f32(nullptr, {2, 2});
  EXPECT_EQ(nacre_check_outputs(&call, dims, &in, &out, 1), NACRE_ERR_VALUE);
  out = f32(x + 128, {2});
  EXPECT_EQ(nacre_check_outputs(&call, dims, &in, &out, 1), NACRE_ERR_SHAPE);
}

TEST_F(Bind, ChecksOutputsAgainstEachOther) {
  const nacre_tensor in[] = {f32(x, {1, 64}), i32(&width, {})};
  ASSERT_EQ(bind(Cut, {in[0], in[1]}), NACRE_OK);
  const nacre_tensor out[] = {f32(x + 64, {1, 16}), f32(x + 79, {})};
  EXPECT_EQ(nacre_check_outputs(&call, dims, in, out, 2), NACRE_ERR_VALUE);
  EXPECT_EQ(message(), "cut: output 'which' shares memory with 'y'");
}

TEST_F(Bind, ChecksValues) {
  int32_t ids[] = {0, 9, 3, 4};
  int32_t n[] = {-5, 1000};
  void *inputs[] = {ids, n};
  ASSERT_EQ(bind(Lookup, {i32(ids, {2, 2}), i32(n, {2})}), NACRE_OK) << message();
  EXPECT_EQ(nacre_check_values(&call, dims, inputs), NACRE_OK);
  for (int32_t bad : {10, -1, INT32_MIN, INT32_MAX}) {
    ids[2] = bad;
    EXPECT_EQ(nacre_check_values(&call, dims, inputs), NACRE_ERR_VALUE);
    EXPECT_EQ(message(), "lookup: input 'ids' holds " + std::to_string(bad) + " at position 2, expected a value in [0, 10)");
  }
}
