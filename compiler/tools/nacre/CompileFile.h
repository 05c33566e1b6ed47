// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a model file to what the compiler makes of it, with everything that goes wrong told at the user's lines.
#pragma once

#include "compiler/Pipelines/Compile.h"
#include "compiler/tools/nacre/Console.h"
#include "compiler/tools/nacre/Options.h"

#include "frontend/Frontend.h"

namespace nacre::tool {

/// A file that has been read and parsed.
struct ModelFile {
  Source source;
  Diagnostics diagnostics{source};
  Program program;
};

/// Reads and parses; false after a report, with `status` the exit status.
bool parseModel(llvm::StringRef path, ModelFile &file, Console &console, int &status);

/// Compiles one model of a file (`model` may be empty when it has one). Nothing after a report, with `status` set.
std::optional<CompileResult> compileModel(llvm::StringRef path, llvm::StringRef model, const CompileOptions &options, Console &console,
                                          int &status);

/// The objects of a compilation to Stage::Objects, as the linker takes them; borrowed.
llvm::SmallVector<llvm::StringRef> objectsOf(const CompileResult &result);
/// What is done with a compiled module while its context lives; failure after a diagnostic at the user's lines.
using ModuleUse = llvm::function_ref<llvm::LogicalResult(mlir::ModuleOp, const CompileResult &)>;
/// As above, then `use` on the module at its last stage. Its diagnostics are told like the compiler's.
std::optional<CompileResult> compileModel(llvm::StringRef path, llvm::StringRef model, const CompileOptions &options, Console &console,
                                          int &status, ModuleUse use);

/// The levels of --cpu=v3,v4; without it, all that serve a precision. An error names the ones there are.
llvm::Expected<llvm::SmallVector<std::string>> parseLevels(const Arguments &arguments, plan::Precision precision = plan::Precision::F32);

/// The GPU architectures of --target=nvptx[:sm_80|sm_90a]; none without it or with --target=cpu. An error names the targets there are.
llvm::Expected<llvm::SmallVector<std::string>> parseArchitectures(const Arguments &arguments);

/// The entries of the file that --schedules names; none without it. False after a report, with `status` set.
bool readSchedules(const Arguments &arguments, std::vector<cpu::ScheduleEntry> &entries, Console &console, int &status);

extern const Option modelOption, targetOption, cpuOption, schedulesOption;

} // namespace nacre::tool
