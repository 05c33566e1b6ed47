// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Source.h"

#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace nacre;
using llvm::StringRef;

static bool isUtf8(StringRef text) {
  const auto *begin = reinterpret_cast<const llvm::UTF8 *>(text.data());
  return llvm::isLegalUTF8String(&begin, begin + text.size());
}

static std::string sizeProblem(uint64_t bytes) {
  return "expected at most " + std::to_string(kMaxFileBytes) + " bytes, but got " + std::to_string(bytes);
}

std::optional<unsigned> Source::load(StringRef path, std::string &error) {
  auto known = buffers.find(path);
  if (known != buffers.end()) return known->second;
  llvm::sys::fs::file_status status;
  if (std::error_code code = llvm::sys::fs::status(path, status)) {
    error = ("cannot read '" + path + "': " + StringRef(code.message()).lower()).str();
    return std::nullopt;
  }
  if (llvm::sys::fs::is_directory(status)) {
    error = ("cannot read '" + path + "': it is a folder").str();
    return std::nullopt;
  }
  if (status.getSize() > kMaxFileBytes) {
    error = ("cannot read '" + path + "': " + sizeProblem(status.getSize())).str();
    return std::nullopt;
  }
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer) {
    error = ("cannot read '" + path + "': " + StringRef(buffer.getError().message()).lower()).str();
    return std::nullopt;
  }
  return add(path, (*buffer)->getBuffer(), error);
}

std::optional<unsigned> Source::add(StringRef name, StringRef text, std::string &error) {
  if (text.size() > kMaxFileBytes) {
    error = ("cannot read '" + name + "': " + sizeProblem(text.size())).str();
    return std::nullopt;
  }
  if (!isUtf8(text)) {
    error = ("cannot read '" + name + "': it is not UTF-8 text").str();
    return std::nullopt;
  }
  unsigned buffer = sourceManager.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name), llvm::SMLoc());
  buffers[name] = buffer;
  return buffer;
}

StringRef Source::text(unsigned buffer) const { return sourceManager.getMemoryBuffer(buffer)->getBuffer(); }

StringRef Source::path(unsigned buffer) const { return sourceManager.getMemoryBuffer(buffer)->getBufferIdentifier(); }

Place Source::place(llvm::SMLoc position) const {
  unsigned buffer = sourceManager.FindBufferContainingLoc(position);
  auto [line, column] = sourceManager.getLineAndColumn(position, buffer);
  return {path(buffer).str(), line, column};
}

llvm::SMLoc Source::position(StringRef path, unsigned line, unsigned column) {
  auto known = buffers.find(path);
  if (known == buffers.end()) return llvm::SMLoc();
  return sourceManager.FindLocForLineAndColumn(known->second, line, column);
}
