// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/random/Shrink.h"

#include "test/random/Check.h"
#include "test/random/Isolated.h"

#include "llvm/ADT/STLExtras.h"

using namespace nacre;
using namespace nacre::test;

static constexpr unsigned kSeconds = 60; // for one small program; far above what any needs

std::string test::failureOf(const RandomProgram &program, const std::string &level) {
  auto task = [&]() -> std::string {
    std::string problem;
    auto verdicts = checkPrograms(dimDeclarations() + program.text(), program.calls, level, problem);
    if (!verdicts)
      return "it does not compile: " + problem;
    return (*verdicts)[0].outcome == Outcome::Failed ? (*verdicts)[0].why : "";
  };
  std::optional<std::string> result = runIsolated({task}, 1, kSeconds)[0];
  return result.value_or("the compiler crashes or hangs");
}

namespace {
/// The smallest program so far.
class Shrinker {
public:
  Shrinker(RandomProgram program, const std::string &level)
      : best(std::move(program)), level(level), why(failureOf(best, level)) {}
  RandomProgram run();

private:
  /// Takes the candidate when it fails as the program did: a program that became wrong is no smaller failure.
  bool accept(RandomProgram candidate);
  bool dropSteps();
  bool replaceStep(size_t index, const std::string &by);
  bool shrinkSizes();

  RandomProgram best;
  const std::string &level;
  std::string why;
};
} // namespace

/// Failures are of one kind when both do not compile, both crash, or both differ in values.
static int kindOf(llvm::StringRef why) {
  return why.empty() ? 0 : why.starts_with("it does not compile") ? 1 : why.starts_with("the compiler crashes") ? 2 : 3;
}

bool Shrinker::accept(RandomProgram candidate) {
  candidate.prune();
  std::string found = failureOf(candidate, level);
  bool isLegal = kindOf(found) != 1 || llvm::StringRef(found).contains("does not compile: random.nacre") == llvm::StringRef(why).contains("does not compile: random.nacre");
  if (kindOf(found) != kindOf(why) || !isLegal)
    return false;
  best = std::move(candidate);
  return true;
}

/// All uses of a step's value become uses of another value.
bool Shrinker::replaceStep(size_t index, const std::string &by) {
  RandomProgram candidate = best;
  const std::string name = best.steps[index].name;
  for (ProgramStep &step : candidate.steps)
    llvm::replace(step.operands, name, by);
  if (candidate.result == name)
    candidate.result = by;
  candidate.steps.erase(candidate.steps.begin() + int64_t(index));
  return accept(std::move(candidate));
}

bool Shrinker::dropSteps() {
  for (size_t index = best.steps.size(); index-- > 0;) {
    const ProgramStep step = best.steps[index];
    for (const std::string &operand : step.operands)
      if (replaceStep(index, operand))
        return true;
    if (step.type.empty() || !llvm::StringRef(step.type).starts_with("f32"))
      continue;
    RandomProgram before = best;
    best.inputs.push_back({"in_" + step.name, step.type});
    if (replaceStep(index, "in_" + step.name))
      return true;
    best = std::move(before);
  }
  return false;
}

bool Shrinker::shrinkSizes() {
  for (auto &[dim, size] : best.calls.sizes[0])
    for (int64_t smaller : {int64_t(1), int64_t(2), size / 2, size - 1}) {
      RandomProgram candidate = best;
      candidate.calls.sizes[0][dim] = smaller;
      if (smaller >= 1 && smaller < size && accept(std::move(candidate)))
        return true;
    }
  return false;
}

RandomProgram Shrinker::run() {
  if (best.outlined.last >= best.outlined.first) {
    RandomProgram candidate = best;
    candidate.outlined = {};
    if (!accept(std::move(candidate)))
      return best; // the function itself matters: kept as it is
  }
  for (size_t i = best.calls.sizes.size(); i-- > 0 && best.calls.sizes.size() > 1;) {
    RandomProgram candidate = best;
    candidate.calls.sizes = {best.calls.sizes[i]};
    accept(std::move(candidate));
  }
  while (dropSteps()) {
  }
  while (shrinkSizes()) {
  }
  return best;
}

RandomProgram test::shrink(RandomProgram program, const std::string &level) { return Shrinker(std::move(program), level).run(); }
