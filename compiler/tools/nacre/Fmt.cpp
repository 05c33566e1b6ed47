// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre fmt: model files in the one layout of the language.
#include "compiler/Artifact/StagedFolder.h"
#include "compiler/tools/nacre/Command.h"

#include "frontend/Format.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace nacre::tool;

static llvm::Error replaceFile(llvm::StringRef path, llvm::StringRef text) {
  StagedFolder folder;
  if (llvm::Error error = folder.open(llvm::sys::path::parent_path(path))) return error;
  if (llvm::Error error = folder.write(llvm::sys::path::filename(path), text)) return error;
  return folder.commit();
}

static std::optional<unsigned> loadText(Source &source, llvm::StringRef path, std::string &problem) {
  if (path != "-") return source.load(path, problem);
  auto input = llvm::MemoryBuffer::getSTDIN();
  if (!input) {
    problem = input.getError().message();
    return std::nullopt;
  }
  return source.add("<stdin>", (*input)->getBuffer(), problem);
}

static int formatFile(llvm::StringRef path, const Arguments &arguments, Console &console) {
  Source source;
  Diagnostics diagnostics(source);
  std::string problem;
  auto buffer = loadText(source, path, problem);
  if (!buffer) return console.fail("'" + path + "': " + problem);
  auto text = format(source.text(*buffer), diagnostics);
  if (!text) return console.fail(diagnostics);
  bool isSame = *text == source.text(*buffer);
  console.print({{"file", path},
                 {"changed", !isSame},
                 {"text", arguments.has("check") || arguments.has("write") ? llvm::json::Value(nullptr) : llvm::json::Value(*text)}});
  if (arguments.has("check")) {
    if (!isSame && !console.json()) llvm::outs() << path << "\n";
    return isSame ? Success : UserError;
  }
  if (!arguments.has("write")) {
    if (!console.json()) llvm::outs() << *text;
    return Success;
  }
  if (isSame) return Success;
  if (llvm::Error error = replaceFile(path, *text)) return console.fail(std::move(error));
  return Success;
}

static int runFmt(const Arguments &arguments, Console &console) {
  console.enterStage("format");
  if (arguments.has("write") && arguments.has("check")) return console.usage("expected --write or --check, but got both");
  if (arguments.has("write") && llvm::is_contained(arguments.positional(), "-"))
    return console.usage("expected files to --write, but got standard input");
  int worst = Success;
  for (llvm::StringRef path : arguments.positional())
    worst = std::max(worst, formatFile(path, arguments, console));
  return worst;
}

const Command &tool::fmtCommand() {
  static const Command command = {
      "fmt",
      "model files in the one layout of the language",
      "MODEL.nacre...",
      R"(Prints each file in canonical layout; "-" is standard input. Comments, line breaks and single blank lines stay.

  nacre fmt digits.nacre              print
  nacre fmt --write *.nacre           rewrite the files that differ
  nacre fmt --check *.nacre           list the files that differ; exit status 1 when there are any
)",
      1,
      10000,
      {{"write", "w", "", "rewrite the files in place"}, {"check", "", "", "write nothing; exit status 1 when a file differs"}},
      runFmt};
  return command;
}
