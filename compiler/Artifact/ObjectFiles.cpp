// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/ObjectFiles.h"
#include "compiler/Artifact/Failure.h"

#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace llvm;

Error nacre::writeFile(const std::string &path, StringRef content, StringRef shown) {
  std::error_code code;
  raw_fd_ostream out(path, code);
  if (!code) {
    out << content;
    out.close();
    code = out.error();
    out.clear_error();
  }
  return code ? userFailure("cannot write '" + (shown.empty() ? StringRef(path) : shown) + "': " + code.message()) : Error::success();
}

Error nacre::localizeHidden(const std::string &input, const std::string &output) {
  auto binary = object::createBinary(input);
  if (!binary) return binary.takeError();
  objcopy::ConfigManager config;
  config.Common.InputFilename = input;
  config.Common.OutputFilename = output;
  config.ELF.LocalizeHidden = true;
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  if (Error error = objcopy::executeObjcopyOnBinary(config, *binary->getBinary(), stream)) return error;
  return writeFile(output, StringRef(bytes.data(), bytes.size()));
}

Error nacre::archiveObject(const std::string &object, const std::string &output) {
  auto member = NewArchiveMember::getFile(object, /*Deterministic=*/true);
  if (!member) return member.takeError();
  member->MemberName = sys::path::filename(member->MemberName);
  std::vector<NewArchiveMember> members;
  members.push_back(std::move(*member));
  return writeArchive(output, members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
}
