// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line as data: a table of options for each command, from which both the parser and the help text are made.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>
#include <vector>

namespace nacre::tool {

/// `--name VALUE`, `--name=VALUE`, or `--name` alone when `value` is empty; `-s` is its short form.
struct Option {
  llvm::StringRef name;
  llvm::StringRef shortName; ///< one letter, or empty
  llvm::StringRef value;     ///< what the value is called in the help; empty: a flag
  llvm::StringRef help;
  bool repeats = false;
};

/// What stands on a command line. Values live as long as the words they were parsed from.
class Arguments {
public:
  bool has(llvm::StringRef option) const { return values.count(option); }
  /// The last value given.
  std::optional<llvm::StringRef> get(llvm::StringRef option) const;
  llvm::StringRef get(llvm::StringRef option, llvm::StringRef otherwise) const { return get(option).value_or(otherwise); }
  llvm::ArrayRef<llvm::StringRef> all(llvm::StringRef option) const;
  llvm::ArrayRef<llvm::StringRef> positional() const { return words; }

private:
  friend llvm::Expected<Arguments> parseArguments(llvm::ArrayRef<Option>, llvm::ArrayRef<llvm::StringRef>);
  llvm::StringMap<std::vector<llvm::StringRef>> values;
  std::vector<llvm::StringRef> words;
};

/// Reads the words after the command. "--" ends the options; "-" is an argument. Errors are the usage's: an unknown option
/// (with the nearest known one), a missing or needless value, an option given twice.
llvm::Expected<Arguments> parseArguments(llvm::ArrayRef<Option> options, llvm::ArrayRef<llvm::StringRef> words);

/// One aligned line an option.
void printOptions(llvm::raw_ostream &out, llvm::ArrayRef<Option> options);

/// The candidate that `word` was probably meant to be, or an empty one.
llvm::StringRef nearest(llvm::StringRef word, llvm::ArrayRef<llvm::StringRef> candidates);

/// A whole number within [least, most]; an error that names `what` otherwise.
llvm::Expected<int64_t> parseInteger(llvm::StringRef what, llvm::StringRef text, int64_t least, int64_t most);

} // namespace nacre::tool
