// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The assembler's .incbin takes the bytes in; CMake passes the paths and rebuilds this file when one of the files changes.
#include "compiler/Artifact/Embedded.h"

// One null byte follows each, which is not part of it.
#define NACRE_EMBED(symbol, path)                                                                                                          \
  __asm__(".section .rodata\n.balign 16\n.hidden " #symbol "_begin\n.hidden " #symbol "_end\n.global " #symbol "_begin\n.global " #symbol  \
          "_end\n" #symbol "_begin:\n.incbin \"" path "\"\n" #symbol "_end:\n.byte 0\n.previous\n");                                       \
  extern "C" const char symbol##_begin[], symbol##_end[];

NACRE_EMBED(nacre_embedded_archive, NACRE_RUNTIME_ARCHIVE)
NACRE_EMBED(nacre_embedded_abi, NACRE_ABI_HEADER)
NACRE_EMBED(nacre_embedded_runtime, NACRE_RUNTIME_HEADER)

static llvm::StringRef between(const char *begin, const char *end) { return {begin, size_t(end - begin)}; }

llvm::StringRef nacre::runtimeArchive() { return between(nacre_embedded_archive_begin, nacre_embedded_archive_end); }
llvm::StringRef nacre::abiHeader() { return between(nacre_embedded_abi_begin, nacre_embedded_abi_end); }
llvm::StringRef nacre::runtimeHeader() { return between(nacre_embedded_runtime_begin, nacre_embedded_runtime_end); }
