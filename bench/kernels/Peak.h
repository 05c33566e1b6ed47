// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The multiply-add peak of one core at a level, as a kernel that touches no memory.
#ifndef NACRE_BENCH_KERNELS_PEAK_H
#define NACRE_BENCH_KERNELS_PEAK_H

#include "compiler/Target/CPU/VectorBuilder.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"

namespace nacre::bench {

struct Peak {
  std::function<void()> run;
  double flop; // of one run
};

/// Adds the kernel "peak".
void emitPeak(mlir::ModuleOp module, const cpu::Level &level);

/// The compiled kernel; the loader must outlive it.
Peak loadPeak(cpu::KernelLoader &loader, const cpu::Level &level);

} // namespace nacre::bench

#endif
