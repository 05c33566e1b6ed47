// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/MemoryLimit.h"

#include "compiler/Target/CPU/Schedules.h"
#include "compiler/Transforms/BuildProgram.h"
#include "compiler/Transforms/PlanBuffers.h"
#include "dialects/Nacre/Transforms/Recompute.h"

#include "llvm/Support/FormatVariadic.h"

using namespace nacre;
using namespace mlir;

static constexpr int64_t kMostTrials = 24; // plans of a function, each with more values computed again than the one before

/// The arena of one function, in bytes, when its first `count` candidates are computed again; `candidates` becomes how many there are.
static FailureOr<int64_t> arenaOf(ModuleOp module, StringRef name, const llvm::StringMap<int64_t> &bounds, int64_t count,
                                  int64_t *candidates = nullptr) {
  OwningOpRef<ModuleOp> copy = module.clone();
  for (auto function : llvm::make_early_inc_range(copy->getOps<func::FuncOp>()))
    if (function.getSymName() != name)
      function.erase();
  Recomputation recomputation(*copy->getOps<func::FuncOp>().begin(), bounds);
  if (candidates)
    *candidates = recomputation.size();
  recomputation.apply(count);
  if (failed(buildPrograms(*copy)))
    return failure();
  auto program = *copy->getOps<plan::ProgramOp>().begin();
  planBuffers(program);
  return Dim::parse(program.getArena().value_or("0")).value_or(Dim()).evaluate(bounds).value_or(0);
}

static std::string megabytes(int64_t bytes) { return llvm::formatv("{0:f1} MB", double(bytes) / 1e6).str(); }

static LogicalResult refuse(func::FuncOp function, const MemoryReport &report, int64_t limit, int64_t least) {
  return emitError(function.getLoc()) << report.function << " takes " << megabytes(report.bytesBefore)
                              << " for its values at the greatest sizes of its dims, and no less than " << megabytes(least)
                              << " when values are computed again, but the memory limit is " << megabytes(limit)
                              << "; lower the bound of a dim, or give it more";
}

static FailureOr<MemoryReport> limitFunction(ModuleOp module, func::FuncOp function, int64_t limit) {
  llvm::StringMap<int64_t> bounds = cpu::dimBounds(module);
  MemoryReport report;
  report.function = function.getSymName().str();
  int64_t candidates = 0;
  FailureOr<int64_t> bytes = arenaOf(module, report.function, bounds, 0, &candidates);
  if (failed(bytes))
    return failure();
  report.bytesBefore = report.bytes = *bytes;
  int64_t least = *bytes, step = std::max<int64_t>((candidates + kMostTrials - 1) / kMostTrials, 1);
  while (report.bytes > limit && report.recomputed < candidates) {
    report.recomputed = std::min(report.recomputed + step, candidates);
    bytes = arenaOf(module, report.function, bounds, report.recomputed);
    if (failed(bytes))
      return failure();
    report.bytes = *bytes, least = std::min(least, *bytes);
  }
  if (report.bytes > limit)
    return refuse(function, report, limit, least);
  Recomputation(function, bounds).apply(report.recomputed);
  return report;
}

FailureOr<std::vector<MemoryReport>> nacre::limitMemory(ModuleOp module, int64_t limit) {
  std::vector<MemoryReport> reports;
  for (auto function : module.getOps<func::FuncOp>()) {
    FailureOr<MemoryReport> report = limitFunction(module, function, limit);
    if (failed(report))
      return failure();
    reports.push_back(*report);
  }
  return reports;
}
