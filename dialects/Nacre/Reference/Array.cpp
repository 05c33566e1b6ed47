// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/Reference/Array.h"

#include "dialects/Nacre/IR/Dims.h"
#include "dialects/Nacre/IR/Infer.h"

using namespace nacre;
using namespace mlir;

Array::Array(ArrayRef<int64_t> shape, double fill) : shape(shape.begin(), shape.end()) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  data.assign(count, fill);
}

double Array::at(ArrayRef<int64_t> index) const {
  size_t lead = index.size() - shape.size(), offset = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    offset = offset * shape[axis] + (shape[axis] == 1 ? 0 : index[lead + axis]);
  return data[offset];
}

double &Array::operator()(ArrayRef<int64_t> index) {
  size_t offset = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    offset = offset * shape[axis] + index[axis];
  return data[offset];
}

void nacre::forEach(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> body) {
  for (int64_t size : shape)
    if (size == 0)
      return;
  SmallVector<int64_t> index(shape.size(), 0);
  while (true) {
    body(index);
    int64_t axis = int64_t(shape.size()) - 1;
    while (axis >= 0 && ++index[axis] == shape[axis])
      index[axis--] = 0;
    if (axis < 0)
      return;
  }
}

const Array *Evaluation::in(Value value) const {
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    if (value && operand == value)
      return operands[i];
  return nullptr;
}

SmallVector<int64_t, 4> Evaluation::shapeOf(Value value) const {
  SmallVector<int64_t, 4> shape;
  for (const Dim &dim : dimsOf(value))
    shape.push_back(sizeOf(dim));
  return shape;
}

int64_t Evaluation::sizeOf(const Dim &dim) const { return dim.evaluate(binding).value_or(0); }
