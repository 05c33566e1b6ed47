// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/Library.h"
#include "compiler/Artifact/Embedded.h"
#include "compiler/Artifact/Failure.h"
#include "compiler/Artifact/Header.h"
#include "compiler/Artifact/Interface.h"
#include "compiler/Artifact/Linker.h"
#include "compiler/Artifact/Manifest.h"
#include "compiler/Artifact/ModelTable.h"
#include "compiler/Artifact/ObjectFiles.h"
#include "compiler/Artifact/StagedFolder.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace llvm;

/// An error of a step that no input should make fail.
static Error ours(StringRef stage, Error error) { return internalFailure(stage, toString(std::move(error))); }

/// Links everything into one object and returns its path, a scratch file of `folder`.
static Expected<std::string> linkWhole(const ModelDescription &model, ArrayRef<StringRef> objects, StringRef manifest, const Linker &linker,
                                       const StagedFolder &folder) {
  auto table = emitModelTable(model, manifest);
  if (!table) return ours("model table", table.takeError());
  std::string tablePath = folder.scratch("table.o"), runtimePath = folder.scratch("runtime.a");
  std::string merged = folder.scratch("merged.o"), whole = folder.scratch(prefixOf(model) + ".o");
  if (Error error = writeFile(tablePath, StringRef(table->data(), table->size()))) return error;
  std::vector<std::string> parts = {tablePath};
  for (size_t i = 0; i < objects.size(); ++i) {
    parts.push_back(folder.scratch("model" + std::to_string(i) + ".o"));
    if (Error error = writeFile(parts.back(), objects[i])) return error;
  }
  parts.push_back(runtimePath);
  if (Error error = writeFile(runtimePath, runtimeArchive())) return error;
  if (Error error = linker.linkRelocatable(parts, merged)) return error;
  if (Error error = localizeHidden(merged, whole)) return ours("hide symbols", std::move(error));
  return whole;
}

static std::string soname(const ModelDescription &model) { return "lib" + prefixOf(model) + ".so"; }

static Error stageShared(const ModelDescription &model, const std::string &whole, const Linker &linker, StagedFolder &folder) {
  std::string script = folder.scratch("exports.map");
  if (Error error = writeFile(script, "{ global: " + prefixOf(model) + "_*; local: *; };\n")) return error;
  return linker.linkShared(whole, script, soname(model), folder.stage(soname(model)));
}

static Error stageTexts(const ModelDescription &model, StringRef manifest, StagedFolder &folder) {
  std::string prefix = prefixOf(model);
  if (Error error = folder.write(prefix + ".h", headerText(model))) return error;
  if (Error error = folder.write(prefix + ".json", manifest)) return error;
  if (Error error = folder.write("nacre/abi.h", abiHeader())) return error;
  return folder.write("nacre/runtime.h", runtimeHeader());
}

static std::string inFolder(StringRef folder, const std::string &name) {
  SmallString<128> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

Expected<LibraryFiles> nacre::writeLibrary(const ModelDescription &model, ArrayRef<StringRef> objects, StringRef path) {
  StagedFolder folder;
  if (Error error = folder.open(path)) return error;
  auto linker = Linker::find();
  if (!linker) return linker.takeError();
  std::string manifest = manifestText(model), prefix = prefixOf(model);
  auto whole = linkWhole(model, objects, manifest, *linker, folder);
  if (!whole) return whole.takeError();
  if (Error error = stageShared(model, *whole, *linker, folder)) return error;
  if (Error error = archiveObject(*whole, folder.stage("lib" + prefix + ".a"))) return ours("archive", std::move(error));
  if (Error error = stageTexts(model, manifest, folder)) return error;
  if (Error error = folder.commit()) return error;
  return LibraryFiles{inFolder(path, soname(model)), inFolder(path, "lib" + prefix + ".a"), inFolder(path, prefix + ".h"),
                      inFolder(path, prefix + ".json")};
}

Expected<std::string> nacre::writeSharedLibrary(const ModelDescription &model, ArrayRef<StringRef> objects, StringRef path) {
  StagedFolder folder;
  if (Error error = folder.open(path)) return error;
  auto linker = Linker::find();
  if (!linker) return linker.takeError();
  auto whole = linkWhole(model, objects, manifestText(model), *linker, folder);
  if (!whole) return whole.takeError();
  if (Error error = stageShared(model, *whole, *linker, folder)) return error;
  if (Error error = folder.commit()) return error;
  return inFolder(path, soname(model));
}
