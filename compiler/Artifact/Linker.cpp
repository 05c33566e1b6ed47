// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/Linker.h"
#include "compiler/Artifact/Failure.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cstdlib>

using namespace nacre;
using namespace llvm;

static bool isCompilerName(StringRef path) {
  StringRef name = sys::path::filename(path);
  return name == "cc" || name == "c99" || name.contains("gcc") || (name.contains("clang") && !name.contains("ld"));
}

Expected<Linker> Linker::find() {
  if (const char *chosen = std::getenv("NACRE_LINKER")) {
    auto found = sys::findProgramByName(chosen);
    if (!found) return userFailure("NACRE_LINKER names '" + Twine(chosen) + "', but there is no such program");
    return Linker(*found, isCompilerName(*found));
  }
  for (StringRef name : {"ld.lld-" NACRE_LLVM_MAJOR_TEXT, "ld.lld", "ld"})
    if (auto found = sys::findProgramByName(name)) return Linker(*found, false);
  if (auto found = sys::findProgramByName("ld.lld", {NACRE_LLVM_TOOLS})) return Linker(*found, false);
  if (auto found = sys::findProgramByName("cc")) return Linker(*found, true);
  return userFailure("expected a linker, but found none of ld.lld, ld and cc; install lld (or binutils), or set NACRE_LINKER");
}

static std::string readAll(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().trim().str() : std::string();
}

Error Linker::run(ArrayRef<std::string> arguments) const {
  SmallVector<StringRef> words = {path};
  words.append(arguments.begin(), arguments.end());
  SmallString<128> log;
  if (std::error_code code = sys::fs::createTemporaryFile("nacre-link", "log", log))
    return userFailure("cannot create a temporary file: " + code.message());
  FileRemover remover(log);
  std::string message;
  std::optional<StringRef> redirects[] = {StringRef(""), log.str(), log.str()};
  int status = sys::ExecuteAndWait(path, words, std::nullopt, redirects, 0, 0, &message);
  if (status < 0) return userFailure("cannot run '" + path + "': " + message);
  return status ? internalFailure("link", "'" + path + "' failed:\n" + readAll(log)) : Error::success();
}

Error Linker::linkRelocatable(ArrayRef<std::string> inputs, StringRef output) const {
  std::vector<std::string> arguments = {"-r", "-o", output.str()};
  if (isCompiler) arguments.push_back("-nostdlib");
  arguments.insert(arguments.end(), inputs.begin(), inputs.end());
  return run(arguments);
}

/// The folders that hold the C library of this system.
static std::vector<std::string> libraryFolders() {
  std::vector<std::string> folders;
  for (StringRef folder : {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"})
    if (sys::fs::is_directory(folder)) folders.push_back(folder.str());
  return folders;
}

Error Linker::linkShared(StringRef object, StringRef versionScript, StringRef soname, StringRef output,
                         ArrayRef<std::string> libraries) const {
  std::vector<std::string> arguments = {"-shared", "-o", output.str()};
  std::vector<std::string> options = {"-soname=" + soname.str(), "--version-script=" + versionScript.str(),
                                      "--gc-sections",           "--as-needed",
                                      "--no-undefined",          "--build-id=none"};
  if (isCompiler) {
    arguments.push_back("-nostartfiles"); // there is nothing to construct
    for (const std::string &option : options)
      arguments.push_back("-Wl," + option);
    arguments.insert(arguments.end(), {"-Wl,-z,now", "-Wl,-z,relro", object.str()});
    arguments.insert(arguments.end(), libraries.begin(), libraries.end());
    arguments.push_back("-lm");
    return run(arguments);
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), {"-z", "now", "-z", "relro", "-z", "noexecstack", object.str()});
  arguments.insert(arguments.end(), libraries.begin(), libraries.end());
  for (const std::string &folder : libraryFolders())
    arguments.push_back("-L" + folder);
  // The libraries by their run-time names: no development package is needed to link against them.
  arguments.insert(arguments.end(), {"-l:libm.so.6", "-l:libc.so.6"});
  return run(arguments);
}
