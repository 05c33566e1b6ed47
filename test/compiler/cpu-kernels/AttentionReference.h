// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention by its formula in f64, with its gradients, and the operands of a launch in guarded memory.
#ifndef NACRE_TEST_COMPILER_CPU_KERNELS_ATTENTIONREFERENCE_H
#define NACRE_TEST_COMPILER_CPU_KERNELS_ATTENTIONREFERENCE_H

#include "compiler/Target/CPU/Attention.h"
#include "test/compiler/cpu-kernels/GuardedArray.h"
#include "test/compiler/cpu-kernels/KernelLoader.h"

#include <vector>

namespace nacre::cpu {

struct AttentionShape {
  int64_t batch, heads, keyHeads, queries, keys, width;
};

/// A tensor [B, T, H, d] as a projection leaves it: heads side by side in a row.
struct HeadTensor {
  HeadTensor(int64_t batch, int64_t rows, int64_t heads, int64_t width)
      : width(width), row(heads * width), data(static_cast<size_t>(batch * rows * row)), rows(rows) {}
  size_t index(int64_t b, int64_t h, int64_t t) const { return static_cast<size_t>((b * rows + t) * row + h * width); }
  /// Sets a pointer slot and the slots of its three strides.
  void fill(Launch &launch, int64_t pointer, int64_t strides) {
    launch.set(pointer, data.data());
    launch.set(strides, rows * row), launch.set(strides + 1, width), launch.set(strides + 2, row);
  }
  int64_t width, row;
  GuardedArray<float> data;
  int64_t rows;
};

struct AttentionProblem {
  AttentionProblem(const AttentionSpec &spec, const AttentionShape &shape);

  /// Computes the exact results and gradients.
  void solve();
  /// Sets all slots of the forward kernel, and of the backward one when `backward`.
  void fill(Launch &launch, bool backward = false);
  /// Sets all slots of the kernel for biases.
  void fill(Launch &launch, BiasGradient of);
  /// Compares what a launch has written, with GoogleTest.
  void expectForward() const;
  void expectBackward() const;
  void expectBias(BiasGradient of) const;
  /// Puts the exact output and log-sum-exp where a backward kernel reads them.
  void storeForward();

  AttentionSpec spec;
  AttentionShape shape;
  int64_t window = 7;
  HeadTensor q, k, v, o, dO, dQ, dK, dV;
  GuardedArray<float> logSumExp, bias, relative, factors; // bias [H, Tq, Tk]; strips [H, Tq + Tk - 1]
  GuardedArray<float> dBias, dRelative, dFactors;
  GuardedArray<int32_t> lengths, prefix, mask; // mask [B, 1, Tq, Tk]
  std::vector<double> exactO, exactLog, exactDQ, exactDK, exactDV; // laid out as the tensors
  std::vector<double> exactDBias, exactDRelative, exactDFactors;

private:
  int64_t distances() const { return shape.queries + shape.keys - 1; }
  size_t pair(int64_t h, int64_t i, int64_t j) const { return static_cast<size_t>((h * shape.queries + i) * shape.keys + j); }
  size_t entry(int64_t h, int64_t i, int64_t j) const { return static_cast<size_t>(h * distances() + i - j + shape.keys - 1); }
  double biasOf(int64_t h, int64_t i, int64_t j) const;
  bool allowed(int64_t b, int64_t i, int64_t j) const;
  void solveRow(int64_t b, int64_t h, int64_t i);
};

} // namespace nacre::cpu

#endif
