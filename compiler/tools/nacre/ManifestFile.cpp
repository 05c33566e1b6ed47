// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/ManifestFile.h"

#include "compiler/Artifact/Manifest.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/LoadedModel.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace nacre::tool;

std::optional<llvm::json::Value> tool::readManifest(llvm::StringRef path, const Arguments &arguments, Console &console, int &status) {
  std::string text;
  llvm::StringRef ending = llvm::sys::path::extension(path);
  if (ending == ".so") {
    auto model = LoadedModel::open(path, arguments, console, status);
    if (!model) return std::nullopt;
    text = model->table().manifest;
  } else if (ending == ".json") {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer) {
      status = console.fail("'" + path + "': " + buffer.getError().message());
      return std::nullopt;
    }
    text = (*buffer)->getBuffer().str();
  } else {
    auto result = compileModel(path, arguments.get("model", ""), {{"v3", "v4"}, Stage::Plan}, console, status);
    if (!result) return std::nullopt;
    text = manifestText(result->model);
  }
  auto parsed = llvm::json::parse(text);
  if (parsed && parsed->getAsObject() && parsed->getAsObject()->getArray("functions")) return std::move(*parsed);
  llvm::consumeError(parsed.takeError());
  status = console.fail("expected a manifest that `nacre compile` wrote, but '" + path + "' is none");
  return std::nullopt;
}
