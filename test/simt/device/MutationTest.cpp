// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The race check on the compiler's own code: without its barriers, results change with the order of threads or are wrong.
#include "test/harness/CompiledProgram.h"
#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"
#include "test/simt/DeviceModule.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

/// A product of a block: its warps copy tiles into shared memory that all of them read.
static const char kProgram[] = R"(
fn f(x: f32[40, 70], w: f32[70, 50]) -> f32[40, 50] { return matmul(x, w) }
)";

/// Takes out every call of an intrinsic; false when there is none.
static bool removeCalls(std::string &text, llvm::StringRef intrinsic) {
  std::string kept;
  bool isFound = false;
  for (llvm::StringRef line : llvm::split(llvm::StringRef(text), '\n')) {
    bool isCall = line.contains("call ") && line.contains(intrinsic);
    isFound |= isCall;
    if (!isCall)
      kept += line.str() + "\n";
  }
  text = kept;
  return isFound;
}

/// The results in every order; an empty one where a launch failed.
static std::vector<Array> resultsWithout(llvm::StringRef intrinsic, Array &want) {
  std::string messages;
  auto program = TestProgram::parse("mutated", kProgram, messages);
  EXPECT_NE(program, nullptr) << messages;
  bool isFound = false;
  mlir::OwningOpRef<mlir::ModuleOp> module(program->surface().clone());
  auto compiled = CompiledProgram::compileForDevice(*module, messages, [&](std::string &text) { isFound = removeCalls(text, intrinsic); });
  EXPECT_NE(compiled, nullptr) << messages;
  EXPECT_TRUE(isFound) << "no call of " << intrinsic.str();
  std::vector<Array> inputs = {uniform({40, 70}, -2, 2, 1), uniform({70, 50}, -2, 2, 2)}, results;
  if (!compiled)
    return results;
  want = (*compiled->call("f", inputs, {"v3", 1}, messages))[0];
  for (int order : simt::kOrders) {
    nacre_simt_set_order(order);
    auto result = compiled->call("f", inputs, {kDeviceLevel, 1}, messages);
    results.push_back(result ? (*result)[0] : Array());
  }
  return results;
}

TEST(DeviceMutation, MissingBarriersOfABlockShow) {
  Array want;
  std::vector<Array> results = resultsWithout("@llvm.nvvm.barrier.cta.sync", want);
  ASSERT_EQ(results.size(), std::size(simt::kOrders));
  EXPECT_TRUE(llvm::any_of(results, [&](const Array &result) { return !compare(result, want, 1e-4).empty(); }));
}
