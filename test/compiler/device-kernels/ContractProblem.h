// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A product of small integers in memory of any layout, its slots, and what its elements are.
#ifndef NACRE_TEST_COMPILER_DEVICE_KERNELS_CONTRACTPROBLEM_H
#define NACRE_TEST_COMPILER_DEVICE_KERNELS_CONTRACTPROBLEM_H

#include "test/compiler/cpu-kernels/GuardedArray.h"
#include "test/compiler/device-kernels/DeviceKernel.h"

#include <cmath>

namespace nacre::nvptx {

using Slot = cpu::ContractSlots;

struct Shape {
  int64_t rows, columns, depth;
  bool transposedA = false, transposedB = false;
  int64_t outer = 1, inner = 1;
  int64_t gap = 0;    // elements between rows in memory
  int64_t spread = 1; // elements of A lie so far apart
};

struct Problem {
  explicit Problem(const Shape &shape)
      : shape(shape), batch(shape.outer * shape.inner),
        aStride(((shape.transposedA ? shape.rows : shape.depth) + shape.gap) * shape.spread),
        bStride((shape.transposedB ? shape.depth : shape.columns) + shape.gap), outStride(shape.columns + shape.gap),
        aSize(aStride * (shape.transposedA ? shape.depth : shape.rows)), bSize(bStride * (shape.transposedB ? shape.columns : shape.depth)),
        a(batch * aSize), b(batch * bSize) {
    cpu::fillIntegers(a, 1);
    cpu::fillIntegers(b, 2);
  }
  float elementA(int64_t m, int64_t i, int64_t k) const {
    return a[m * aSize + (shape.transposedA ? k * aStride + i * shape.spread : i * aStride + k * shape.spread)];
  }
  float elementB(int64_t m, int64_t k, int64_t j) const { return b[m * bSize + (shape.transposedB ? j * bStride + k : k * bStride + j)]; }
  /// As the CPU computes it.
  float sum(int64_t m, int64_t i, int64_t j, int64_t depth) const {
    float result = 0;
    for (int64_t k = 0; k < depth; ++k)
      result = std::fma(elementA(m, i, k), elementB(m, k, j), result);
    return result;
  }
  int64_t outSize() const { return shape.rows * outStride; }
  Slots slotsFor(const cpu::ContractSpec &spec) const {
    Slots slots(cpu::ContractSlots(spec).count());
    slots.set(Slot::A, &a[0]), slots.set(Slot::B, &b[0]);
    slots.set(Slot::Rows, shape.rows), slots.set(Slot::Columns, shape.columns), slots.set(Slot::Depth, shape.depth);
    slots.set(Slot::ARow, shape.transposedA ? shape.spread : aStride), slots.set(Slot::AStep, shape.transposedA ? aStride : shape.spread);
    slots.set(Slot::BStep, shape.transposedB ? 1 : bStride), slots.set(Slot::BColumn, shape.transposedB ? bStride : 1);
    slots.set(Slot::Batch, batch), slots.set(Slot::BatchInner, shape.inner);
    slots.set(Slot::AOuter, shape.inner * aSize), slots.set(Slot::AInner, aSize);
    slots.set(Slot::BOuter, shape.inner * bSize), slots.set(Slot::BInner, bSize);
    return slots;
  }
  void setOutput(Slots &slots, const cpu::ContractSpec &spec, int64_t output, float *to) const {
    cpu::ContractSlots at(spec);
    slots.set(at.output(output, Slot::OutputPointer), to), slots.set(at.output(output, Slot::OutputRow), outStride);
    slots.set(at.output(output, Slot::OutputOuter), shape.inner * outSize()), slots.set(at.output(output, Slot::OutputInner), outSize());
    slots.set(at.output(output, Slot::OutputCheckpoint), batch * outSize());
  }
  Shape shape;
  int64_t batch, aStride, bStride, outStride, aSize, bSize;
  cpu::GuardedArray<float> a, b;
};

inline cpu::ContractSpec plainSpec() {
  cpu::ContractSpec spec;
  spec.epilogue = [](cpu::VectorBuilder &, cpu::Value sum, llvm::ArrayRef<cpu::Value>) { return cpu::Values{sum}; };
  return spec;
}

} // namespace nacre::nvptx

#endif
