// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One width of a result, and results as text.
#pragma once

#include "compiler/tools/nacre/Array.h"

namespace nacre::tool {

/// Width m of an array: the member of a stack (axis 0 = widths, where `widths` is not empty), else the first m of the last axis.
/// Fails when the array has no such width.
llvm::Expected<Array> selectWidth(Array array, llvm::ArrayRef<int64_t> widths, int64_t width, llvm::StringRef name);

/// "[[1, 2], [3, 4]]", cut after 64 values. Requires f32 or i32.
std::string valuesText(const Array &array);

} // namespace nacre::tool
