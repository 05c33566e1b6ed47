// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the tool says and how it ends: results on standard output, problems on standard error, or one JSON object a line on
// standard output for machines.
#pragma once

#include "frontend/Diagnostics.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace nacre::tool {

enum ExitStatus {
  Success = 0,
  UserError = 1,  ///< the input is wrong: a model, a data file, a folder
  UsageError = 2, ///< the command line is wrong
  OurFault = 70   ///< a defect of the compiler; a reproducer has been written
};

class Console {
public:
  /// `command` is the command line, for reproducers.
  Console(std::string command, bool isJson) : command(std::move(command)), isJson(isJson) {}

  bool json() const { return isJson; }
  /// One line of JSON, when JSON was asked for.
  void print(llvm::json::Object object);
  void print(std::initializer_list<llvm::json::Object::KV> entries) { print(llvm::json::Object(entries)); }

  /// Says "nacre: error: <message>", or {"errors": [{"message": ...}]}; returns UserError.
  int fail(const llvm::Twine &message);
  /// As above; an InternalFailure is reported with its stage, with a reproducer, and as OurFault.
  int fail(llvm::Error error);
  int usage(const llvm::Twine &message);
  /// Prints what the frontend or the compiler reported; returns UserError.
  int fail(const Diagnostics &diagnostics);
  /// A defect: names the stage, writes the reproducer, returns OurFault.
  int internal(llvm::StringRef stage, llvm::StringRef message);

  /// The stage that runs now, and what a reproducer should hold: file name and text of the model.
  void enterStage(llvm::StringRef name) { stage = name.str(); }
  const std::string &currentStage() const { return stage; }
  void keepForReproducer(llvm::StringRef path, llvm::StringRef text);

private:
  std::string writeReproducer(llvm::StringRef stage, llvm::StringRef message);

  std::string command, stage = "start", modelPath, modelText;
  bool isJson;
};

} // namespace nacre::tool
