// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre-golden [FOLDER]: runs every golden case of a folder, by the forms of cases.txt, and reports in TAP lines; exit status 1 when one
// fails.
#include "test/golden/GoldenRun.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace nacre;
using namespace nacre::test;

static std::vector<std::string> caseFiles(llvm::StringRef folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error))
    if (llvm::sys::path::extension(entry->path()) == ".safetensors")
      files.push_back(entry->path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Reads all cases; those that cannot run yet are only counted. Ends the program when the table or a file cannot be read.
static std::vector<GoldenRun> readRuns(llvm::StringRef folder, const CaseTable &table, unsigned &pending) {
  std::vector<GoldenRun> runs;
  for (const std::string &file : caseFiles(folder)) {
    GoldenRun run;
    run.golden = llvm::cantFail(readGoldenCase(file), "a golden case cannot be read");
    run.form = table.find(run.golden);
    if (run.form && !run.form->pending.empty()) {
      ++pending;
      continue;
    }
    if (!run.form)
      run.fail("cases.txt", "no form for the op " + run.golden.op);
    else if (auto text = programText(*run.form, run.golden))
      run.text = *text;
    else
      run.fail("cases.txt", llvm::toString(text.takeError()));
    runs.push_back(std::move(run));
  }
  return runs;
}

static std::string oneLine(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> lines;
  text.trim().split(lines, '\n');
  return llvm::join(lines, " | ");
}

int main(int argc, char **argv) {
  std::string folder = argc > 1 ? argv[1] : NACRE_GOLDEN_FOLDER;
  CaseTable table = llvm::cantFail(CaseTable::read(NACRE_GOLDEN_FOLDER "/cases.txt"), "the table cannot be read");
  unsigned pending = 0, failed = 0;
  std::vector<GoldenRun> runs = readRuns(folder, table, pending);
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
