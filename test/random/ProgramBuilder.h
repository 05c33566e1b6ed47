// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One program in the making: values so far with their inferred types, operands chosen or made on demand.
#pragma once

#include "dialects/Nacre/IR/Builtins.h"
#include "test/random/Draw.h"
#include "test/random/OperatorForms.h"
#include "test/random/RandomProgram.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace nacre::test {

/// A value that steps may use.
struct Known {
  std::string name;
  mlir::Value value; ///< carries the type; what computes it does not matter
  bool isInput = false, isUsed = false;
  char flag = 0;                      ///< what holds for its elements, as in OperandForm
  std::optional<IntegerRange> range;  ///< of an i32 input
};

class ProgramBuilder {
public:
  ProgramBuilder(mlir::MLIRContext &context, RandomProgram &program, Draw &draw);
  ~ProgramBuilder();

  /// Adds a step of this form, with the inputs and steps that it needs. False when nothing fitted; then nothing was added but perhaps inputs.
  bool add(const OperatorForm &form);
  /// Folds all unused values into one dense result. False when there is none.
  bool finish();

private:
  struct Sizes {
    std::map<char, Dim> letters;
    std::optional<Dims> dots;
  };
  struct Call;

  bool matchShape(llvm::ArrayRef<Dim> dims, llvm::StringRef shape, Sizes &sizes) const;
  Dims makeShape(llvm::StringRef shape, Sizes &sizes);
  Dim freshSize(bool isStatic);
  Dims broadcastShape(llvm::ArrayRef<Dim> to);
  bool fits(const Known &known, const OperandForm &form, const Call &call, Sizes &sizes) const;
  bool isBelow(const Known &known, const OperandForm &form, const Sizes &sizes) const;
  /// An index into `known`, or -1.
  int choose(const OperandForm &form, Call &call);
  int make(const OperandForm &form, Call &call);
  int makeInput(const OperandForm &form, llvm::ArrayRef<Dim> dims, const Sizes &sizes);
  int flagged(int index, char flag);
  bool drawOperands(Call &call);
  bool drawAttributes(Call &call);
  std::optional<std::string> drawAttribute(llvm::StringRef how, AttributeKind kind, const Call &call);
  bool place(Call &call);
  bool placeIndexing(Call &call);
  int addStep(const std::string &op, const std::string &form, llvm::ArrayRef<int> operands, mlir::Value value);
  /// A step of one builtin without attributes on one value; -1 when it does not take it.
  int apply(llvm::StringRef builtin, int operand, llvm::StringRef attribute = "");
  int dense(int index);

  mlir::OpBuilder builder;
  mlir::Block block;
  RandomProgram &program;
  Draw &draw;
  std::vector<Known> known;
  int depth = 0; ///< of forms placed for the operands of others
};

} // namespace nacre::test
