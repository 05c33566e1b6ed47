// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is wrong with a program: collected while it is read, sorted by place, each problem told once.
#pragma once

#include "frontend/Source.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/JSON.h"

#include <vector>

namespace nacre {

/// An addition to an error: the cause ("'w' is declared here") or the likely fix ("did you mean ...").
struct Note {
  llvm::SMRange range; ///< may be invalid: then the note has no place
  std::string message;
};

struct Diagnostic {
  llvm::SMRange range; ///< may be invalid: then `file` is all that is known
  std::string file;
  std::string message;
  std::vector<Note> notes;
};

/// Adds notes to the error that was just reported; does nothing when that error was a repetition.
class NoteAdder {
public:
  explicit NoteAdder(Diagnostic *diagnostic) : diagnostic(diagnostic) {}
  NoteAdder &note(llvm::SMRange range, const llvm::Twine &message);

private:
  Diagnostic *diagnostic; // owned by Diagnostics; valid until its next `error`
};

class Diagnostics {
public:
  explicit Diagnostics(const Source &source) : source(source) {}

  /// Messages are lower case, without a full stop: "<expected>, but got <found>".
  NoteAdder error(llvm::SMRange range, const llvm::Twine &message);
  NoteAdder error(llvm::SMLoc place, const llvm::Twine &message);
  /// An error about a file as a whole.
  NoteAdder fileError(llvm::StringRef file, const llvm::Twine &message);

  bool hasErrors() const { return !all.empty(); }
  size_t errorCount() const { return all.size(); }
  /// Takes back everything that was reported since `errorCount()` was `count`: for attempts that may fail silently.
  void rollBack(size_t count);

  /// In the order of files and positions, at most `kMaxShown`; then one line about the rest.
  void print(llvm::raw_ostream &out) const;
  /// [{"file", "line", "column", "message", "notes": [{"file", "line", "column", "message"}]}]
  llvm::json::Array toJson() const;

  /// 50: more errors than that are one mistake seen many times.
  static constexpr size_t kMaxShown = 50;

private:
  NoteAdder report(Diagnostic diagnostic);
  std::string key(const Diagnostic &diagnostic) const;
  std::vector<const Diagnostic *> sorted() const;

  const Source &source;
  std::vector<Diagnostic> all;
  llvm::StringSet<> seen;
};

} // namespace nacre
