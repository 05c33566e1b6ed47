// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/NVPTX/EmitPtx.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

namespace nacre::nvptx {

static constexpr const char *kTriple = "nvptx64-nvidia-cuda";
static constexpr const char *kPtxVersion = "+ptx80"; // PTX 8.0: drivers from 525 on load it, and it has all of sm_90a

static const Architecture kArchitectures[] = {{"sm_80", 8, 0, false}, {"sm_90a", 9, 0, true}};

llvm::ArrayRef<Architecture> architectures() { return kArchitectures; }

const Architecture *findArchitecture(llvm::StringRef name) {
  for (const Architecture &architecture : kArchitectures)
    if (architecture.name == name)
      return &architecture;
  return nullptr;
}

static llvm::Error failure(const llvm::Twine &message) { return llvm::createStringError(llvm::inconvertibleErrorCode(), message); }

/// Done once, by whichever thread comes first.
static void registerTarget() {
  static const bool done = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)done;
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createMachine(const Architecture &architecture) {
  registerTarget();
  llvm::Triple triple(kTriple);
  std::string message;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return failure("device code: " + message);
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(triple, architecture.name, kPtxVersion, llvm::TargetOptions(),
                                                                          std::nullopt, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

/// There is no library on a device: whatever is called must be here.
static llvm::Error checkResolved(const llvm::Module &module) {
  for (const llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty())
      return failure("device code: no function '" + function.getName() + "' on a device");
  return llvm::Error::success();
}

/// The size of dynamic shared memory is the launch's: an array without extent must be declared, not defined.
static void declareDynamicShared(llvm::Module &module) {
  for (llvm::GlobalVariable &global : module.globals()) {
    auto *array = llvm::dyn_cast<llvm::ArrayType>(global.getValueType());
    if (global.getAddressSpace() != 3 || !array || array->getNumElements() != 0)
      continue;
    global.setInitializer(nullptr);
    global.setLinkage(llvm::GlobalValue::ExternalLinkage);
  }
}

static llvm::Expected<std::string> writePtx(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile))
    return failure("device code: the target writes no text");
  passes.run(module);
  return std::string(text.begin(), text.end());
}

llvm::Expected<DeviceCode> emitPtx(mlir::ModuleOp module, const Architecture &architecture, mlir::TimingScope *timing) {
  mlir::TimingScope scope = timing ? timing->nest("device code") : mlir::TimingScope();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createMachine(architecture);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = mlir::translateModuleToLLVMIR(module, context);
  if (!code)
    return failure("device code: translation to LLVM IR failed");
  code->setTargetTriple(llvm::Triple(kTriple));
  code->setDataLayout((*machine)->createDataLayout());
  declareDynamicShared(*code);
  std::string message;
  llvm::raw_string_ostream messages(message);
  if (llvm::verifyModule(*code, &messages))
    return failure("device code: LLVM IR is invalid: " + message);
  optimize(*code, **machine);
  if (llvm::Error error = checkResolved(*code))
    return error;
  DeviceCode result;
  llvm::raw_string_ostream(result.ir) << *code;
  llvm::Expected<std::string> ptx = writePtx(*code, **machine);
  if (!ptx)
    return ptx.takeError();
  result.ptx = std::move(*ptx);
  return result;
}

} // namespace nacre::nvptx
