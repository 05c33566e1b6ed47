// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds the constant `nacre_model` of a model inside an LLVM module.
#pragma once

#include "compiler/Artifact/Model.h"
#include "compiler/Artifact/TableTypes.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"

namespace nacre {

class TableConstants {
public:
  /// All borrowed; `description` must have passed `checkLimits`.
  TableConstants(llvm::Module &module, const TableTypes &types, const ModelDescription &description)
      : module(module), types(types), description(description) {}

  /// Defines the table as a private constant.
  llvm::GlobalVariable *build(llvm::StringRef manifest);

private:
  llvm::Constant *integer(int64_t value) { return llvm::ConstantInt::get(types.i64, value, /*isSigned=*/true); }
  llvm::Constant *word(int64_t value) { return llvm::ConstantInt::get(types.i32, value, /*isSigned=*/true); }
  llvm::Constant *real(double value) { return llvm::ConstantFP::get(types.f64, value); }
  llvm::Constant *null() { return llvm::ConstantPointerNull::get(types.pointer); }
  llvm::Constant *string(llvm::StringRef text);
  llvm::Constant *stringOrNull(llvm::StringRef text) { return text.empty() ? null() : string(text); }
  /// The address of a private array; null when it is empty.
  llvm::Constant *array(llvm::Type *element, llvm::ArrayRef<llvm::Constant *> values);
  llvm::Constant *integers(llvm::ArrayRef<int64_t> values);
  llvm::Constant *hiddenFunction(llvm::StringRef name);

  llvm::Constant *term(const Dim::Monomial &monomial, int64_t coefficient);
  llvm::Constant *size(const Dim &value);
  llvm::Constant *port(const PortDescription &value);
  llvm::Constant *ports(const std::vector<PortDescription> &values);
  llvm::Constant *dims();
  llvm::Constant *parameter(const ParameterDescription &value);
  llvm::Constant *parameters();
  llvm::Constant *function(const FunctionDescription &value);
  llvm::Constant *functions();
  /// Of all functions, one function after the other.
  llvm::Constant *taps();
  llvm::SmallVector<llvm::Constant *> leasts();
  llvm::Constant *levels();
  llvm::Constant *kernelNames();
  llvm::Constant *training();
  // TableDevice.cpp
  llvm::Constant *deviceCode();
  llvm::Constant *image(const DeviceImageDescription &value);
  llvm::Constant *deviceFunction(const DeviceFunctionDescription &value);

  llvm::Module &module;
  const TableTypes &types;
  const ModelDescription &description;
  llvm::StringMap<llvm::GlobalVariable *> strings;
};

/// Declares the runtime's table of entries, hidden.
llvm::GlobalVariable *runtimeApi(llvm::Module &module, const TableTypes &types);

} // namespace nacre
