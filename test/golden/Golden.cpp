// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre-golden [--device] [FOLDER]: runs every golden case of a folder, by the forms of cases.txt, and reports in TAP lines; exit status 1
// when one fails. With --device compiled code is that for NVIDIA devices too, run by the executor of test/simt in the order of threads
// that NACRE_SIMT_ORDER names, or by the driver that NACRE_LIBCUDA names (`./x gpu`).
#include "test/golden/GoldenRun.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace nacre;
using namespace nacre::test;

static llvm::Expected<std::vector<std::string>> caseFiles(llvm::StringRef folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error))
    if (llvm::sys::path::extension(entry->path()) == ".safetensors")
      files.push_back(entry->path());
  if (!error && files.empty())
    error = std::make_error_code(std::errc::no_such_file_or_directory);
  if (error)
    return llvm::createStringError(error, "no cases in '" + folder + "': " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

/// A case and the program that stands for it; what is wrong with either is its failure.
static GoldenRun readRun(const std::string &file, const CaseTable &table) {
  GoldenRun run;
  llvm::Expected<GoldenCase> golden = readGoldenCase(file);
  if (!golden) {
    run.golden.name = llvm::sys::path::stem(file).str();
    run.fail("the file", llvm::toString(golden.takeError()));
    return run;
  }
  run.golden = std::move(*golden);
  run.form = table.find(run.golden);
  if (!run.form)
    run.fail("cases.txt", "no form for the op '" + run.golden.op + "' with these attributes");
  else if (auto text = programText(*run.form, run.golden))
    run.text = *text;
  else
    run.fail("cases.txt", llvm::toString(text.takeError()));
  return run;
}

/// Reads all cases; those that cannot run yet are only counted.
static std::vector<GoldenRun> readRuns(llvm::ArrayRef<std::string> files, const CaseTable &table, unsigned &pending) {
  std::vector<GoldenRun> runs;
  for (const std::string &file : files) {
    runs.push_back(readRun(file, table));
    if (!runs.back().form || runs.back().form->pending.empty())
      continue;
    ++pending;
    runs.pop_back();
  }
  return runs;
}

static std::string oneLine(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> lines;
  text.trim().split(lines, '\n');
  return llvm::join(lines, " | ");
}

static int refuse(llvm::Error error) {
  llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
  return 1;
}

int main(int argc, char **argv) {
  bool isForDevice = argc > 1 && llvm::StringRef(argv[1]) == "--device";
  if (isForDevice)
    runOnDevice();
  std::string folder = argc > 1 + isForDevice ? argv[1 + isForDevice] : NACRE_GOLDEN_FOLDER;
  llvm::Expected<CaseTable> table = CaseTable::read(NACRE_GOLDEN_FOLDER "/cases.txt");
  if (!table)
    return refuse(table.takeError());
  llvm::Expected<std::vector<std::string>> files = caseFiles(folder);
  if (!files)
    return refuse(files.takeError());
  unsigned pending = 0, failed = 0;
  std::vector<GoldenRun> runs = readRuns(*files, *table, pending);
  std::vector<GoldenRun *> functions;
  for (GoldenRun &run : runs) {
    if (run.failures.empty() && run.form->isTraining)
      runTraining(run);
    else if (run.failures.empty() && run.form->hasStates)
      runStates(run);
    else if (run.failures.empty())
      functions.push_back(&run);
  }
  runFunctions(functions);
  for (const GoldenRun &run : runs) {
    for (const std::string &failure : run.failures)
      llvm::outs() << "# " << oneLine(failure) << "\n";
    failed += !run.failures.empty();
    llvm::outs() << (run.failures.empty() ? "ok " : "not ok ") << run.golden.name
                 << (run.failures.empty() ? "" : " # " + oneLine(run.failures.front())) << "\n";
  }
  llvm::outs() << "# " << pending << " cases wait for operators that do not exist yet\n";
  llvm::outs() << runs.size() - failed << " passed, " << failed << " failed\n";
  return failed || runs.empty() ? 1 : 0;
}
