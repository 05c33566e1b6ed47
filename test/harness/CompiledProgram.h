// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module compiled into a shared library and loaded into this process, called through the table of abi.h with the reference's arrays.
#pragma once

#include "dialects/Nacre/Reference/Array.h"
#include "dialects/Plan/IR/Packing.h"

#include "mlir/IR/BuiltinOps.h"
#include "nacre/runtime.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <memory>
#include <optional>
#include <string>

namespace nacre {
struct CompileOptions;
}
namespace nacre::simt {
class DeviceModule;
}

namespace nacre::test {

/// Among levels: the device code of a program that was compiled for it, run by the executor (test/simt) in the order of threads that
/// nacre_simt_set_order chose.
inline constexpr const char *kDeviceLevel = "device";

/// How a call is run.
struct CallOptions {
  std::string level; ///< empty: the best of this machine's CPU
  int threads = 1;
};

/// How weights are kept.
struct WeightOptions {
  bool packed = true;
  plan::Precision precision = plan::Precision::F32;
};

class CompiledProgram {
public:
  /// Compiles `module` (consumed) for the CPU levels. Null on failure, with a reason.
  static std::unique_ptr<CompiledProgram> compile(mlir::ModuleOp module, std::string &messages,
                                                  llvm::ArrayRef<std::string> levels = {"v3", "v4"}, const WeightOptions &weights = {});
  /// For level v3 and kDeviceLevel. `edit`, where given, changes the device IR before it is run: tests put mistakes in.
  static std::unique_ptr<CompiledProgram> compileForDevice(mlir::ModuleOp module, std::string &messages,
                                                           llvm::function_ref<void(std::string &)> edit = nullptr);
  ~CompiledProgram();

  /// The levels of the library that this machine can run.
  const std::vector<std::string> &levels() const { return usable; }
  bool has(llvm::StringRef function) const;
  /// Rounds `inputs` to f32 or i32 and runs a function; nothing on failure, with a reason. Results as arrays of their own shapes.
  std::optional<std::vector<Array>> call(llvm::StringRef function, llvm::ArrayRef<Array> inputs, const CallOptions &options,
                                         std::string &messages);
  std::vector<std::string> parameterNames() const;
  /// Requires a parameter of that name.
  Array parameter(llvm::StringRef name);
  /// Draws every parameter and state by its initialiser.
  bool initialize(uint64_t seed, std::string &messages);
  bool setParameter(llvm::StringRef name, const Array &value, std::string &messages);
  const nacre_model &table() const { return *model; }

private:
  CompiledProgram();
  static std::unique_ptr<CompiledProgram> compileAndLoad(mlir::ModuleOp module, const CompileOptions &options, std::string &messages,
                                                         llvm::function_ref<void(std::string &)> edit = nullptr);
  bool loadDeviceCode(llvm::StringRef deviceIR, std::string &messages);
  bool load(const std::string &path, std::string &messages);
  nacre_context *context(const CallOptions &options, nacre_error &error);

  struct Context {
    CallOptions options;
    nacre_context *handle;
  };
  std::unique_ptr<simt::DeviceModule> deviceCode; ///< null where not compiled for a device
  void *handle = nullptr;
  const nacre_model *model = nullptr;
  nacre_parameters *parameters = nullptr;
  std::vector<Context> contexts;
  std::vector<std::string> usable;
};

} // namespace nacre::test
