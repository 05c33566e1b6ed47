// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre-random-test [--seeds A..B | --reference A..B] [--print SEED] [--out FOLDER] [GoogleTest's options]; see README.md.
#include "test/random/Generator.h"
#include "test/random/RandomRun.h"
#include "test/random/Shrink.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

namespace {
struct Options {
  SeedRange seeds;
  bool referenceOnly = false;
  std::string out; ///< where shrunk programs go; empty: a temporary folder
};
Options options;
} // namespace

static constexpr size_t kLeastOperators = 30;
static constexpr double kMostUndecided = 0.02; // of all programs; more would say that the judge looks away
static constexpr int kShrunk = 5;              // of the failing programs, as each takes a while

/// The shrunk program of a failing seed, written to a file.
static std::string shrunkFile(uint64_t seed) {
  std::string level = options.referenceOnly ? "" : levelOf(seed);
  RandomProgram program = shrink(generateProgram(seed), level);
  std::string text = program.file("seed " + std::to_string(seed) + ": " + failureOf(program, level));
  llvm::SmallString<128> path(options.out);
  if (path.empty())
    llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, path);
  llvm::sys::fs::create_directories(path);
  llvm::sys::path::append(path, program.calls.function + ".nacre");
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << text;
  return (path + ":\n" + text).str();
}

TEST(Random, CompiledProgramsAgreeWithTheReference) {
  RunReport report = runSeeds(options.seeds, options.referenceOnly);
  uint64_t wanted = options.seeds.last - options.seeds.first + 1;
  llvm::outs() << report.programs << " programs, seeds " << options.seeds.first << ".." << options.seeds.last << ", "
               << report.operators.size() << " kinds of operator, " << report.failed.size() << " failed, " << report.undecided
               << " undecided\n";
  for (auto &[name, count] : report.operators)
    llvm::outs() << name << " " << count << "  ";
  llvm::outs() << "\n";
  for (auto &[seed, why] : report.open)
    llvm::outs() << "undecided " << seed << ": " << why << "\n";
  llvm::outs().flush();
  int shrunk = 0;
  for (auto &[seed, why] : report.failed)
    ADD_FAILURE() << "seed " << seed << ": " << why << "\n" << (shrunk++ < kShrunk ? shrunkFile(seed) : "");
  EXPECT_TRUE(report.programs == wanted || !report.failed.empty()) << "only " << report.programs << " of " << wanted << " were run";
  EXPECT_LE(double(report.undecided), std::max(1.0, kMostUndecided * double(wanted)));
  if (wanted >= 2000) {
    EXPECT_GE(report.operators.size(), kLeastOperators);
  }
}

/// A kept file's program without the dims, which all files declare alike.
static std::string withoutDims(llvm::StringRef text) {
  std::string rest;
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n');
  for (llvm::StringRef line : lines)
    if (!line.starts_with("dim "))
      rest += (line + "\n").str();
  return rest;
}

TEST(Random, ShrunkProgramsOfOldFailuresAgree) {
  std::string text = dimDeclarations();
  std::vector<Calls> all;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator file(NACRE_KEPT_PROGRAMS, error), end; file != end && !error; file.increment(error)) {
    if (!llvm::StringRef(file->path()).ends_with(".nacre"))
      continue;
    auto buffer = llvm::MemoryBuffer::getFile(file->path());
    ASSERT_TRUE(bool(buffer)) << file->path();
    Calls &calls = all.emplace_back();
    calls.function = llvm::sys::path::stem(file->path()).str();
    ASSERT_TRUE(readCalls((*buffer)->getBuffer(), calls)) << file->path();
    text += withoutDims((*buffer)->getBuffer());
  }
  ASSERT_FALSE(error) << error.message();
  ASSERT_FALSE(all.empty());
  for (const std::string &level : {levelOf(0), levelOf(kSeedsPerBatch)}) {
    std::string problem;
    auto verdicts = checkPrograms(text, all, level, problem);
    ASSERT_TRUE(bool(verdicts)) << problem;
    for (size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ((*verdicts)[i].outcome, Outcome::Clean) << all[i].function << " on " << level << ": " << (*verdicts)[i].why;
  }
}

/// False when the words are not understood.
static bool readOptions(int count, char **words, std::optional<uint64_t> &printed) {
  if (const char *seeds = std::getenv("NACRE_RANDOM_SEEDS"))
    if (std::optional<SeedRange> range = parseSeeds(seeds))
      options.seeds = *range;
  for (int i = 1; i + 1 < count; i += 2) {
    llvm::StringRef word = words[i], value = words[i + 1];
    uint64_t seed = 0;
    bool isReference = word == "--reference";
    if ((word == "--seeds" || isReference) && parseSeeds(value)) {
      options.seeds = *parseSeeds(value);
      options.referenceOnly = isReference;
    } else if (word == "--out") {
      options.out = value.str();
    } else if (word == "--print" && !value.getAsInteger(10, seed)) {
      printed = seed;
    } else {
      return false;
    }
  }
  return count % 2 == 1;
}

int main(int count, char **words) {
  ::testing::InitGoogleTest(&count, words);
  std::optional<uint64_t> printed;
  if (!readOptions(count, words, printed)) {
    llvm::errs() << "usage: nacre-random-test [--seeds A..B | --reference A..B] [--print SEED] [--out FOLDER]\n";
    return 2;
  }
  if (!printed)
    return RUN_ALL_TESTS();
  RandomProgram program = generateProgram(*printed);
  llvm::outs() << program.file("seed " + std::to_string(*printed) + ", level " + levelOf(*printed));
  return 0;
}
