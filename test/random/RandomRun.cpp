// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/random/RandomRun.h"

#include "test/random/Generator.h"
#include "test/random/Isolated.h"
#include "test/random/Shrink.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <functional>
#include <thread>

using namespace nacre;
using namespace nacre::test;

static constexpr unsigned kBatchSeconds = 900; // far above what any needs, also on a busy machine

std::optional<SeedRange> test::parseSeeds(llvm::StringRef text) {
  SeedRange range;
  auto [first, last] = text.split("..");
  if (first.getAsInteger(10, range.first) || last.getAsInteger(10, range.last) || range.last < range.first)
    return std::nullopt;
  return range;
}

std::string test::levelOf(uint64_t seed) {
  bool hasV4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
  return hasV4 && seed / kSeedsPerBatch % 2 ? "v4" : "v3";
}

/// Lines of a child's report: `op NAME`, `clean SEED`, `open SEED WHY`, `failed SEED WHY`.
static std::string line(llvm::StringRef word, uint64_t seed, llvm::StringRef why) {
  std::string flat = why.str();
  std::replace(flat.begin(), flat.end(), '\n', ' ');
  return (word + " " + std::to_string(seed) + " " + flat + "\n").str();
}

static std::string reportOf(llvm::ArrayRef<RandomProgram> programs, llvm::ArrayRef<Verdict> verdicts) {
  static const char *const words[] = {"clean", "open", "failed"};
  std::string report;
  for (size_t i = 0; i < programs.size(); ++i) {
    report += line(words[int(verdicts[i].outcome)], programs[i].calls.key, verdicts[i].why);
    for (const ProgramStep &step : programs[i].steps)
      report += "op " + step.op + "\n";
  }
  return report;
}

/// Checks programs together; when they do not get as far as a library, each alone, to find the one that is to blame.
static std::string checkTogether(llvm::ArrayRef<RandomProgram> programs, const std::string &level) {
  std::string text = dimDeclarations(), problem;
  std::vector<Calls> calls;
  for (const RandomProgram &program : programs) {
    text += program.text();
    calls.push_back(program.calls);
  }
  auto together = [&]() -> std::string {
    auto verdicts = checkPrograms(text, calls, level, problem);
    return verdicts ? reportOf(programs, *verdicts) : "";
  };
  std::optional<std::string> report = runIsolated({together}, 1, kBatchSeconds)[0];
  if (report && !report->empty())
    return *report;
  std::vector<Verdict> verdicts;
  if (programs.size() == 1) {
    std::string why = failureOf(programs[0], level);
    return reportOf(programs, Verdict{Outcome::Failed, why.empty() ? "it fails now and then" : why});
  }
  return checkTogether(programs.take_front(programs.size() / 2), level) + checkTogether(programs.drop_front(programs.size() / 2), level);
}

static void read(llvm::StringRef report, RunReport &result) {
  llvm::SmallVector<llvm::StringRef> lines;
  report.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef one : lines) {
    auto [word, rest] = one.split(' ');
    if (word == "op") {
      ++result.operators[rest.str()];
      continue;
    }
    uint64_t seed = 0;
    (void)rest.split(' ').first.getAsInteger(10, seed);
    ++result.programs;
    if (word == "open")
      result.open[seed] = rest.split(' ').second.str();
    if (word == "failed")
      result.failed[seed] = rest.split(' ').second.str();
  }
}

RunReport test::runSeeds(const SeedRange &range, bool referenceOnly) {
  std::vector<std::function<std::string()>> tasks;
  std::vector<uint64_t> firsts;
  for (uint64_t first = range.first; first <= range.last; first = (first / kSeedsPerBatch + 1) * kSeedsPerBatch)
    firsts.push_back(first);
  for (uint64_t first : firsts)
    tasks.push_back([first, &range, referenceOnly] {
      std::vector<uint64_t> seeds;
      for (uint64_t seed = first; seed <= range.last && seed / kSeedsPerBatch == first / kSeedsPerBatch; ++seed)
        seeds.push_back(seed);
      return checkTogether(generatePrograms(seeds), referenceOnly ? "" : levelOf(first));
    });
  RunReport result;
  auto finished = [&](size_t batch, const TaskResult &report) {
    if (report)
      read(*report, result);
    else
      result.failed[firsts[batch]] = "the generator crashes or hangs in the batch of this seed";
    llvm::errs() << "batch of seed " << firsts[batch] << " done: " << result.programs << " programs, " << result.failed.size() << " failed, "
                 << result.open.size() << " undecided so far\n";
  };
  runIsolated(tasks, int(std::max(1u, std::thread::hardware_concurrency())), 4 * kBatchSeconds, finished);
  result.undecided = result.open.size();
  return result;
}
