// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/TableFunctions.h"
#include "compiler/Artifact/Interface.h"
#include "compiler/Artifact/TableConstants.h"

#include "nacre/runtime.h"
#include "llvm/IR/IRBuilder.h"

#include <cstddef>

using namespace nacre;
using namespace llvm;

namespace {

/// Which part of the model a forwarding function passes on before its own arguments.
enum class Leading { Nothing, Table };

class InterfaceBuilder {
public:
  InterfaceBuilder(Module &module, const TableTypes &types, const ModelDescription &model, GlobalVariable *table)
      : module(module), types(types), model(model), table(table), builder(module.getContext()) {}

  void defineModel();
  void defineLifecycle();
  /// With `tapped`, the form that takes interventions before the error.
  void defineTyped(int32_t index, bool tapped);

private:
  Function *begin(StringRef name, Type *result, ArrayRef<Type *> arguments);
  /// The entry of nacre_runtime_api at a byte offset.
  Value *entry(size_t offset);
  void forward(StringRef suffix, size_t offset, Leading leading, Type *result, ArrayRef<Type *> arguments);

  Type *argumentType(const FunctionDescription &function, const TypedArgument &argument);
  void store(Value *value, Value *array, Type *element, int index);

  Module &module;
  const TableTypes &types;
  const ModelDescription &model;
  GlobalVariable *table;
  IRBuilder<> builder;
};

} // namespace

Function *InterfaceBuilder::begin(StringRef name, Type *result, ArrayRef<Type *> arguments) {
  auto *function = Function::Create(FunctionType::get(result, arguments, false), GlobalValue::ExternalLinkage, name, module);
  function->addFnAttr(Attribute::NoUnwind);
  builder.SetInsertPoint(BasicBlock::Create(module.getContext(), "", function));
  return function;
}

Value *InterfaceBuilder::entry(size_t offset) {
  Value *address = builder.CreateConstInBoundsGEP1_64(types.i8, runtimeApi(module, types), offset);
  return builder.CreateLoad(types.pointer, address);
}

void InterfaceBuilder::forward(StringRef suffix, size_t offset, Leading leading, Type *result, ArrayRef<Type *> arguments) {
  Function *function = begin(prefixOf(model) + "_" + suffix.str(), result, arguments);
  SmallVector<Value *> values;
  SmallVector<Type *> valueTypes;
  if (leading == Leading::Table) values.push_back(table);
  for (Argument &argument : function->args())
    values.push_back(&argument);
  for (Value *value : values)
    valueTypes.push_back(value->getType());
  Value *returned = builder.CreateCall(FunctionType::get(result, valueTypes, false), entry(offset), values);
  if (result->isVoidTy())
    builder.CreateRetVoid();
  else
    builder.CreateRet(returned);
}

void InterfaceBuilder::defineModel() {
  begin(prefixOf(model) + "_model", types.pointer, {});
  builder.CreateRet(table);
}

void InterfaceBuilder::defineLifecycle() {
  Type *p = types.pointer, *status = types.i32, *none = builder.getVoidTy();
  forward("parameters_create", offsetof(nacre_api, parameters_create), Leading::Table, p, {p});
  forward("parameters_init", offsetof(nacre_api, parameters_init), Leading::Nothing, status, {p, types.i64, p});
  forward("parameters_load", offsetof(nacre_api, parameters_load), Leading::Nothing, status, {p, p, types.i32, p});
  forward("parameters_save", offsetof(nacre_api, parameters_save), Leading::Nothing, status, {p, p, types.i32, p});
  forward("parameters_get", offsetof(nacre_api, parameters_get), Leading::Nothing, status, {p, p, p, p});
  forward("parameters_set", offsetof(nacre_api, parameters_set), Leading::Nothing, status, {p, p, p, p});
  forward("parameters_destroy", offsetof(nacre_api, parameters_destroy), Leading::Nothing, none, {p});
  forward("context_create", offsetof(nacre_api, context_create), Leading::Table, p, {p, p, p});
  forward("context_destroy", offsetof(nacre_api, context_destroy), Leading::Nothing, none, {p});
}

Type *InterfaceBuilder::argumentType(const FunctionDescription &function, const TypedArgument &argument) {
  switch (argument.kind) {
  case TypedArgument::DimSize:
    return types.i64;
  case TypedArgument::InputValue:
    return function.inputs[argument.index].isInteger ? types.i32 : builder.getFloatTy();
  case TypedArgument::InputArray:
  case TypedArgument::OutputArray:
    return types.pointer;
  }
  llvm_unreachable("every kind has a type");
}

void InterfaceBuilder::store(Value *value, Value *array, Type *element, int index) {
  builder.CreateStore(value, builder.CreateConstInBoundsGEP1_64(element, array, index));
}

void InterfaceBuilder::defineTyped(int32_t index, bool tapped) {
  const FunctionDescription &description = model.functions[index];
  TypedFunction typed = typedFunction(model, description);
  SmallVector<Type *> signature = {types.pointer};
  for (const TypedArgument &argument : typed.arguments)
    signature.push_back(argumentType(description, argument));
  if (tapped) signature.append({types.pointer, types.i32});
  signature.push_back(types.pointer);
  Function *function = begin(tapped ? tappedSymbol(typed) : typed.symbol, types.i32, signature);

  auto array = [&](Type *element, size_t count) { return builder.CreateAlloca(ArrayType::get(element, std::max<size_t>(count, 1))); };
  Value *dims = array(types.i64, model.dims.size());
  Value *inputs = array(types.pointer, description.inputs.size());
  Value *outputs = array(types.pointer, description.outputs.size());
  for (size_t i = 0; i < model.dims.size(); ++i) // the runtime sets those that a run-time width decides
    store(builder.getInt64(0), dims, types.i64, i);
  for (size_t i = 0; i < typed.arguments.size(); ++i) {
    const TypedArgument &argument = typed.arguments[i];
    Value *value = function->getArg(i + 1);
    if (argument.kind == TypedArgument::DimSize) {
      store(value, dims, types.i64, argument.index);
    } else if (argument.kind == TypedArgument::InputValue) {
      Value *slot = builder.CreateAlloca(value->getType());
      builder.CreateStore(value, slot);
      store(slot, inputs, types.pointer, argument.index);
    } else {
      bool isInput = argument.kind == TypedArgument::InputArray;
      store(value, isInput ? inputs : outputs, types.pointer, argument.index);
    }
  }
  Type *p = types.pointer;
  SmallVector<Type *> parameters = {p, types.i32, p, p, p};
  SmallVector<Value *> values = {function->getArg(0), builder.getInt32(index), dims, inputs, outputs};
  for (size_t i = typed.arguments.size() + 1; i < signature.size(); ++i) { // interventions, error
    parameters.push_back(signature[i]);
    values.push_back(function->getArg(i));
  }
  size_t callee = tapped ? offsetof(nacre_api, call_typed_tapped) : offsetof(nacre_api, call_typed);
  builder.CreateRet(builder.CreateCall(FunctionType::get(types.i32, parameters, false), entry(callee), values));
}

void nacre::defineInterface(Module &module, const TableTypes &types, const ModelDescription &model, GlobalVariable *table) {
  InterfaceBuilder interface(module, types, model, table);
  interface.defineModel();
  interface.defineLifecycle();
  for (size_t i = 0; i < model.functions.size(); ++i) {
    interface.defineTyped(int32_t(i), false);
    if (!model.functions[i].taps.empty()) interface.defineTyped(int32_t(i), true);
  }
}
