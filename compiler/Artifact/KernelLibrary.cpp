// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/KernelLibrary.h"
#include "compiler/Artifact/Embedded.h"
#include "compiler/Artifact/Failure.h"
#include "compiler/Artifact/KernelHeader.h"
#include "compiler/Artifact/Linker.h"
#include "compiler/Artifact/ObjectFiles.h"
#include "compiler/Artifact/StagedFolder.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace llvm;

/// The object with the one part of the runtime that it refers to: which CPU levels this machine has.
static Error linkObject(ArrayRef<char> object, const Linker &linker, const StagedFolder &folder, const std::string &output) {
  std::string kernel = folder.scratch("kernel.o"), runtime = folder.scratch("runtime.a"), merged = folder.scratch("merged.o");
  if (Error error = writeFile(kernel, StringRef(object.data(), object.size()))) return error;
  if (Error error = writeFile(runtime, runtimeArchive())) return error;
  if (Error error = linker.linkRelocatable({kernel, runtime}, merged)) return error;
  if (Error error = localizeHidden(merged, output)) return internalFailure("hide symbols", toString(std::move(error)));
  return Error::success();
}

static std::string inFolder(StringRef folder, const Twine &file) {
  SmallString<128> place(folder);
  sys::path::append(place, file);
  return place.str().str();
}

Expected<KernelFiles> nacre::writeKernel(const KernelExport &kernel, ArrayRef<char> object, StringRef path) {
  StagedFolder folder;
  if (Error error = folder.open(path)) return error;
  auto linker = Linker::find();
  if (!linker) return linker.takeError();
  const std::string &name = kernel.symbol;
  std::string whole = folder.stage(name + ".o");
  if (Error error = linkObject(object, *linker, folder, whole)) return error;
  if (Error error = archiveObject(whole, folder.stage("lib" + name + ".a"))) return internalFailure("archive", toString(std::move(error)));
  if (Error error = folder.write(name + ".h", kernelHeaderText(kernel))) return error;
  if (Error error = folder.commit()) return error;
  return KernelFiles{inFolder(path, name + ".o"), inFolder(path, "lib" + name + ".a"), inFolder(path, name + ".h")};
}

Expected<std::string> nacre::writeSharedKernel(const KernelExport &kernel, ArrayRef<char> object, StringRef path) {
  StagedFolder folder;
  if (Error error = folder.open(path)) return error;
  auto linker = Linker::find();
  if (!linker) return linker.takeError();
  std::string whole = folder.scratch("whole.o"), script = folder.scratch("exports.map"), name = "lib" + kernel.symbol + ".so";
  if (Error error = linkObject(object, *linker, folder, whole)) return error;
  if (Error error = writeFile(script, "{ global: " + kernel.symbol + "*; local: *; };\n")) return error;
  if (Error error = linker->linkShared(whole, script, name, folder.stage(name))) return error;
  if (Error error = folder.commit()) return error;
  return inFolder(path, name);
}
