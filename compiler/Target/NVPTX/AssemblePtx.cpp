// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/AssemblePtx.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

namespace nacre::nvptx {
namespace {

llvm::Error failure(const llvm::Twine &message) { return llvm::createStringError(llvm::inconvertibleErrorCode(), message); }

/// A file that is removed at the end.
struct TemporaryFile {
  explicit TemporaryFile(llvm::StringRef ending) : error(llvm::sys::fs::createTemporaryFile("nacre", ending, path)), remover(path) {}
  llvm::SmallString<128> path;
  std::error_code error;
  llvm::FileRemover remover;
};

llvm::Expected<std::string> contentOf(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return failure(path + ": " + buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

} // namespace

llvm::Expected<std::string> assemblePtx(llvm::StringRef ptx, llvm::StringRef architecture) {
  llvm::ErrorOr<std::string> assembler = llvm::sys::findProgramByName("ptxas");
  if (!assembler)
    return failure("expected 'ptxas' on the path for a cubin, but there is none; it is part of the CUDA toolkit");
  TemporaryFile source("ptx"), cubin("cubin"), messages("txt");
  for (const TemporaryFile *file : {&source, &cubin, &messages})
    if (file->error)
      return failure("no temporary file: " + file->error.message());
  std::error_code code;
  llvm::raw_fd_ostream(source.path, code) << ptx;
  std::string target = ("-arch=" + architecture).str();
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), llvm::StringRef(messages.path), llvm::StringRef(messages.path)};
  int status = llvm::sys::ExecuteAndWait(*assembler, {*assembler, target, source.path, "-o", cubin.path}, std::nullopt, redirects);
  if (status == 0)
    return contentOf(cubin.path);
  llvm::Expected<std::string> words = contentOf(messages.path);
  return failure("ptxas: " + (words ? llvm::StringRef(*words).trim().str() : llvm::toString(words.takeError())));
}

} // namespace nacre::nvptx
