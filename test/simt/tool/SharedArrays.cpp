// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/tool/SharedArrays.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/ReplaceConstant.h"

using namespace nacre::simt;
using namespace llvm;

static constexpr unsigned kSharedSpace = 3; // of NVPTX

static SmallVector<GlobalVariable *> sharedArrays(Module &module) {
  SmallVector<GlobalVariable *> arrays;
  for (GlobalVariable &global : module.globals())
    if (global.getAddressSpace() == kSharedSpace) arrays.push_back(&global);
  return arrays;
}

static int64_t bytesOf(const GlobalVariable &array) {
  return int64_t(array.getParent()->getDataLayout().getTypeAllocSize(array.getValueType()).getFixedValue());
}

/// { bytes, alignment }, as the executor reads it.
static Constant *description(GlobalVariable &array) {
  Module &module = *array.getParent();
  Type *number = Type::getInt64Ty(module.getContext());
  uint64_t alignment = module.getDataLayout().getValueOrABITypeAlignment(array.getAlign(), array.getValueType()).value();
  Constant *value = ConstantStruct::getAnon({ConstantInt::get(number, uint64_t(bytesOf(array))), ConstantInt::get(number, alignment)});
  return new GlobalVariable(module, value->getType(), true, GlobalValue::PrivateLinkage, value, array.getName() + ".shared");
}

static MapVector<Function *, SmallVector<Use *>> usesByFunction(GlobalVariable &array) {
  MapVector<Function *, SmallVector<Use *>> uses;
  for (Use &use : array.uses())
    if (auto *instruction = dyn_cast<Instruction>(use.getUser())) uses[instruction->getFunction()].push_back(&use);
  return uses;
}

static void replaceArray(GlobalVariable &array, Constant *described) {
  Module &module = *array.getParent();
  for (auto &[function, uses] : usesByFunction(array)) {
    IRBuilder<> builder(&*function->getEntryBlock().getFirstInsertionPt());
    Type *pointer = builder.getPtrTy();
    Value *memory = builder.CreateCall(module.getOrInsertFunction("simt_shared_array", pointer, pointer), {described});
    Value *shared = builder.CreateAddrSpaceCast(memory, array.getType());
    for (Use *use : uses)
      use->set(shared);
  }
}

void nacre::simt::replaceSharedArrays(Module &module) {
  SmallVector<GlobalVariable *> arrays = sharedArrays(module);
  SmallVector<Constant *> constants(arrays.begin(), arrays.end());
  convertUsersOfConstantsToInstructions(constants);
  for (GlobalVariable *array : arrays) {
    replaceArray(*array, description(*array));
    array->removeDeadConstantUsers();
    if (array->use_empty()) array->eraseFromParent();
  }
}

/// `function` and whatever it calls.
static SetVector<const Function *> reachable(const Function &function) {
  SetVector<const Function *> functions;
  functions.insert(&function);
  for (size_t i = 0; i < functions.size(); ++i)
    for (const Instruction &instruction : instructions(*functions[i]))
      if (auto *call = dyn_cast<CallBase>(&instruction))
        if (const Function *callee = call->getCalledFunction()) functions.insert(callee);
  return functions;
}

DenseMap<const Function *, int64_t> nacre::simt::countSharedBytes(Module &module) {
  SmallVector<GlobalVariable *> arrays = sharedArrays(module);
  SmallVector<Constant *> constants(arrays.begin(), arrays.end());
  convertUsersOfConstantsToInstructions(constants);
  DenseMap<const Function *, int64_t> result;
  for (const Function &function : module) {
    SetVector<const Function *> functions = reachable(function);
    for (GlobalVariable *array : arrays)
      if (any_of(usesByFunction(*array), [&](const auto &entry) { return functions.contains(entry.first); }))
        result[&function] += bytesOf(*array);
  }
  return result;
}
