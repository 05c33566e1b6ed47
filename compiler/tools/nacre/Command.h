// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The commands of the tool; each is one file that defines its table entry.
#pragma once

#include "compiler/tools/nacre/Console.h"
#include "compiler/tools/nacre/Options.h"

namespace nacre::tool {

struct Command {
  llvm::StringRef name;
  llvm::StringRef summary;   ///< one line, lower case
  llvm::StringRef arguments; ///< of the usage line: "MODEL.nacre -o FOLDER"
  llvm::StringRef text;      ///< what it does and examples, for --help
  size_t least, most;        ///< how many arguments that are no options
  std::vector<Option> options;
  int (*run)(const Arguments &arguments, Console &console);
};

const Command &compileCommand();
const Command &trainCommand();
const Command &evalCommand();
const Command &runCommand();
const Command &checkCommand();
const Command &fmtCommand();
const Command &showCommand();
const Command &sliceCommand();
const Command &profileCommand();
const Command &explainCommand();
const Command &exportKernelCommand();
const Command &tuneCommand();

} // namespace nacre::tool
