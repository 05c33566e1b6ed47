// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/KernelRunner.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/Artifact/KernelLibrary.h"

#include "llvm/ADT/StringExtras.h"

#include <cstring>
#include <dlfcn.h>
#include <random>

using namespace nacre;
using namespace nacre::tool;

static constexpr size_t kAlignment = 64; // of operands and scratch
static constexpr int64_t kElementBytes = 4;

llvm::Expected<std::unique_ptr<LoadedKernel>> LoadedKernel::load(const CompiledKernel &kernel, llvm::StringRef folder) {
  auto path = writeSharedKernel(kernel.description, kernel.object, folder);
  if (!path) return path.takeError();
  void *library = dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return internalFailure("load", llvm::Twine("a kernel cannot be loaded: ") + dlerror());
  void *entry = dlsym(library, (kernel.description.symbol + "_packed").c_str());
  if (!entry) return internalFailure("load", "a kernel has no packed entry");
  return std::unique_ptr<LoadedKernel>(new LoadedKernel(kernel.description, library, reinterpret_cast<int64_t (*)(const int64_t *)>(entry)));
}

LoadedKernel::~LoadedKernel() { dlclose(library); }

/// Elements from the first to the last, and up to the vector that the last one stands in.
static int64_t spanOf(const KernelArgument &argument, const llvm::StringMap<int64_t> &dims) {
  int64_t last = 0;
  for (auto [size, stride] : llvm::zip(argument.sizes, argument.strides))
    last += std::max<int64_t>(size.evaluate(dims).value_or(1) - 1, 0) * stride.evaluate(dims).value_or(1);
  return last + 1 + argument.readableTo;
}

static char *aligned(std::vector<char> &memory) {
  auto address = reinterpret_cast<uintptr_t>(memory.data());
  return memory.data() + (kAlignment - address % kAlignment) % kAlignment;
}

static void fill(char *memory, int64_t count, const KernelArgument &argument, std::mt19937 &draws) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t draw = draws();
    float number = float(draw >> 8) * 0x1p-24f - 0.5f;
    int32_t index = argument.valueBound > 0 ? int32_t(draw % argument.valueBound) : 0;
    std::memcpy(memory + i * kElementBytes, argument.isInteger ? static_cast<void *>(&index) : &number, kElementBytes);
  }
}

KernelOperands::KernelOperands(const KernelExport &kernel, const DimValues &dims) {
  std::mt19937 draws(1);
  llvm::StringMap<int64_t> sizes;
  for (const auto &[name, value] : dims)
    sizes[name] = value;
  for (const KernelExtent &extent : kernel.extents)
    extents.push_back(sizes.lookup(extent.dim));
  for (const KernelArgument &argument : kernel.arguments) {
    int64_t count = spanOf(argument, sizes);
    memory.emplace_back(count * kElementBytes + kAlignment);
    isWritten.push_back(argument.isWritten);
    if (argument.isRead) fill(aligned(memory.back()), count, argument, draws);
  }
}

void KernelOperands::run(const LoadedKernel &kernel) {
  std::vector<int64_t> values = {0, INT64_MAX, 1};
  values.insert(values.end(), extents.begin(), extents.end());
  for (std::vector<char> &one : memory)
    values.push_back(reinterpret_cast<int64_t>(aligned(one)));
  size_t bytes = kernel.description.scratchBytes + kAlignment;
  if (scratch.size() < bytes) scratch.resize(bytes);
  if (kernel.description.scratchBytes > 0) values.push_back(reinterpret_cast<int64_t>(aligned(scratch)));
  kernel.packed(values.data());
}

std::vector<char> KernelOperands::written() const {
  std::vector<char> all;
  for (size_t i = 0; i < memory.size(); ++i) {
    if (!isWritten[i]) continue;
    const char *begin = aligned(const_cast<std::vector<char> &>(memory[i]));
    all.insert(all.end(), begin, begin + (memory[i].size() - kAlignment));
  }
  return all;
}
