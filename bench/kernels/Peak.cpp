// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "bench/kernels/Peak.h"

namespace nacre::bench {

using namespace cpu;

static constexpr int64_t chains = 10;    // 2 a cycle, 4 cycles each: at least 8, below 16 registers
static constexpr int64_t steps = 200000; // of a run

void emitPeak(mlir::ModuleOp module, const Level &level) {
  auto [kernel, b] = createKernel(module, "peak", level);
  Value factor = b.load(kernel.slots);
  Values sums(chains, b.splat(1));
  sums = b.loop(b.integer(0), b.integer(steps), 1, sums, [&, &b = b](Value, llvm::ArrayRef<Value> carried) {
    Values next;
    for (Value sum : carried)
      next.push_back(b.fma(sum, factor, factor));
    return next;
  });
  Value total = sums[0];
  for (Value sum : llvm::ArrayRef<Value>(sums).drop_front())
    total = b.addf(total, sum);
  b.store(total, kernel.scratch);
}

Peak loadPeak(KernelLoader &loader, const Level &level) {
  nacre_kernel kernel = loader.find("peak");
  auto run = [kernel] {
    alignas(64) static int64_t factors[8] = {};
    alignas(64) static char result[64];
    kernel(0, 1, factors, result);
  };
  return {run, 2.0 * chains * steps * static_cast<double>(level.lanes)};
}

} // namespace nacre::bench
