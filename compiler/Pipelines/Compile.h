// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole way from a module of nacre operators to machine code, and every stage on it that can be looked at.
#pragma once

#include "compiler/Artifact/Model.h"
#include "compiler/Pipelines/MemoryLimit.h"
#include "compiler/Target/CPU/Schedules.h"
#include "dialects/Plan/IR/Packing.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/Timing.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>

namespace nacre {

/// The stages after the frontend; each but the last two is a complete module that prints. Device and Ptx are the GPU's LLVM IR and code.
enum class Stage { Nacre, Grad, Plan, Kernels, LLVM, Assembly, Device, Ptx, Object, Objects };

struct CompileOptions {
  llvm::SmallVector<std::string> levels = {"v3", "v4"}; ///< CPU levels to compile for, ascending
  Stage stopAfter = Stage::Object;
  bool taps = false; ///< whether calls may read and change tapped values; otherwise taps cost nothing
  std::optional<int64_t> memoryLimit = std::nullopt; ///< bytes for the values of a call; see limitMemory
  bool trace = false; ///< whether calls can be traced; otherwise launches are called as they are
  mlir::TimingScope *timing = nullptr; ///< borrowed; stages and passes are timed below it
  bool packWeights = true; ///< weights of inference functions are packed once a set of parameters, else inside kernels
  plan::Precision precision = plan::Precision::F32; ///< of packed weights and the activations that meet them
  llvm::SmallVector<std::string> architectures = {}; ///< of GPUs, "sm_80" or "sm_90a", that the library can use too; the first one prints
  bool cubin = false; ///< whether machine code of each architecture stands beside its PTX; needs ptxas
  std::vector<cpu::ScheduleEntry> schedules = {}; ///< how kernels split their work, where not as by default
};

struct CompileResult {
  ModelDescription model;   ///< complete from Stage::Plan on
  std::vector<MemoryReport> memory; ///< of every function, where there is a limit
  std::string deviceIR;     ///< LLVM IR that became the first architecture's PTX; empty without one
  std::string text;         ///< what `stopAfter` asked for, printed; empty for Object
  llvm::SmallVector<char, 0> object; ///< an ELF object with all programs and kernels (hidden symbols); for Object only
  /// The same as many objects that were made side by side: one of the programs, one of each kernel and level; for Objects only.
  std::vector<llvm::SmallVector<char, 0>> objects;
};

/// Registers every dialect that the compiler uses.
void registerDialects(mlir::DialectRegistry &registry);

/// Compiles `module` (consumed: it is rewritten stage by stage). Fails with diagnostics at the user's lines.
mlir::FailureOr<CompileResult> compile(mlir::ModuleOp module, const CompileOptions &options);

} // namespace nacre
