// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/tool/KernelEntry.h"
#include "test/simt/executor/Executor.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/IRBuilder.h"

using namespace nacre::simt;
using namespace llvm;

bool nacre::simt::isKernel(const Function &function) {
  return !function.isDeclaration() && function.getCallingConv() == CallingConv::PTX_Kernel;
}

static constexpr int64_t kThreadLimit = 1024; // of a block, on every device

/// Threads of a block as the kernel's attributes bound them: "x,y,z".
static int64_t threadLimit(const Function &kernel) {
  for (StringRef name : {"nvvm.reqntid", "nvvm.maxntid"}) {
    if (!kernel.hasFnAttribute(name)) continue;
    int64_t product = 1;
    for (StringRef part : split(kernel.getFnAttribute(name).getValueAsString(), ',')) {
      int64_t extent = 1;
      if (!part.trim().getAsInteger(10, extent)) product *= extent;
    }
    return product;
  }
  return kThreadLimit;
}

static Type *valueType(const Argument &argument) { return argument.hasByValAttr() ? argument.getParamByValType() : argument.getType(); }

/// void @kernel.run(ptr parameters)
static Function *addRun(Function &kernel) {
  Module &module = *kernel.getParent();
  IRBuilder<> builder(module.getContext());
  auto *type = FunctionType::get(builder.getVoidTy(), {builder.getPtrTy()}, false);
  Function *run = Function::Create(type, GlobalValue::InternalLinkage, kernel.getName() + ".run", module);
  builder.SetInsertPoint(BasicBlock::Create(module.getContext(), "", run));
  SmallVector<Value *> values;
  for (Argument &argument : kernel.args()) {
    Value *place = builder.CreateConstInBoundsGEP1_64(builder.getPtrTy(), run->getArg(0), argument.getArgNo());
    Value *pointer = builder.CreateLoad(builder.getPtrTy(), place);
    values.push_back(argument.hasByValAttr() ? builder.CreatePointerBitCastOrAddrSpaceCast(pointer, argument.getType())
                                             : builder.CreateLoad(argument.getType(), pointer));
  }
  builder.CreateCall(&kernel, values);
  builder.CreateRetVoid();
  return run;
}

static Constant *parameterBytes(const Function &kernel) {
  Module &module = *const_cast<Module *>(kernel.getParent());
  SmallVector<uint64_t> bytes;
  for (const Argument &argument : kernel.args())
    bytes.push_back(module.getDataLayout().getTypeAllocSize(valueType(argument)));
  Constant *value = ConstantDataArray::get(module.getContext(), bytes);
  return new GlobalVariable(module, value->getType(), true, GlobalValue::PrivateLinkage, value, kernel.getName() + ".bytes");
}

void nacre::simt::addKernelEntry(Function &kernel, int64_t sharedBytes) {
  Module &module = *kernel.getParent();
  IRBuilder<> builder(module.getContext());
  Constant *fields[] = {addRun(kernel), parameterBytes(kernel), builder.getInt64(kernel.arg_size()), builder.getInt64(uint64_t(sharedBytes)),
                        builder.getInt64(uint64_t(threadLimit(kernel)))};
  Constant *info = ConstantStruct::getAnon(fields);
  new GlobalVariable(module, info->getType(), true, GlobalValue::ExternalLinkage, info, kernelSymbol(kernel.getName().str()));
  for (Argument &argument : kernel.args())
    argument.removeAttr(Attribute::ByVal);
  kernel.setCallingConv(CallingConv::C);
  kernel.setLinkage(GlobalValue::InternalLinkage);
}
