// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX to machine code of one architecture, by the CUDA toolkit's assembler where it is installed. A driver does the same when it loads PTX; a
// cubin saves that time at the first call, and costs it at compilation.
#ifndef NACRE_COMPILER_TARGET_NVPTX_ASSEMBLEPTX_H
#define NACRE_COMPILER_TARGET_NVPTX_ASSEMBLEPTX_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nacre::nvptx {

/// A cubin. Fails when there is no `ptxas` on the path, or in its own words when it refuses the code.
llvm::Expected<std::string> assemblePtx(llvm::StringRef ptx, llvm::StringRef architecture);

} // namespace nacre::nvptx

#endif
