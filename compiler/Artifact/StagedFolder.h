// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files that appear together or not at all: they are written in a hidden folder beside their place and then renamed.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace nacre {

/// Invariant: until `commit`, nothing in the folder has changed but the hidden folder, which the destructor removes.
class StagedFolder {
public:
  StagedFolder() = default;
  StagedFolder(const StagedFolder &) = delete;
  StagedFolder &operator=(const StagedFolder &) = delete;
  ~StagedFolder();

  /// Creates `folder` and its parents where they are missing. Fails when it cannot be written.
  llvm::Error open(llvm::StringRef folder);
  /// The path under which a file is to be written before `commit`; "nacre/abi.h" makes the folder as well.
  std::string stage(llvm::StringRef name);
  llvm::Error write(llvm::StringRef name, llvm::StringRef content);
  /// A path that is removed with the hidden folder.
  std::string scratch(llvm::StringRef name) const;
  /// Renames every staged file to its place.
  llvm::Error commit();

private:
  std::string folder, hidden;
  std::vector<std::string> names;
  bool isNew = false; ///< `folder` was made by `open`; it goes again when nothing is committed
};

} // namespace nacre
