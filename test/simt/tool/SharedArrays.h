// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shared arrays become memory of the block that runs.
#pragma once

#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Module.h"

namespace nacre::simt {

/// @tile = addrspace(3) global [N x T]  ->  in every function that uses it: %tile = call ptr @simt_shared_array(ptr @{bytes, alignment})
///
/// An array of no elements is the dynamic shared memory of the launch.
void replaceSharedArrays(llvm::Module &module);

/// Bytes of all static shared arrays that a function and those that it calls use. To be asked before they are replaced.
llvm::DenseMap<const llvm::Function *, int64_t> countSharedBytes(llvm::Module &module);

} // namespace nacre::simt
