// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/StageTimes.h"

using namespace nacre::tool;

const Option nacre::tool::timingOption = {"timing", "", "", "say where the time of the compilation went, by stage and pass"};

StageTimes::StageTimes(const Arguments &arguments, Console &console) : console(console), isWanted(arguments.has("timing")) {
  using Format = mlir::DefaultTimingManager::OutputFormat;
  manager.setEnabled(isWanted);
  manager.setOutput(mlir::createOutputStrategy(console.json() ? Format::Json : Format::Text, stream));
  root = manager.getRootScope();
}

StageTimes::~StageTimes() {
  root.stop();
  if (!isWanted) return;
  manager.print();
  stream.flush();
  manager.setEnabled(false); // or it would print again
  if (!console.json()) {
    llvm::errs() << text;
    return;
  }
  auto times = llvm::json::parse(text);
  if (times) console.print({{"timing", std::move(*times)}});
  llvm::consumeError(times.takeError());
}
