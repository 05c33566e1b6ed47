// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NVVM intrinsics and inline assembly become calls into the executor.
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace nacre::simt {

/// r = call @llvm.nvvm.a.b(x, y)  ->  store x, y; call @simt_a_b(ptr frame, ptr site); r = load
///
/// A frame is { result, x, y } in memory, so that no convention for vectors or small structures matters; a function has one for all of
/// its calls. A site is { name, function, number } and tells calls apart. A line of assembly "a.b $0, $1;" becomes @simt_asm_a_b.
/// Fails, naming all of them, when there are calls whose function the executor lacks (`isKnown` of its symbol).
llvm::Error replaceIntrinsics(llvm::Module &module, llvm::function_ref<bool(llvm::StringRef)> isKnown);

} // namespace nacre::simt
