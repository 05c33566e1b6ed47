// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/ModelTable.h"
#include "compiler/Artifact/TableConstants.h"
#include "compiler/Artifact/TableFunctions.h"

#include "nacre/abi.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

using namespace nacre;
using namespace llvm;

static Error refusal(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

static bool isKnown(const ModelDescription &model, const Dim &size) {
  for (const auto &[monomial, coefficient] : size.getTerms())
    for (const std::string &name : monomial)
      if (none_of(model.dims, [&](const DimDescription &dim) { return dim.name == name; })) return false;
  return true;
}

static Error checkPort(const ModelDescription &model, const FunctionDescription &function, const PortDescription &port) {
  if (port.shape.size() > NACRE_MAX_RANK)
    return refusal("'" + function.name + "': expected at most " + Twine(NACRE_MAX_RANK) + " axes in '" + port.name + "', but got " +
                   Twine(port.shape.size()));
  for (const Dim &size : port.shape)
    if (!isKnown(model, size))
      return refusal("'" + function.name + "': the size " + size.str() + " of '" + port.name + "' names no dim of the model");
  return Error::success();
}

static Error checkLimits(const ModelDescription &model) {
  if (model.dims.size() > NACRE_MAX_DIMS)
    return refusal("expected at most " + Twine(NACRE_MAX_DIMS) + " dims in a model, but got " + Twine(model.dims.size()));
  for (const ParameterDescription &parameter : model.parameters)
    if (parameter.shape.size() > NACRE_MAX_RANK)
      return refusal("expected at most " + Twine(NACRE_MAX_RANK) + " axes in '" + parameter.name + "', but got " +
                     Twine(parameter.shape.size()));
  for (const FunctionDescription &function : model.functions) {
    if (!isKnown(model, function.arenaBytes))
      return refusal("'" + function.name + "': the arena size " + function.arenaBytes.str() + " names no dim of the model");
    for (const auto *ports : {&function.inputs, &function.outputs})
      for (const PortDescription &port : *ports)
        if (Error error = checkPort(model, function, port)) return error;
  }
  return Error::success();
}

static Expected<std::unique_ptr<TargetMachine>> createMachine(const Triple &triple) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target) return refusal(message);
  TargetOptions options;
  options.FunctionSections = true; // so that a linker may drop what a program does not call
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(triple, "x86-64", "", options, Reloc::PIC_));
}

Expected<SmallVector<char, 0>> nacre::emitModelTable(const ModelDescription &model, StringRef manifest) {
  if (Error error = checkLimits(model)) return error;
  Triple triple("x86_64-unknown-linux-gnu");
  auto machine = createMachine(triple);
  if (!machine) return machine.takeError();
  LLVMContext context;
  Module module(model.name, context);
  module.setTargetTriple(triple);
  module.setDataLayout((*machine)->createDataLayout());
  TableTypes types(context);
  defineInterface(module, types, model, TableConstants(module, types, model).build(manifest));
  std::string problem;
  raw_string_ostream problems(problem);
  if (verifyModule(module, &problems)) return refusal("the model table is invalid: " + problem);
  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile))
    return refusal("the target cannot write objects");
  passes.run(module);
  return object;
}
