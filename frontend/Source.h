// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text of a program: every file that it consists of, held until the last diagnostic has been printed.
//
// Invariant: each buffer is valid UTF-8 of at most `kMaxFileBytes` bytes, and is never moved or freed before the Source.
#pragma once

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"
#include "llvm/Support/SourceMgr.h"

#include <cstdint>
#include <optional>
#include <string>

namespace nacre {

/// 4 MiB: a thousand times the largest model file one would write by hand; keeps hostile input cheap.
inline constexpr uint64_t kMaxFileBytes = 4u << 20;

/// A position as people count it: lines and columns from 1, columns in bytes.
struct Place {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
};

class Source {
public:
  /// Reads a file. On failure returns nothing and puts one sentence into `error`:
  /// missing, unreadable, a folder, larger than `kMaxFileBytes`, or not UTF-8. A file that was loaded before keeps its buffer.
  std::optional<unsigned> load(llvm::StringRef path, std::string &error);

  /// Adds text that does not come from a file; `name` stands for the path. Same checks as `load`.
  std::optional<unsigned> add(llvm::StringRef name, llvm::StringRef text, std::string &error);

  /// The text of a buffer; followed by a null character that is not part of it.
  llvm::StringRef text(unsigned buffer) const;
  llvm::StringRef path(unsigned buffer) const;
  /// Requires a position inside one of the buffers.
  Place place(llvm::SMLoc position) const;
  /// The position of a line and column; an invalid one when the file is not loaded.
  llvm::SMLoc position(llvm::StringRef path, unsigned line, unsigned column);

  const llvm::SourceMgr &manager() const { return sourceManager; }

private:
  llvm::SourceMgr sourceManager;
  llvm::StringMap<unsigned> buffers; // path -> SourceMgr's number
};

} // namespace nacre
