// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The optimisers of the language: one entry each, which the frontend reads for names and options and the training step for the rule.
#pragma once

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Program.h"

namespace nacre {

/// A setting of a method of the train block; all are real unless said.
struct MethodOption {
  llvm::StringRef name;
  double defaultValue;
  enum Kind { Positive, NotNegative, BelowOne, Count, Flag } kind;
};

/// What a rule works on: one parameter at one step. Moments are zeroed tensors in the optimiser's name space,
/// `optimizer.<kind>.<parameter>`; they are declared at their first use.
class ParameterUpdate {
public:
  /// `given` holds options by name; those it lacks have the defaults of `options`. `rate` and `step` are scalars of the call.
  ParameterUpdate(mlir::ImplicitLocOpBuilder &b, ParameterOp parameter, llvm::ArrayRef<MethodOption> options, mlir::DictionaryAttr given,
                  Formula w, Formula g, Formula rate, Formula step)
      : b(b), w(w), g(g), rate(rate), step(step), parameter(parameter), options(options), given(given) {}

  double option(llvm::StringRef name) const;
  mlir::FloatAttr attribute(llvm::StringRef name) const { return b.getF64FloatAttr(option(name)); }
  bool flag(llvm::StringRef name) const { return option(name) != 0; }
  /// The moment as it was before the step; of the parameter's shape unless said.
  Formula moment(llvm::StringRef kind) { return moment(kind, w.dims()); }
  Formula moment(llvm::StringRef kind, llvm::ArrayRef<Dim> dims);
  /// What the moment becomes.
  void keep(llvm::StringRef kind, mlir::Value value);

  mlir::ImplicitLocOpBuilder &b;
  Formula w, g, rate, step;

private:
  std::string nameOf(llvm::StringRef kind);

  ParameterOp parameter;
  llvm::ArrayRef<MethodOption> options;
  mlir::DictionaryAttr given;
};

struct Optimizer {
  llvm::StringRef name;
  llvm::ArrayRef<MethodOption> options; ///< the first one is lr, the peak learning rate
  /// The parameter's next value.
  mlir::Value (*update)(ParameterUpdate &update);
};

/// The first one is what a train block without an optimiser uses.
llvm::ArrayRef<Optimizer> optimizers();
/// Null when there is none of that name.
const Optimizer *findOptimizer(llvm::StringRef name);

/// A tensor of the optimiser: saved in training checkpoints only. Declared behind every parameter that is there already, so that what
/// a parameter is drawn from does not depend on the optimiser; found when it exists.
ParameterOp optimizerTensor(mlir::ModuleOp module, llvm::StringRef name, mlir::RankedTensorType type);

} // namespace nacre
