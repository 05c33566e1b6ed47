// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `train M.f { ... }` to the attribute `nacre.train`, every setting checked and every default filled in:
//
//   {function = "loss", batch = 128, epochs = 40 | steps = 5000, seed = 0, metric? = "accuracy", data = {x = "images"},
//    optimizer = {name = "adamw", lr = 2e-3, ...}, schedule = {name = "cosine", warmup = 50},
//    groups? = [{parameters = ["head"], optimizer = {...}}], frozen? = ["w1"], unit_rows? = ["W_dec"],
//    clip? = 1.0, ema? = 0.999, accumulate? = 4, noise? = {name = "normal", deviation = 0.01, decay = 0.55},
//    train? = array<i64: 0, 1437> (rows, the second excluded) | "indices.npy", test? = likewise}
//
// and the blocks `update` and `after_step` to functions of the module (EmitUpdate.cpp). Names of parameters are full and without repeats.
#pragma once

#include "dialects/Nacre/IR/Ops/OptimizerTable.h"
#include "frontend/Emitter.h"

namespace nacre {

/// An optimiser, a schedule or a noise, as it is written.
struct TrainMethod {
  llvm::StringRef name;
  llvm::ArrayRef<MethodOption> options;
};

class TrainEmitter {
public:
  TrainEmitter(Emitter &emitter, const TrainDecl &decl, mlir::ModuleOp module)
      : emitter(emitter), diagnostics(emitter.diagnostics), builder(emitter.builder), decl(decl), module(module) {}

  void run();

private:
  /// An input of the loss or the metric that is one number; it has choices when it is a run-time width.
  struct NumberInput {
    Name reader; ///< the loss or the metric
    const InputDecl *input;
    bool isInteger;
    std::vector<int64_t> choices;
  };

  // EmitTrain.cpp: settings and what belongs together
  void complain(llvm::SMRange range, const llvm::Twine &expected, const Meaning &got);
  mlir::func::FuncOp checkFunction(const Name &name);
  void checkInput(const Name &name, const InputDecl &input, mlir::func::FuncOp op, unsigned index);
  void emitParts();
  void collect(const TrainEntry &entry);
  mlir::Attribute valueOf(llvm::StringRef key, const Expr &value);
  Meaning evaluate(const Expr &expr);
  mlir::Attribute count(const Expr &value, int64_t least);
  mlir::Attribute real(const Expr &value, MethodOption::Kind kind, llvm::StringRef name);
  void checkAmount();

  // EmitTrainMethods.cpp: what is written like a call
  mlir::DictionaryAttr defaultOptimizer();
  mlir::DictionaryAttr defaultSchedule();
  mlir::Attribute optimizer(const Expr &value);
  mlir::Attribute schedule(const Expr &value);
  mlir::Attribute noise(const Expr &value);
  mlir::Attribute chooseMethod(const Expr &value, llvm::ArrayRef<TrainMethod> table, llvm::StringRef what);
  mlir::DictionaryAttr method(const TrainMethod &chosen, llvm::ArrayRef<Argument> arguments, mlir::DictionaryAttr defaults = {});
  mlir::Attribute attributeOf(const MethodOption &option, double value);
  mlir::Attribute optionValue(const MethodOption &option, const Expr &expr);

  // EmitTrainParameters.cpp: names of parameters, layers and the model
  std::optional<std::string> pathOf(const Expr &expr);
  llvm::SmallVector<std::string> parametersAt(const Expr &expr);
  mlir::Attribute parameterList(const Expr &value);
  void collectFrozen();
  void collectGroups();
  mlir::Attribute group(const CallExpr &call, llvm::StringMap<llvm::SMRange> &grouped);
  mlir::DictionaryAttr groupOptimizer(llvm::ArrayRef<Argument> options);

  // EmitTrainData.cpp: inputs and rows
  mlir::Attribute dataMap(const Expr &value);
  mlir::Attribute dataEntry(const Expr &value);
  void checkNumber(const NumberInput &number);
  void checkMapped(const Name &name);
  mlir::Attribute rows(const Expr &value);
  mlir::Attribute metric(const Expr &value);

  Emitter &emitter;
  Diagnostics &diagnostics;
  mlir::OpBuilder &builder;
  const TrainDecl &decl;
  mlir::ModuleOp module;
  mlir::func::FuncOp function;
  mlir::NamedAttrList settings;
  llvm::StringMap<llvm::SMRange> seen;
  llvm::StringMap<const Expr *> later; ///< settings that need others: frozen, trainable, groups
  std::vector<NumberInput> numberInputs;
  std::vector<Name> mapped;
  std::vector<llvm::StringRef> inputs;
  int64_t rowBound = INT32_MAX;
};

} // namespace nacre
