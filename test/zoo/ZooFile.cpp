// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/zoo/ZooFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <algorithm>

using namespace nacre;
using namespace nacre::test;

namespace {
using Words = llvm::SmallVector<llvm::StringRef>;

/// Reads a head line by line; `problem` is the first thing that is wrong.
struct Head {
  ZooFile &file;
  std::string *part = nullptr; ///< what a line without a word of its own goes on with
  std::string problem;

  void read(llvm::StringRef line);
  void readInput(const Words &words);
  void readSize(const Words &words);
  void readCheck(const Words &words, llvm::StringRef line);
  void startPart(llvm::StringRef line);
  void refuse(const std::string &expected, llvm::StringRef line) {
    if (problem.empty())
      problem = "expected `" + expected + "`, but got `" + line.str() + "`";
  }
};
} // namespace

static bool toNumber(llvm::StringRef text, double &value) { return !text.getAsDouble(value); }

/// `input NAME in LOW..HIGH` or `input NAME in uniform LOW HIGH`.
void Head::readInput(const Words &words) {
  ZooInput input;
  bool ok = words.size() >= 4 && words[2] == "in";
  if (ok && words[3] == "uniform") {
    ok = words.size() == 6 && toNumber(words[4], input.low) && toNumber(words[5], input.high);
  } else if (ok) {
    auto [low, high] = words[3].split("..");
    input.isInteger = true;
    ok = words.size() == 4 && toNumber(low, input.low) && toNumber(high, input.high);
  }
  if (!ok || input.low >= input.high)
    return refuse("input NAME in LOW..HIGH | uniform LOW HIGH", llvm::join(words, " "));
  file.inputs[words[1]] = input;
}

/// `size NAME = NUMBER`.
void Head::readSize(const Words &words) {
  int64_t size = 0;
  if (words.size() != 4 || words[2] != "=" || words[3].getAsInteger(10, size) || size < 1)
    return refuse("size NAME = NUMBER", llvm::join(words, " "));
  file.sizes[words[1]] = size;
}

/// `check NAME <= NUMBER [over COUNT calls]` or `learns NAME >= NUMBER in COUNT steps`.
void Head::readCheck(const Words &words, llvm::StringRef line) {
  ZooCheck check;
  bool learns = words[0] == "learns";
  bool ok = words.size() >= 4 && (words[2] == "<=" || words[2] == ">=") && toNumber(words[3], check.bound);
  if (ok && learns)
    ok = words.size() == 7 && words[4] == "in" && words[6] == "steps" && !words[5].getAsInteger(10, check.steps) && check.steps > 0;
  else if (ok && words.size() > 4)
    ok = words.size() == 7 && words[4] == "over" && words[6] == "calls" && !words[5].getAsInteger(10, check.calls) && check.calls > 0;
  if (!ok)
    return refuse(learns ? "learns NAME <= NUMBER in COUNT steps" : "check NAME <= NUMBER [over COUNT calls]", line);
  check.function = words[1].str();
  check.isUpper = words[2] == "<=";
  check.text = line.split(' ').second.str();
  file.checks.push_back(check);
}

/// A line of prose: one of the named parts, or more of the last one.
void Head::startPart(llvm::StringRef line) {
  for (auto [word, text] : {std::pair("Paper:", &file.paper), {"Formula:", &file.formula}, {"Checked:", &file.checked}})
    if (line.consume_front(word))
      part = text;
  if (!part)
    part = &file.title;
  *part += (part->empty() ? "" : " ") + line.trim().str();
}

void Head::read(llvm::StringRef line) {
  Words words;
  line.split(words, ' ', -1, /*KeepEmpty=*/false);
  llvm::StringRef first = words.empty() ? "" : words[0];
  if (first == "input")
    readInput(words);
  else if (first == "size")
    readSize(words);
  else if (first == "check" || first == "learns")
    readCheck(words, line);
  else
    startPart(line);
}

llvm::Expected<ZooFile> test::readZooFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "'%s' cannot be read", path.c_str());
  ZooFile file;
  file.name = llvm::sys::path::stem(path).str();
  file.program = (*buffer)->getBuffer().str();
  Head head{file, nullptr, ""};
  llvm::StringRef rest = file.program;
  while (rest.consume_front("//")) {
    auto [line, next] = rest.split('\n');
    head.read(line.trim());
    rest = next;
  }
  for (auto [part, name] : {std::pair(&file.title, "a title"), {&file.paper, "Paper:"}, {&file.formula, "Formula:"}, {&file.checked, "Checked:"}})
    if (part->empty() && head.problem.empty())
      head.problem = std::string("expected ") + name + " in the head";
  if (file.checks.empty() && head.problem.empty())
    head.problem = "expected a check in the head";
  if (!head.problem.empty())
    return llvm::createStringError(llvm::Twine(file.name) + ".nacre: " + head.problem);
  return file;
}

std::vector<std::string> test::zooFiles(llvm::StringRef folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error))
    if (llvm::sys::path::extension(entry->path()) == ".nacre")
      files.push_back(entry->path());
  std::sort(files.begin(), files.end());
  return files;
}
