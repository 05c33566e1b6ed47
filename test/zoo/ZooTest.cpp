// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre-zoo-test [--table]: a test for each check of each program in this folder, or the table of README.md.
#include "test/zoo/ZooSystem.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace nacre;
using namespace nacre::test;

/// The compiled system of the file in question; tests of one file follow each other.
static ZooSystem *systemOf(const ZooFile &file, std::string &messages) {
  static std::unique_ptr<ZooSystem> system;
  static const ZooFile *current = nullptr;
  static std::string problem;
  if (current != &file) {
    problem.clear();
    system = ZooSystem::make(file, problem);
    current = &file;
  }
  messages += system ? "" : problem;
  return system.get();
}

static std::string numberText(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3g", value);
  return text;
}

namespace {
class Check : public ::testing::Test {
public:
  Check(const ZooFile &file, const ZooCheck &check) : file(file), check(check) {}
  void TestBody() override {
    std::string messages;
    ZooSystem *system = systemOf(file, messages);
    std::optional<ZooMeasure> measure = system ? system->measure(check, messages) : std::nullopt;
    ASSERT_TRUE(measure) << messages;
    std::string text = numberText(measure->compiled);
    if (measure->reference)
      text += ", reference " + numberText(*measure->reference);
    llvm::outs() << file.name << ": " << check.text << ": " << text << "\n";
    llvm::outs().flush();
    EXPECT_TRUE(check.holds(measure->compiled)) << check.text << ": compiled " << measure->compiled;
    EXPECT_TRUE(!measure->reference || check.holds(*measure->reference)) << check.text << ": reference " << *measure->reference;
  }

private:
  const ZooFile &file;
  const ZooCheck &check;
};

class BadFile : public ::testing::Test {
public:
  explicit BadFile(const std::string &problem) : problem(problem) {}
  void TestBody() override { FAIL() << problem; }

private:
  const std::string &problem;
};
} // namespace

struct Zoo {
  std::vector<ZooFile> files;
  std::vector<std::string> problems;
};

static Zoo readZoo() {
  Zoo zoo;
  for (const std::string &path : zooFiles(NACRE_ZOO_FOLDER)) {
    llvm::Expected<ZooFile> file = readZooFile(path);
    if (file)
      zoo.files.push_back(std::move(*file));
    else
      zoo.problems.push_back(llvm::toString(file.takeError()));
  }
  return zoo;
}

/// A name of GoogleTest: words joined by underscores.
static std::string testName(const ZooCheck &check) {
  return check.function + (check.steps > 0 ? "_after_" + std::to_string(check.steps) + "_steps" : "") + (check.isUpper ? "" : "_at_least");
}

static void registerTests(const Zoo &zoo) {
  for (const std::string &problem : zoo.problems)
    ::testing::RegisterTest("Zoo", "bad_file", nullptr, problem.c_str(), __FILE__, __LINE__,
                            [&problem]() -> ::testing::Test * { return new BadFile(problem); });
  for (const ZooFile &file : zoo.files)
    for (const ZooCheck &check : file.checks)
      ::testing::RegisterTest(("zoo_" + file.name).c_str(), testName(check).c_str(), nullptr, check.text.c_str(), __FILE__, __LINE__,
                              [&]() -> ::testing::Test * { return new Check(file, check); });
}

/// What a check measured, e.g. "accuracy 0.97 (>= 0.9, 200 steps)".
static std::string measuredText(const ZooFile &file, const ZooCheck &check) {
  std::string messages;
  ZooSystem *system = systemOf(file, messages);
  std::optional<ZooMeasure> measure = system ? system->measure(check, messages) : std::nullopt;
  if (!measure)
    return "fails: " + messages;
  std::string steps = check.steps > 0 ? ", " + std::to_string(check.steps) + " steps" : "";
  return llvm::formatv("{0} {1} ({2} {3}{4})", check.function, numberText(measure->compiled), check.isUpper ? "≤" : "≥",
                       numberText(check.bound), steps);
}

/// A cell of a table: a bar would end it.
static std::string cell(llvm::StringRef text) {
  std::string escaped;
  for (char letter : text)
    escaped += letter == '|' ? std::string("\\|") : std::string(1, letter);
  return escaped;
}

static void printTable(const Zoo &zoo) {
  llvm::outs() << "| system | paper | what is checked | measured |\n|---|---|---|---|\n";
  for (const ZooFile &file : zoo.files) {
    std::string measured;
    for (const ZooCheck &check : file.checks)
      measured += (measured.empty() ? "" : "<br>") + measuredText(file, check);
    llvm::outs() << llvm::formatv("| [{0}]({1}.nacre) | {2} | {3} | {4} |\n", file.title, file.name, cell(file.paper), cell(file.checked), measured);
    llvm::outs().flush();
  }
}

int main(int argc, char **argv) {
  ::testing::InitGoogleTest(&argc, argv);
  Zoo zoo = readZoo();
  if (argc > 1 && llvm::StringRef(argv[1]) == "--table") {
    printTable(zoo);
    return zoo.problems.empty() ? 0 : 1;
  }
  registerTests(zoo);
  return RUN_ALL_TESTS();
}
