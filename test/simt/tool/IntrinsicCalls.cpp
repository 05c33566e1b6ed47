// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/tool/IntrinsicCalls.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IRBuilder.h"

#include <set>

using namespace nacre::simt;
using namespace llvm;

static std::string identifier(StringRef name) {
  std::string result = name.str();
  for (char &letter : result)
    if (!isAlnum(letter)) letter = '_';
  return result;
}

/// The first word of the assembly where it is one instruction; all of it otherwise, which no symbol matches.
static StringRef mnemonic(StringRef text) {
  StringRef line = text.trim(" \t\n;");
  return line.contains(';') ? line : line.split(' ').first;
}

/// The executor's symbol for a call; nothing where the call is not device code's own.
static std::optional<std::string> symbolOf(const CallInst &call) {
  if (auto *assembly = dyn_cast<InlineAsm>(call.getCalledOperand())) {
    if (assembly->getAsmString().empty()) return std::nullopt; // a barrier for the compiler
    return "simt_asm_" + identifier(mnemonic(assembly->getAsmString()));
  }
  const Function *callee = call.getCalledFunction();
  if (!callee || !callee->getName().starts_with("llvm.nvvm.")) return std::nullopt;
  return "simt_" + identifier(callee->getName().drop_front(StringRef("llvm.nvvm.").size()));
}

namespace {

/// The rewriting of one function.
class Calls {
public:
  Calls(Function &function, int64_t &number) : module(*function.getParent()), function(function), number(number) {}

  void add(CallInst *call, const std::string &symbol) {
    calls.push_back({call, symbol, frameType(*call)});
    bytes = std::max<uint64_t>(bytes, module.getDataLayout().getTypeAllocSize(calls.back().frame));
  }

  void replace() {
    if (calls.empty()) return;
    IRBuilder<> builder(&*function.getEntryBlock().getFirstInsertionPt());
    memory = builder.CreateAlloca(ArrayType::get(builder.getInt8Ty(), bytes));
    memory->setAlignment(Align(16));
    for (Entry &entry : calls)
      replace(entry);
  }

private:
  struct Entry {
    CallInst *call;
    std::string symbol;
    StructType *frame;
  };

  StructType *frameType(const CallInst &call) {
    SmallVector<Type *> types;
    if (!call.getType()->isVoidTy()) types.push_back(call.getType());
    for (const Use &argument : call.args())
      types.push_back(argument->getType());
    return StructType::get(module.getContext(), types);
  }

  Constant *site(const Entry &entry) {
    IRBuilder<> builder(module.getContext());
    auto text = [&](StringRef content) { return builder.CreateGlobalString(content, "", 0, &module); };
    Constant *fields[] = {text(StringRef(entry.symbol).drop_front(StringRef("simt_").size())), text(function.getName()),
                          builder.getInt64(uint64_t(number++))};
    Constant *value = ConstantStruct::getAnon(fields);
    return new GlobalVariable(module, value->getType(), true, GlobalValue::PrivateLinkage, value, "site");
  }

  void replace(Entry &entry) {
    IRBuilder<> builder(entry.call);
    unsigned hasResult = !entry.call->getType()->isVoidTy(), field = hasResult;
    for (const Use &argument : entry.call->args())
      builder.CreateStore(argument, builder.CreateStructGEP(entry.frame, memory, field++));
    Type *pointer = builder.getPtrTy();
    builder.CreateCall(module.getOrInsertFunction(entry.symbol, builder.getVoidTy(), pointer, pointer), {memory, site(entry)});
    if (hasResult)
      entry.call->replaceAllUsesWith(builder.CreateLoad(entry.call->getType(), builder.CreateStructGEP(entry.frame, memory, 0)));
    entry.call->eraseFromParent();
  }

  Module &module;
  Function &function;
  int64_t &number;
  std::vector<Entry> calls;
  uint64_t bytes = 0;
  AllocaInst *memory = nullptr;
};

} // namespace

/// What a reader of the device IR would look for.
static std::string shownName(const CallInst &call) {
  if (auto *assembly = dyn_cast<InlineAsm>(call.getCalledOperand())) return ("asm \"" + assembly->getAsmString() + "\"").str();
  return call.getCalledFunction()->getName().str();
}

Error nacre::simt::replaceIntrinsics(Module &module, function_ref<bool(StringRef)> isKnown) {
  std::set<std::string> unknown;
  int64_t number = 0;
  for (Function &function : module) {
    if (function.isDeclaration()) continue;
    Calls calls(function, number);
    for (Instruction &instruction : instructions(function)) {
      auto *call = dyn_cast<CallInst>(&instruction);
      std::optional<std::string> symbol = call ? symbolOf(*call) : std::nullopt;
      if (symbol && isKnown(*symbol))
        calls.add(call, *symbol);
      else if (symbol)
        unknown.insert(shownName(*call) + " (it would be " + *symbol + ")");
    }
    calls.replace();
  }
  if (unknown.empty()) return Error::success();
  return createStringError(inconvertibleErrorCode(), "the executor does not know " + join(unknown, ", "));
}
