// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/StagedFolder.h"
#include "compiler/Artifact/Failure.h"
#include "compiler/Artifact/ObjectFiles.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

using namespace nacre;
using namespace llvm;

static std::string join(StringRef folder, StringRef name) {
  SmallString<128> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

/// With the permissions that the user's umask leaves, as mkdir does.
static std::error_code makeFolders(StringRef path) { return sys::fs::create_directories(path, /*IgnoreExisting=*/true, sys::fs::all_all); }

StagedFolder::~StagedFolder() {
  if (!hidden.empty()) sys::fs::remove_directories(hidden);
  if (isNew) sys::fs::remove(folder); // fails when there is something in it, as it should
}

Error StagedFolder::open(StringRef path) {
  folder = path.empty() ? "." : path.str();
  isNew = !sys::fs::exists(folder);
  if (std::error_code code = makeFolders(folder)) return userFailure("cannot create the folder '" + folder + "': " + code.message());
  SmallString<128> unique;
  sys::fs::createUniquePath(join(folder, ".nacre-%%%%%%%%"), unique, /*MakeAbsolute=*/false);
  if (std::error_code code = sys::fs::create_directory(unique, /*IgnoreExisting=*/false))
    return userFailure("cannot write into the folder '" + folder + "': " + code.message());
  hidden = unique.str().str();
  return Error::success();
}

std::string StagedFolder::scratch(StringRef name) const {
  std::string path = join(hidden, name);
  sys::RemoveFileOnSignal(path);
  return path;
}

std::string StagedFolder::stage(StringRef name) {
  names.push_back(name.str());
  std::string path = scratch(name);
  makeFolders(sys::path::parent_path(path)); // a failure shows when the file is opened
  return path;
}

Error StagedFolder::write(StringRef name, StringRef content) {
  return writeFile(stage(name), content, join(folder, name));
}

Error StagedFolder::commit() {
  for (const std::string &name : names) {
    std::string target = join(folder, name);
    makeFolders(sys::path::parent_path(target));
    if (std::error_code code = sys::fs::rename(join(hidden, name), target))
      return userFailure("cannot write '" + target + "': " + code.message());
  }
  return Error::success();
}
