// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre: chooses the command, prints help, and turns a crash into a report with a reproducer.
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/Version.h"

#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Signals.h"

#include <csignal>

using namespace nacre::tool;
using namespace llvm;

static ArrayRef<const Command *> commands() {
  static const Command *const table[] = {&compileCommand(), &trainCommand(), &evalCommand(), &runCommand(),
                                         &checkCommand(),   &fmtCommand(),   &showCommand(), &sliceCommand(),
                                         &profileCommand(), &explainCommand(), &exportKernelCommand(), &tuneCommand()};
  return table;
}

static const Option commonOptions[] = {{"json", "", "", "for machines: one JSON object a line on standard output"},
                                       {"help", "h", "", "this text"}};

static void printTopHelp(raw_ostream &out) {
  out << "nacre " << version()
      << ": compiles representation models to native libraries, trains and runs them\n\nusage: nacre COMMAND [ARGUMENTS]\n\n";
  for (const Command *command : commands())
    out << "  " << left_justify(command->name, 15) << command->summary << "\n";
  out << R"(
A model is one text file. The way from it to a trained library:

  nacre check digits.nacre                                           is it right?
  nacre train digits.nacre --data digits.npz --out w.safetensors     learn its parameters
  nacre eval digits.nacre --weights w.safetensors --data digits.npz  how good are they?
  nacre run digits.nacre --fn encode --weights w.safetensors --in x.npy --out z.npy
  nacre compile digits.nacre -o out/                                 libdigits.so, libdigits.a, digits.h, digits.json

`nacre COMMAND --help` explains a command with examples. `nacre --version` prints the version.
Exit status: 0 done, 1 the input is wrong, 2 the command line is wrong, 70 a defect of nacre.
)";
}

static void printHelp(raw_ostream &out, const Command &command) {
  out << "nacre " << command.name << ": " << command.summary << "\n\nusage: nacre " << command.name << " " << command.arguments << "\n\n"
      << command.text << "\nOptions:\n";
  std::vector<Option> options = command.options;
  options.insert(options.end(), std::begin(commonOptions), std::end(commonOptions));
  printOptions(out, options);
}

static std::string spell(ArrayRef<StringRef> words) {
  std::string line = "nacre";
  for (StringRef word : words)
    line += " " + (word.contains(' ') ? "'" + word.str() + "'" : word.str());
  return line;
}

static int refuse(Console &console, const Command &command, const Twine &message) {
  console.usage(message);
  if (!console.json())
    errs() << "usage: nacre " << command.name << " " << command.arguments << "\nnote: 'nacre " << command.name << " --help' explains\n";
  return UsageError;
}

/// Runs a command; a crash inside it is our fault, whatever the input was.
static int runGuarded(const Command &command, const Arguments &arguments, Console &console) {
  install_fatal_error_handler(
      [](void *console, const char *reason, bool) {
        exit(static_cast<Console *>(console)->internal(static_cast<Console *>(console)->currentStage(), reason));
      },
      &console);
  CrashRecoveryContext::Enable();
  CrashRecoveryContext guard;
  int status = OurFault;
  if (!guard.RunSafely([&] { status = command.run(arguments, console); }))
    status = console.internal(console.currentStage(), "the program crashed");
  outs().flush();
  return status;
}

static int dispatch(const Command &command, ArrayRef<StringRef> words) {
  bool isJson = is_contained(words, "--json");
  Console console(spell(words), isJson);
  std::vector<Option> options = command.options;
  options.insert(options.end(), std::begin(commonOptions), std::end(commonOptions));
  if (is_contained(words, "--help") || is_contained(words, "-h")) {
    printHelp(outs(), command);
    return Success;
  }
  auto arguments = parseArguments(options, words.drop_front());
  if (!arguments) return refuse(console, command, toString(arguments.takeError()));
  size_t count = arguments->positional().size();
  if (count < command.least) return refuse(console, command, "expected " + command.arguments.split(' ').first + ", but got nothing");
  if (count > command.most) return refuse(console, command, "unexpected argument '" + arguments->positional().back() + "'");
  return runGuarded(command, *arguments, console);
}

static int unknownCommand(StringRef word) {
  SmallVector<StringRef> names;
  for (const Command *command : commands())
    names.push_back(command->name);
  StringRef near = nearest(word, names);
  errs() << "nacre: error: unknown command '" << word << "'";
  if (!near.empty()) errs() << "; did you mean '" << near << "'";
  errs() << "\nnote: 'nacre --help' lists the commands\n";
  return UsageError;
}

int main(int count, char **given) {
  std::signal(SIGPIPE, SIG_DFL); // a reader that went away ends the tool quietly
  SmallVector<StringRef> words(given + 1, given + count);
  if (words.empty()) {
    printTopHelp(errs());
    return UsageError;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    printTopHelp(outs());
    return Success;
  }
  if (words[0] == "--version") {
    outs() << "nacre " << version() << "\n";
    return Success;
  }
  for (const Command *command : commands())
    if (command->name == words[0]) return dispatch(*command, words);
  return unknownCommand(words[0]);
}
