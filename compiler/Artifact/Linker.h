// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The system's linker as a subprocess: LLVM's ld.lld where there is one, else GNU ld, else the C compiler's own way of linking.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nacre {

class Linker {
public:
  /// Finds one. NACRE_LINKER in the environment names another program: any ld, or a C compiler (cc, gcc, clang).
  static llvm::Expected<Linker> find();

  /// One relocatable object from objects and archives; of an archive only what is referred to.
  llvm::Error linkRelocatable(llvm::ArrayRef<std::string> inputs, llvm::StringRef output) const;
  /// A shared library that exports what `versionScript` says and needs libc, libm and `libraries` (paths) alone; an undefined symbol is
  /// an error.
  llvm::Error linkShared(llvm::StringRef object, llvm::StringRef versionScript, llvm::StringRef soname, llvm::StringRef output,
                         llvm::ArrayRef<std::string> libraries = {}) const;

private:
  Linker(std::string path, bool isCompiler) : path(std::move(path)), isCompiler(isCompiler) {}
  llvm::Error run(llvm::ArrayRef<std::string> arguments) const;

  std::string path;
  bool isCompiler; ///< options of the linker need -Wl,
};

} // namespace nacre
