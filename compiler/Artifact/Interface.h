// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The names and signatures of a library's C interface. The generated header prints them and the table object defines them,
// so both are made from this one description.
//
// Invariant: every name is a valid C and C++ identifier, and every exported symbol starts with `prefixOf(model)` and '_'.
#pragma once

#include "compiler/Artifact/Model.h"

#include "llvm/ADT/StringSet.h"

namespace nacre {

/// The library's name: the model's name in lower case. "MiniLM" -> "minilm"; the files are libminilm.so, minilm.h, ...
std::string prefixOf(const ModelDescription &model);

/// `wanted` made an identifier of C and C++ that `used` does not hold; added to `used`.
std::string freshName(llvm::StringRef wanted, llvm::StringSet<> &used);

/// Whether a run-time width decides dim `dim` (its value or its position), so that no caller passes it.
bool isChosen(const ModelDescription &model, size_t dim);

/// One argument of a typed function, after the context and before the error.
struct TypedArgument {
  enum Kind {
    DimSize,     ///< int64_t: the value of dim `index`
    InputValue,  ///< float or int32_t: input `index`, of rank 0
    InputArray,  ///< const float * or const int32_t *: input `index`
    OutputArray, ///< float * or int32_t *: output `index`
  };
  Kind kind;
  int index;
  std::string name;
};

/// `nacre_status <symbol>(nacre_context *context, <arguments>, nacre_error *error)`
struct TypedFunction {
  std::string symbol;
  std::vector<TypedArgument> arguments;
};

/// The typed form of a function: the dims that its ports mention, in the model's order and without those that a run-time
/// width decides, then inputs, then outputs.
TypedFunction typedFunction(const ModelDescription &model, const FunctionDescription &function);

/// What a call with interventions is named: "<symbol>_tapped".
std::string tappedSymbol(const TypedFunction &typed);
/// The names of a function's taps as C constants: "TINY_ENCODE_TAP_BLOCKS_0_H".
std::vector<std::string> tapConstants(const ModelDescription &model, const FunctionDescription &function);

} // namespace nacre
