// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/tool/CodeLibrary.h"
#include "compiler/Artifact/Linker.h"
#include "compiler/Artifact/ObjectFiles.h"
#include "test/simt/executor/Executor.h"
#include "test/simt/tool/IntrinsicCalls.h"
#include "test/simt/tool/KernelEntry.h"
#include "test/simt/tool/SharedArrays.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

#include <dlfcn.h>

using namespace nacre::simt;
using namespace llvm;

static Error failure(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

/// The executor is linked into this process: what it exports is what it knows.
static bool isKnown(StringRef symbol) { return dlsym(RTLD_DEFAULT, symbol.str().c_str()); }

static std::string executorPath() {
  Dl_info info = {};
  dladdr(reinterpret_cast<void *>(&nacre_simt_order), &info);
  return info.dli_fname;
}

static Expected<std::unique_ptr<TargetMachine>> createMachine() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  Triple triple("x86_64-unknown-linux-gnu");
  std::string message;
  const Target *target = TargetRegistry::lookupTarget(triple, message);
  if (!target) return failure(message);
  // v3 has multiply-add; its successors would round to bf16 with an instruction that loses denormal numbers.
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, "x86-64-v3", "", TargetOptions(), Reloc::PIC_, std::nullopt, CodeGenOptLevel::Default));
}

/// Device functions as functions of the host: their targets and annotations mean nothing here.
static void forgetDevice(Module &module, const TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  if (NamedMDNode *annotations = module.getNamedMetadata("nvvm.annotations")) annotations->eraseFromParent();
  for (Function &function : module) {
    for (StringRef attribute : {"target-cpu", "target-features"})
      function.removeFnAttr(attribute);
    if (function.getCallingConv() == CallingConv::PTX_Device) function.setCallingConv(CallingConv::C);
  }
}

static Error rewrite(Module &module, const TargetMachine &machine) {
  forgetDevice(module, machine);
  auto sharedBytes = countSharedBytes(module);
  replaceSharedArrays(module);
  if (Error error = replaceIntrinsics(module, isKnown)) return error;
  SmallVector<Function *> kernels;
  for (Function &function : module)
    if (isKernel(function)) kernels.push_back(&function);
  if (kernels.empty()) return failure("the module has no kernel");
  for (Function *kernel : kernels)
    addKernelEntry(*kernel, sharedBytes.lookup(kernel));
  std::string message;
  raw_string_ostream messages(message);
  return verifyModule(module, &messages) ? failure("host IR is invalid: " + message) : Error::success();
}

static Error writeObject(Module &module, TargetMachine &machine, const std::string &path) {
  SmallVector<char, 0> code;
  raw_svector_ostream stream(code);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile)) return failure("no object files for this machine");
  passes.run(module);
  return nacre::writeFile(path, StringRef(code.data(), code.size()));
}

Error nacre::simt::writeCodeLibrary(StringRef deviceIR, const std::string &output) {
  LLVMContext context;
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseAssemblyString(deviceIR, diagnostic, context);
  if (!module)
    return failure("device IR, line " + Twine(diagnostic.getLineNo()) + ": " + diagnostic.getMessage());
  auto machine = createMachine();
  if (!machine) return machine.takeError();
  if (Error error = rewrite(*module, **machine)) return error;
  auto linker = nacre::Linker::find();
  if (!linker) return linker.takeError();
  std::string object = output + ".o", script = output + ".map";
  FileRemover removeObject(object), removeScript(script);
  if (Error error = writeObject(*module, **machine, object)) return error;
  if (Error error = nacre::writeFile(script, "{ global: *" + kernelSymbol("") + "; local: *; };\n")) return error;
  return linker->linkShared(object, script, "device-code", output, {executorPath()});
}
