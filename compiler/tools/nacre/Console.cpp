// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Console.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Version.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;
using namespace nacre::tool;
using namespace llvm;

void Console::print(json::Object object) {
  if (isJson) {
    outs() << json::Value(std::move(object)) << "\n";
    outs().flush();
  }
}

static json::Array oneError(const Twine &message) { return json::Array{json::Object{{"message", message.str()}}}; }

int Console::fail(const Twine &message) {
  outs().flush();
  if (isJson)
    print({{"errors", oneError(message)}});
  else
    errs() << "nacre: error: " << message << "\n";
  return UserError;
}

int Console::usage(const Twine &message) {
  fail(message);
  return UsageError;
}

int Console::fail(Error error) {
  int status = Success;
  handleAllErrors(
      std::move(error), [&](const InternalFailure &failure) { status = internal(failure.stage, failure.message); },
      [&](const ErrorInfoBase &other) { status = fail(other.message()); });
  return status;
}

int Console::fail(const Diagnostics &diagnostics) {
  outs().flush();
  if (isJson)
    print({{"errors", diagnostics.toJson()}});
  else
    diagnostics.print(errs());
  return UserError;
}

int Console::internal(StringRef where, StringRef message) {
  std::string path = writeReproducer(where, message);
  std::string text = "internal error in stage '" + where.str() + "': " + message.str();
  std::string hint = path.empty() ? "a reproducer could not be written" : "this is a defect of nacre; please report it with " + path;
  outs().flush();
  if (isJson)
    print({{"errors", oneError(text)}, {"stage", where}, {"reproducer", path}});
  else
    errs() << "nacre: " << text << "\nnacre: note: " << hint << "\n";
  return OurFault;
}

void Console::keepForReproducer(StringRef path, StringRef text) {
  modelPath = path.str();
  modelText = text.str();
}

std::string Console::writeReproducer(StringRef where, StringRef message) {
  SmallString<64> path;
  int file;
  if (sys::fs::createUniqueFile("nacre-reproducer-%%%%%%.nacre", file, path) &&
      sys::fs::createTemporaryFile("nacre-reproducer", "nacre", file, path))
    return "";
  raw_fd_ostream out(file, /*shouldClose=*/true);
  out << "// Reproducer of an internal error of nacre " << version() << "\n// command: " << command << "\n// stage: " << where
      << "\n// message: ";
  for (char c : message)
    out << (c == '\n' ? StringRef("\n//   ") : StringRef(&c, 1));
  out << "\n// model: " << modelPath << "\n" << modelText;
  return path.str().str();
}
