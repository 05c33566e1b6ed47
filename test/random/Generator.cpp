// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/random/Generator.h"

#include "test/random/Check.h"
#include "test/random/ProgramBuilder.h"

#include "compiler/Pipelines/Compile.h"
#include "dialects/Nacre/IR/NacreDialect.h"

#include "llvm/ADT/STLExtras.h"
#include "mlir/IR/Diagnostics.h"

using namespace nacre;
using namespace nacre::test;

static constexpr int kPaletteForms = 20; // of about 150: enough to combine, few enough for 200 programs to share kernels
static constexpr int kLeastSteps = 2, kMostSteps = 6;
static constexpr uint64_t kFusedEvery = 10;  // fused programs share few kernels, and kernels are what costs time
static constexpr int64_t kMostElements = 3000; // of B * T * N, which keeps the naive reference fast

/// The forms of a batch: some of all, and a few that join values.
static std::vector<const OperatorForm *> paletteOf(uint64_t batch) {
  Draw draw(batch * 2 + 1);
  std::vector<const OperatorForm *> palette;
  for (const OperatorForm &form : operatorForms())
    if (llvm::is_contained({"add", "mul", "linear", "tanh"}, llvm::StringRef(form.op)))
      palette.push_back(&form);
  for (int i = 0; i < kPaletteForms; ++i)
    palette.push_back(&operatorForms()[draw.below(operatorForms().size())]);
  return palette;
}

static DimSizes drawSizes(Draw &draw) {
  static const int64_t kSizes[] = {1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 33};
  DimSizes sizes;
  do
    sizes = {{"B", draw.pick<int64_t>(kSizes)}, {"T", draw.pick<int64_t>(kSizes)}, {"N", draw.pick<int64_t>(kSizes)}};
  while (sizes["B"] * sizes["T"] * sizes["N"] > kMostElements);
  return sizes;
}

/// Some steps in a row as a function of their own, called twice when its result can take the place of its first argument.
static void outline(RandomProgram &program, Draw &draw) {
  int count = int(program.steps.size());
  if (count < 3 || draw.chance(0.6))
    return;
  int first = int(draw.below(count - 1)), last = int(draw.between(first, std::min(first + 3, count - 1)));
  std::vector<std::string> made;
  for (int i = first; i < last; ++i)
    made.push_back(program.steps[i].name);
  for (int i = last + 1; i < count; ++i)
    for (const std::string &operand : program.steps[i].operands)
      if (llvm::is_contained(made, operand))
        return; // what the function would hide is used later
  if (llvm::is_contained(made, program.result))
    return;
  program.outlined = {first, last, 1};
  const ProgramStep &inner = program.steps[first];
  std::string argument = inner.operands.empty() ? "" : inner.operands[0], type;
  for (const ProgramInput &input : program.inputs)
    type = input.name == argument ? input.type : type;
  for (const ProgramStep &step : program.steps)
    type = step.name == argument ? step.type : type;
  if (!type.empty() && type == program.steps[last].type && draw.chance(0.7))
    program.outlined.times = 2;
}

static std::optional<RandomProgram> attempt(mlir::MLIRContext &context, uint64_t seed, Draw &draw) {
  RandomProgram program;
  program.calls.function = "random_" + std::to_string(seed);
  program.calls.key = seed;
  program.calls.isFused = seed % kFusedEvery == 0;
  program.calls.sizes = {drawSizes(draw), drawSizes(draw)};
  std::vector<const OperatorForm *> palette = paletteOf(seed / kSeedsPerBatch);
  {
    ProgramBuilder builder(context, program, draw);
    int steps = int(draw.between(kLeastSteps, kMostSteps));
    for (int tries = 0; int(program.steps.size()) < steps && tries < 10 * steps; ++tries)
      builder.add(*draw.pick<const OperatorForm *>(palette));
    if (!builder.finish())
      return std::nullopt;
  }
  program.prune();
  outline(program, draw);
  return program;
}

/// For inference alone: what it refuses is no news.
static mlir::MLIRContext &scratchContext() {
  static mlir::MLIRContext *context = [] {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    auto *made = new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    made->getDiagEngine().registerHandler([](mlir::Diagnostic &) { return mlir::success(); });
    return made;
  }();
  return *context;
}

std::vector<RandomProgram> test::generatePrograms(llvm::ArrayRef<uint64_t> seeds) {
  std::vector<Draw> draws;
  std::vector<size_t> open;
  for (uint64_t seed : seeds) {
    draws.emplace_back(seed ^ 0x6E61637265ull << 20);
    open.push_back(open.size());
  }
  std::vector<RandomProgram> programs(seeds.size());
  while (!open.empty()) {
    std::vector<RandomProgram> candidates;
    for (size_t i : open) {
      std::optional<RandomProgram> made;
      while (!made)
        made = attempt(scratchContext(), seeds[i], draws[i]);
      candidates.push_back(std::move(*made));
    }
    std::vector<size_t> unfit;
    for (auto [i, program, fits] : llvm::zip(open, candidates, areFit(candidates)))
      if (fits)
        programs[i] = std::move(program);
      else
        unfit.push_back(i);
    open = std::move(unfit);
  }
  return programs;
}
