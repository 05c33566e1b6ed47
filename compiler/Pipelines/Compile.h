// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole way from a module of nacre operators to machine code, and every stage on it that can be looked at.
#pragma once

#include "compiler/Artifact/Model.h"
#include "compiler/Target/CPU/Schedules.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>

namespace nacre {

/// The stages after the frontend; each is a complete module that prints.
enum class Stage { Nacre, Grad, Plan, Kernels, LLVM, Assembly, Object };

struct CompileOptions {
  llvm::SmallVector<std::string> levels = {"v3", "v4"}; ///< CPU levels to compile for, ascending
  Stage stopAfter = Stage::Object;
  bool taps = false; ///< whether calls may read and change tapped values; otherwise taps cost nothing
  std::vector<cpu::ScheduleEntry> schedules = {}; ///< how kernels split their work, where not as by default
};

struct CompileResult {
  ModelDescription model;   ///< complete from Stage::Plan on
  std::string text;         ///< what `stopAfter` asked for, printed; empty for Object
  llvm::SmallVector<char, 0> object; ///< an ELF object with all programs and kernels (hidden symbols); for Object only
};

/// Registers every dialect that the compiler uses.
void registerDialects(mlir::DialectRegistry &registry);

/// Compiles `module` (consumed: it is rewritten stage by stage). Fails with diagnostics at the user's lines.
mlir::FailureOr<CompileResult> compile(mlir::ModuleOp module, const CompileOptions &options);

} // namespace nacre
