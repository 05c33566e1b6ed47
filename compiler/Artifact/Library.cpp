// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/Library.h"
#include "compiler/Artifact/Embedded.h"
#include "compiler/Artifact/Failure.h"
#include "compiler/Artifact/Header.h"
#include "compiler/Artifact/Interface.h"
#include "compiler/Artifact/Linker.h"
#include "compiler/Artifact/Manifest.h"
#include "compiler/Artifact/ModelTable.h"
#include "compiler/Artifact/StagedFolder.h"

#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace llvm;

/// An error of a step that no input should make fail.
static Error ours(StringRef stage, Error error) { return internalFailure(stage, toString(std::move(error))); }

static Error writeScratch(const std::string &path, StringRef content) {
  std::error_code code;
  raw_fd_ostream out(path, code);
  if (!code) {
    out << content;
    out.close();
    code = out.error();
    out.clear_error();
  }
  return code ? userFailure("cannot write '" + path + "': " + code.message()) : Error::success();
}

/// Turns every hidden symbol of an object into a local one, so that two archives never clash.
static Error localizeHidden(const std::string &input, const std::string &output) {
  auto binary = object::createBinary(input);
  if (!binary) return binary.takeError();
  objcopy::ConfigManager config;
  config.Common.InputFilename = input;
  config.Common.OutputFilename = output;
  config.ELF.LocalizeHidden = true;
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  if (Error error = objcopy::executeObjcopyOnBinary(config, *binary->getBinary(), stream)) return error;
  return writeScratch(output, StringRef(bytes.data(), bytes.size()));
}

/// Links everything into one object and returns its path, a scratch file of `folder`.
static Expected<std::string> linkWhole(const ModelDescription &model, ArrayRef<StringRef> objects, StringRef manifest, const Linker &linker,
                                       const StagedFolder &folder) {
  auto table = emitModelTable(model, manifest);
  if (!table) return ours("model table", table.takeError());
  std::string tablePath = folder.scratch("table.o"), runtimePath = folder.scratch("runtime.a");
  std::string merged = folder.scratch("merged.o"), whole = folder.scratch(prefixOf(model) + ".o");
  if (Error error = writeScratch(tablePath, StringRef(table->data(), table->size()))) return error;
  std::vector<std::string> parts = {tablePath};
  for (size_t i = 0; i < objects.size(); ++i) {
    parts.push_back(folder.scratch("model" + std::to_string(i) + ".o"));
    if (Error error = writeScratch(parts.back(), objects[i])) return error;
  }
  parts.push_back(runtimePath);
  if (Error error = writeScratch(runtimePath, runtimeArchive())) return error;
  if (Error error = linker.linkRelocatable(parts, merged)) return error;
  if (Error error = localizeHidden(merged, whole)) return ours("hide symbols", std::move(error));
  return whole;
}

static std::string soname(const ModelDescription &model) { return "lib" + prefixOf(model) + ".so"; }

static Error stageShared(const ModelDescription &model, const std::string &whole, const Linker &linker, StagedFolder &folder) {
  std::string script = folder.scratch("exports.map");
  if (Error error = writeScratch(script, "{ global: " + prefixOf(model) + "_*; local: *; };\n")) return error;
  return linker.linkShared(whole, script, soname(model), folder.stage(soname(model)));
}

static Error stageArchive(const ModelDescription &model, const std::string &whole, StagedFolder &folder) {
  auto member = NewArchiveMember::getFile(whole, /*Deterministic=*/true);
  if (!member) return member.takeError();
  member->MemberName = sys::path::filename(member->MemberName);
  std::vector<NewArchiveMember> members;
  members.push_back(std::move(*member));
  return writeArchive(folder.stage("lib" + prefixOf(model) + ".a"), members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
                      /*Deterministic=*/true, /*Thin=*/false);
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
  if (Error error = stageArchive(model, *whole, folder)) return ours("archive", std::move(error));
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
