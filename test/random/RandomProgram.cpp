// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/random/RandomProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

#include <set>

using namespace nacre;
using namespace nacre::test;

static std::string statement(const ProgramStep &step) {
  std::string text;
  for (size_t i = 0; i < step.form.size(); ++i) {
    if (step.form[i] != '$')
      text += step.form[i];
    else if (char c = step.form[++i]; c == 'r')
      text += step.name;
    else
      text += step.operands[c - '0'];
  }
  return "  " + text + "\n";
}

/// What steps [first, last] read and do not make, in the order of reading.
static std::vector<std::string> readFromOutside(llvm::ArrayRef<ProgramStep> body) {
  std::set<std::string> made;
  std::vector<std::string> read;
  for (const ProgramStep &step : body) {
    for (const std::string &operand : step.operands)
      if (!made.count(operand) && !llvm::is_contained(read, operand))
        read.push_back(operand);
    made.insert(step.name);
  }
  return read;
}

std::string RandomProgram::text() const {
  std::string helper, body;
  llvm::ArrayRef<ProgramStep> all(steps), inner;
  if (outlined.last >= outlined.first) {
    inner = all.slice(outlined.first, outlined.last - outlined.first + 1);
    std::vector<std::string> arguments = readFromOutside(inner);
    std::string name = calls.function + "_part", list = llvm::join(arguments, ", "), made = inner.back().name;
    helper = "fn " + name + "(" + list + ") {\n";
    for (const ProgramStep &step : inner)
      helper += statement(step);
    helper += "  return " + made + "\n}\n";
    for (int i = 0; i < outlined.times; ++i) {
      body += "  " + made + " = " + name + "(" + list + ")\n";
      list = made + list.substr(arguments[0].size()); // the first argument has the result's type when it is called again
    }
  }
  std::string before, after;
  for (auto [i, step] : llvm::enumerate(steps))
    if (inner.empty() || int(i) < outlined.first)
      before += statement(step);
    else if (int(i) > outlined.last)
      after += statement(step);
  std::vector<std::string> declared;
  for (const ProgramInput &input : inputs)
    declared.push_back(input.name + ": " + input.type);
  return helper + "fn " + calls.function + "(" + llvm::join(declared, ", ") + ") {\n" + before + body + after + "  return " + result + "\n}\n";
}

std::string RandomProgram::file(llvm::StringRef note) const {
  std::string text;
  llvm::SmallVector<llvm::StringRef> lines;
  note.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines)
    text += ("// " + line.rtrim() + "\n").str();
  for (const DimSizes &sizes : calls.sizes) {
    text += "// sizes:";
    for (auto &[dim, size] : sizes)
      text += " " + dim + "=" + std::to_string(size);
    text += "\n";
  }
  text += "// key: " + std::to_string(calls.key) + "\n";
  for (auto &[name, range] : calls.integers)
    text += "// integers: " + name + " " + std::to_string(range.low) + " " + std::to_string(range.high) + " " + range.below + "\n";
  text += calls.hasSurrogate ? "// surrogate\n" : "";
  text += calls.isFused ? "" : "// unfused\n";
  return text + dimDeclarations() + this->text();
}

void RandomProgram::prune() {
  std::set<std::string> needed = {result};
  for (const ProgramStep &step : llvm::reverse(steps))
    if (needed.count(step.name))
      needed.insert(step.operands.begin(), step.operands.end());
  llvm::erase_if(steps, [&](const ProgramStep &step) { return !needed.count(step.name); });
  llvm::erase_if(inputs, [&](const ProgramInput &input) { return !needed.count(input.name); });
}

std::string test::dimDeclarations() { return "dim B <= 33\ndim T <= 33\ndim N <= 33\n"; }

bool test::readCalls(llvm::StringRef text, Calls &calls) {
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n');
  bool ok = true;
  for (llvm::StringRef line : lines) {
    llvm::SmallVector<llvm::StringRef> words;
    if (line.consume_front("// sizes:")) {
      line.split(words, ' ', -1, /*KeepEmpty=*/false);
      DimSizes &sizes = calls.sizes.emplace_back();
      for (llvm::StringRef word : words)
        ok &= !word.split('=').second.getAsInteger(10, sizes[word.split('=').first.str()]);
    } else if (line.consume_front("// key:")) {
      ok &= !line.trim().getAsInteger(10, calls.key);
    } else if (line.consume_front("// integers:")) {
      line.split(words, ' ', -1, /*KeepEmpty=*/false);
      if (words.size() < 3)
        return false;
      IntegerRange &range = calls.integers[words[0].str()];
      ok &= !words[1].getAsInteger(10, range.low) && !words[2].getAsInteger(10, range.high);
      range.below = words.size() > 3 ? words[3].str() : "";
    } else if (line == "// surrogate") {
      calls.hasSurrogate = true;
    } else if (line == "// unfused") {
      calls.isFused = false;
    }
  }
  return ok && !calls.sizes.empty();
}
