// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The declarations of a program: of its file and of the files that it imports, by name.
#pragma once

#include "frontend/Ast.h"
#include "frontend/Diagnostics.h"

#include "llvm/ADT/StringMap.h"

#include <map>

namespace nacre {

/// Invariant, when no error was reported: names are unique, and no layer contains itself.
class Program {
public:
  /// Takes over a file's declarations. `path` is kept for naming a program without a model.
  void add(llvm::StringRef path, Ast ast);
  /// Fills the tables; reports names that are declared twice or reserved, and layers that contain themselves.
  void resolve(Diagnostics &diagnostics);

  /// The declaration of that name and class, or null.
  template <typename T> const T *find(llvm::StringRef name) const { return llvm::dyn_cast_or_null<T>(byName.lookup(name)); }
  const Decl *find(llvm::StringRef name) const { return byName.lookup(name); }
  /// All declarations of a class, in the order of the text; imported ones first.
  template <typename T> std::vector<const T *> all() const {
    std::vector<const T *> result;
    for (const Ast &file : files)
      for (const DeclPtr &decl : file.declarations)
        if (const auto *found = llvm::dyn_cast<T>(decl.get())) result.push_back(found);
    return result;
  }

  const std::vector<Ast> &getFiles() const { return files; }
  /// The file name without folder and ending: the name of a program that has functions but no model.
  llvm::StringRef stem() const;
  llvm::StringRef getPath() const { return path; }

private:
  void checkMembers(const std::vector<DeclPtr> &members, Diagnostics &diagnostics);
  /// Fills in how many layers are inside each other; false, and an error, when one contains itself or there are too many.
  bool measure(const LayerDecl &layer, std::vector<const LayerDecl *> &chain, std::map<const LayerDecl *, unsigned> &heights,
               Diagnostics &diagnostics) const;

  std::vector<Ast> files;
  std::string path;
  llvm::StringMap<const Decl *> byName;
};

/// Reads a file and, before it, the files that it imports (paths are relative to the file that names them; each is read once).
/// Returns false when something was reported.
bool parseFile(Source &source, llvm::StringRef path, Program &program, Diagnostics &diagnostics);

/// The name of `candidates` that `name` was probably meant to be, or an empty one.
llvm::StringRef nearestName(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> candidates);

} // namespace nacre
