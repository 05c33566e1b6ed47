// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre check: the frontend alone, for editors and for a quick look.
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"

using namespace nacre;
using namespace nacre::tool;

static int checkFile(llvm::StringRef path, Console &console) {
  ModelFile file;
  int status = Success;
  if (!parseModel(path, file, console, status)) return status;
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry);
  console.enterStage("check");
  if (!check(context, file.source, file.program, file.diagnostics)) return console.fail(file.diagnostics);
  if (!console.json()) llvm::outs() << path << ": no errors\n";
  console.print({{"file", path}, {"errors", llvm::json::Array()}});
  return Success;
}

static int runCheck(const Arguments &arguments, Console &console) {
  int worst = Success;
  for (llvm::StringRef path : arguments.positional())
    worst = std::max(worst, checkFile(path, console));
  return worst;
}

const Command &tool::checkCommand() {
  static const Command command = {
      "check",
      "report the errors of model files and write nothing",
      "MODEL.nacre...",
      R"(Reads each file and the files it imports, infers and checks every shape, and says what is wrong and where.

  nacre check digits.nacre
  nacre check --json *.nacre     one line a file: {"errors": [{"file", "line", "column", "message", "notes"}]}
)",
      1,
      10000,
      {},
      runCheck};
  return command;
}
