// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Select.h"

#include "compiler/Artifact/Failure.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cstring>

using namespace nacre;
using namespace nacre::tool;

static Array memberOf(const Array &stack, int64_t index) {
  Array member = Array::zeros(stack.type, std::vector<int64_t>(stack.shape.begin() + 1, stack.shape.end()));
  std::memcpy(member.bytes.data(), stack.bytes.data() + index * stack.rowBytes(), member.bytes.size());
  return member;
}

static Array cutLastAxis(const Array &whole, int64_t width) {
  std::vector<int64_t> shape = whole.shape;
  shape.back() = width;
  Array prefix = Array::zeros(whole.type, shape);
  int64_t bytes = 4, from = whole.shape.back() * bytes, to = width * bytes; // f32 and i32 alike
  for (int64_t row = 0; row * to < int64_t(prefix.bytes.size()); ++row)
    std::memcpy(prefix.bytes.data() + row * to, whole.bytes.data() + row * from, to);
  return prefix;
}

llvm::Expected<Array> tool::selectWidth(Array array, llvm::ArrayRef<int64_t> widths, int64_t width, llvm::StringRef name) {
  if (!widths.empty()) {
    const auto *found = llvm::find(widths, width);
    if (found == widths.end())
      return userFailure("expected a width of '" + name + "' (" +
                         llvm::join(llvm::map_range(widths, [](int64_t w) { return std::to_string(w); }), ", ") + "), but got " +
                         llvm::Twine(width));
    return memberOf(array, found - widths.begin());
  }
  if (array.shape.empty() || array.shape.back() < width)
    return userFailure("expected a last axis of at least " + llvm::Twine(width) + " in '" + name + "' for --width, but got " +
                       describe(array));
  return cutLastAxis(array, width);
}

static void printAxis(llvm::raw_ostream &out, const Array &array, size_t axis, int64_t begin, int64_t count, int64_t &left) {
  if (axis == array.shape.size()) {
    float real;
    int32_t whole;
    std::memcpy(&real, array.bytes.data() + begin * 4, 4);
    std::memcpy(&whole, array.bytes.data() + begin * 4, 4);
    if (array.type == NACRE_F32)
      out << llvm::format("%g", double(real));
    else
      out << whole;
    --left;
    return;
  }
  out << "[";
  int64_t stride = array.shape[axis] ? count / array.shape[axis] : 0;
  for (int64_t i = 0; i < array.shape[axis]; ++i) {
    out << (i ? ", " : "");
    if (left <= 0) {
      out << "...";
      break;
    }
    printAxis(out, array, axis + 1, begin + i * stride, stride, left);
  }
  out << "]";
}

std::string tool::valuesText(const Array &array) {
  std::string text;
  llvm::raw_string_ostream out(text);
  int64_t left = 64;
  printAxis(out, array, 0, 0, array.count(), left);
  return text;
}
