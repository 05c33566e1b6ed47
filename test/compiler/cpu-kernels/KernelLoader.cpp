// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/compiler/cpu-kernels/KernelLoader.h"

#include "compiler/Target/CPU/EmitObject.h"
#include "compiler/Target/CPU/LowerKernels.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/TargetSelect.h"

#include <algorithm>

namespace nacre::cpu {

static llvm::ExitOnError exitOnError("kernel loader: ");

static mlir::DialectRegistry kernelDialects() {
  mlir::DialectRegistry registry;
  registerKernelDialects(registry);
  return registry;
}

KernelLoader::KernelLoader() : context(kernelDialects(), mlir::MLIRContext::Threading::DISABLED) {
  context.loadAllAvailableDialects();
  moduleOp = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
}

void KernelLoader::compile() {
  if (mlir::failed(mlir::verify(*moduleOp)) || mlir::failed(lowerKernelsToLLVM(*moduleOp)))
    llvm::report_fatal_error("kernel loader: lowering failed");
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  exitOnError(emitObject(*moduleOp, stream, EmitKind::Object));
  bytes = object.size();
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  jit = exitOnError(llvm::orc::LLJITBuilder().create());
  exitOnError(jit->addObjectFile(
      llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object.data(), object.size()), "kernels")));
}

nacre_kernel KernelLoader::find(llvm::StringRef name) { return exitOnError(jit->lookup(name)).toPtr<nacre_kernel>(); }

bool machineSupports(llvm::StringRef levelName) {
  __builtin_cpu_init();
  return levelName == "v4" ? __builtin_cpu_supports("x86-64-v4") : __builtin_cpu_supports("x86-64-v3");
}

Launch::Launch(const KernelInfo &info, nacre_kernel kernel)
    : info(info), kernel(kernel), slots(info.slotCount, 0), scratch(info.scratchBytes + 64) {
  auto address = reinterpret_cast<uintptr_t>(scratch.data());
  scratchStart = scratch.data() + (64 - address % 64) % 64;
}

int64_t Launch::tasks() const {
  int64_t count = 1;
  for (const TaskFactor &factor : info.tasks) {
    const int64_t block = factor.blockSlot < 0 ? factor.block : slots[factor.blockSlot];
    count *= (slots[factor.slot] + block - 1) / block;
  }
  return count;
}

void Launch::run(int64_t grain, bool backwards) {
  const int64_t count = tasks();
  grain = std::min(grain, std::max<int64_t>(count, 1));
  const int64_t calls = (count + grain - 1) / grain;
  for (int64_t call = 0; call < calls; ++call) {
    const int64_t begin = (backwards ? calls - 1 - call : call) * grain;
    kernel(begin, std::min(begin + grain, count), slots.data(), scratchStart);
  }
}

} // namespace nacre::cpu
