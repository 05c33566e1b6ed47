// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/EmitObject.h"

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

namespace nacre::cpu {

static constexpr const char *targetTriple = "x86_64-unknown-linux-gnu";

static llvm::Error failure(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// Done once, by whichever thread comes first.
static void registerTarget() {
  static const bool done = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    return true;
  }();
  (void)done;
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createMachine() {
  registerTarget();
  llvm::Triple triple(targetTriple);
  std::string message;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return failure("code generation: " + message);
  llvm::TargetOptions options;
  options.FunctionSections = true; // so that a linker may drop what a library does not use
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, "x86-64", "", options, llvm::Reloc::PIC_, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  return machine;
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions tuning;
  // Kernels are vectorised and unrolled by their builders; LLVM's own choice spills the register tile.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&machine, tuning);
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

static llvm::Error writeCode(llvm::Module &module, llvm::TargetMachine &machine, llvm::raw_pwrite_stream &stream, EmitKind kind) {
  auto file = kind == EmitKind::Object ? llvm::CodeGenFileType::ObjectFile : llvm::CodeGenFileType::AssemblyFile;
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, file))
    return failure("code generation: the target cannot write this kind of file");
  passes.run(module);
  return llvm::Error::success();
}

llvm::Error emitObject(mlir::ModuleOp module, llvm::raw_pwrite_stream &stream, EmitKind kind, mlir::TimingScope *timing) {
  mlir::TimingScope scope = timing ? timing->nest("LLVM IR") : mlir::TimingScope();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine = createMachine();
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = mlir::translateModuleToLLVMIR(module, context);
  if (!code)
    return failure("translation to LLVM IR failed");
  code->setTargetTriple(llvm::Triple(targetTriple));
  code->setDataLayout((*machine)->createDataLayout());
  std::string message;
  llvm::raw_string_ostream messages(message);
  if (llvm::verifyModule(*code, &messages))
    return failure("LLVM IR is invalid: " + message);
  if (timing)
    scope = timing->nest("optimization");
  optimize(*code, **machine);
  if (kind == EmitKind::LLVMIR) {
    code->print(stream, nullptr);
    return llvm::Error::success();
  }
  if (timing)
    scope = timing->nest("machine code");
  return writeCode(*code, **machine, stream, kind);
}

} // namespace nacre::cpu
