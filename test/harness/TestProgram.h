// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program of the language inside a test: parsed once, then looked at stage by stage with the reference evaluator.
#pragma once

#include "dialects/Nacre/Reference/Evaluate.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <optional>

namespace nacre::test {

/// Invariant: `surface` is what the frontend made and never changes; `differentiated` is its own copy.
class TestProgram {
public:
  /// Parses `text`; `name` becomes the name of the module and of the library. Null on an error, which is then in `messages`.
  static std::unique_ptr<TestProgram> parse(llvm::StringRef name, llvm::StringRef text, std::string &messages);
  ~TestProgram();

  /// Composites and nested values as written.
  mlir::ModuleOp surface() { return *surfaceModule; }
  /// Composites replaced by their definitions, nested values by plain tensors; a copy that the caller owns. Null on failure.
  mlir::OwningOpRef<mlir::ModuleOp> primitive();
  /// As far as differentiation needs it, with `<function>_gradient` beside every function that has a gradient; see `messages` of the
  /// others. Null on failure.
  mlir::OwningOpRef<mlir::ModuleOp> differentiated();

  /// What MLIR had to say since the last call.
  std::string takeMessages();
  mlir::MLIRContext &context() { return *mlirContext; }

private:
  TestProgram();
  std::unique_ptr<mlir::MLIRContext> mlirContext;
  std::unique_ptr<mlir::ScopedDiagnosticHandler> handler;
  std::string messages;
  mlir::OwningOpRef<mlir::ModuleOp> surfaceModule;
};

/// Runs one function in f64. Members of a nested result come stacked on a new axis 0. Nothing on failure. `observer` may be null.
std::optional<std::vector<Array>> evaluateReference(mlir::ModuleOp module, llvm::StringRef function, llvm::ArrayRef<Array> inputs,
                                                    ResultObserver observer = nullptr);

} // namespace nacre::test
