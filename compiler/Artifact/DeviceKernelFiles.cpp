// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/DeviceKernelFiles.h"
#include "compiler/Artifact/Header.h"
#include "compiler/Artifact/KernelHeader.h"
#include "compiler/Artifact/StagedFolder.h"

#include "nacre/abi.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

using namespace nacre;
using namespace llvm;

namespace {

/// Words of nacre_device_launch before the slots: tasks, scratch, status, the number of guards, and the guards.
constexpr int64_t kWordsBeforeSlots = 4 + NACRE_MAX_GUARDS;
/// Of the tables in the kernel's own memory, in bytes: the status stands before them, scratch behind them at a multiple of 64.
constexpr int64_t kTablesOffset = 64;

class DeviceKernelText {
public:
  explicit DeviceKernelText(const DeviceKernelExport &device) : device(device), symbol(device.kernel.symbol) {}
  std::string header();
  std::string source();
  std::string description();

private:
  std::string expression(const Dim &value);
  std::string slot(const DeviceSlot &slot);
  std::string tasks();
  std::string extents();
  std::string arguments();
  int64_t scratchOffset() const { return (kTablesOffset + 8 * static_cast<int64_t>(device.tables.size()) + 63) / 64 * 64; }
  void printDeclarations(raw_ostream &out);
  void printCode(raw_ostream &out);
  void printLoad(raw_ostream &out);
  void printLaunch(raw_ostream &out);

  const DeviceKernelExport &device;
  const std::string &symbol;
};

/// A polynomial in the names of the extents: "256 * B + 3"
std::string DeviceKernelText::expression(const Dim &value) {
  std::string text;
  for (const auto &[monomial, coefficient] : value.getTerms()) {
    text += (text.empty() ? "" : " + ") + std::to_string(coefficient);
    for (const std::string &dim : monomial)
      for (const KernelExtent &extent : device.kernel.extents)
        if (extent.dim == dim) text += " * " + extent.name;
  }
  return text.empty() ? "0" : text;
}

std::string DeviceKernelText::slot(const DeviceSlot &slot) {
  switch (slot.kind) {
  case DeviceSlot::Integer:
    return expression(slot.value);
  case DeviceSlot::Pointer:
    return slot.value.isZero() ? slot.argument : slot.argument + " + 4 * (" + expression(slot.value) + ")";
  case DeviceSlot::Table:
    return formatv("tables + {0}", 8 * slot.first).str();
  case DeviceSlot::RowGrain:
    return formatv("most({0} / most(slots[{1}], 1), 1)", slot.grain, slot.first).str();
  case DeviceSlot::FoldRows:
    return formatv("least(most((slots[{0}] + 8 * workers - 1) / (8 * workers) * 8, 8), {1})", slot.first, slot.most).str();
  }
  llvm_unreachable("every kind has a text");
}

std::string DeviceKernelText::tasks() {
  std::string text;
  for (const DeviceTaskFactor &factor : device.tasks) {
    std::string block = factor.blockSlot >= 0 ? formatv("slots[{0}]", factor.blockSlot).str() : std::to_string(factor.block);
    text += formatv("{0}parts(slots[{1}], {2})", text.empty() ? "" : " * ", factor.slot, block);
  }
  return text.empty() ? "1" : text;
}

std::string DeviceKernelText::extents() {
  std::string text;
  for (const KernelExtent &extent : device.kernel.extents)
    text += "int64_t " + extent.name + ", ";
  return text;
}

std::string DeviceKernelText::arguments() {
  std::string text;
  for (const KernelArgument &argument : device.kernel.arguments)
    text += ", uint64_t " + argument.name;
  return text;
}

std::string DeviceKernelText::header() {
  const KernelExport &kernel = device.kernel;
  std::string result, guard = "NACRE_KERNEL_" + StringRef(symbol).upper() + "_H";
  raw_string_ostream out(result);
  out << "/* Kernel " << kernel.kernel << " (" << kernel.skeleton << ") of function " << kernel.function << " of model " << kernel.model;
  if (!kernel.place.empty()) out << ", " << commentText(kernel.place);
  out << ", for NVIDIA GPUs.\n * Written by `nacre export-kernel`; changes are lost.\n *\n";
  printContract(out, kernel);
  out << " * Operands are addresses in device memory (CUdeviceptr). The code is PTX for " << device.architecture
      << " and later; it runs in blocks of " << device.threads << " threads.\n"
      << " * All functions return the driver's CUresult, 0 for success, and use the calling thread's current context. They need libcuda alone.\n */\n"
      << "#ifndef " << guard << "\n#define " << guard << "\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
      << "/* What a loaded kernel holds; filled by " << symbol << "_load. */\n"
      << "typedef struct " << symbol << "_kernel {\n  void *module, *function; /* CUmodule, CUfunction */\n"
      << "  uint64_t memory;         /* of the kernel's own on the device: status, constants, scratch */\n  int64_t blocks;          /* the most that a launch uses */\n} "
      << symbol << "_kernel;\n\n"
      << "/* Loads the code into the current context, with scratch for `blocks` blocks (0: 8 a multiprocessor): " << kernel.scratchBytes * device.workers
      << " bytes each. On failure nothing is held. */\n"
      << "int " << symbol << "_load(" << symbol << "_kernel *kernel, int64_t blocks);\n"
      << "/* Puts a launch into `stream` (CUstream; null: the default one). One launch of a loaded kernel runs at a time. CUDA_ERROR_INVALID_VALUE\n"
      << " * (1) when an extent is out of its range. */\n"
      << "int " << symbol << "_launch(const " << symbol << "_kernel *kernel, void *stream, " << StringRef(extents() + arguments().substr(2)) << ");\n"
      << "void " << symbol << "_unload(" << symbol << "_kernel *kernel);\n\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
  return result;
}

/// The PTX as string literals, a line each.
void DeviceKernelText::printCode(raw_ostream &out) {
  out << "static const char code[] =\n";
  SmallVector<StringRef> lines;
  StringRef(device.ptx).split(lines, '\n');
  for (StringRef line : lines) {
    out << "    \"";
    printEscapedString(line.rtrim(), out);
    out << "\\n\"\n";
  }
  out << "    ;\n\n";
}

void DeviceKernelText::printLaunch(raw_ostream &out) {
  out << "int " << symbol << "_launch(const " << symbol << "_kernel *kernel, void *stream, " << extents() << arguments().substr(2) << ") {\n";
  for (const KernelExtent &extent : device.kernel.extents)
    out << formatv("  if ({0} < {1} || {0} > {2})\n    return 1;\n", extent.name, extent.least, extent.bound);
  out << "  const int64_t workers = kernel->blocks * WORKERS;\n  const uint64_t tables = kernel->memory + TABLES;\n"
      << "  uint64_t launch[" << kWordsBeforeSlots + static_cast<int64_t>(device.slots.size()) << "] = {0};\n  int64_t *slots = (int64_t *)launch + "
      << kWordsBeforeSlots << ";\n";
  for (auto [i, one] : enumerate(device.slots))
    out << formatv("  slots[{0}] = (int64_t)({1});\n", i, slot(one));
  out << "  int64_t tasks = " << tasks() << ";\n  if (tasks == 0)\n    return 0;\n  launch[0] = (uint64_t)tasks;\n"
      << "  launch[1] = kernel->memory + SCRATCH;\n  launch[2] = kernel->memory; /* the status: always 0 */\n"
      << "  void *parameters[] = {launch};\n"
      << "  (void)workers, (void)tables;\n"
      << "  return cuLaunchKernel(kernel->function, (unsigned)least(parts(tasks, WORKERS), kernel->blocks), 1, 1, THREADS, 1, 1, SHARED, stream, "
         "parameters, 0);\n}\n\n";
}

/// What the file calls, and what a launch is made of.
void DeviceKernelText::printDeclarations(raw_ostream &out) {
  out << "/* Of the CUDA driver; its handles are pointers, and CUdeviceptr has 64 bits. */\n"
         "extern int cuModuleLoadData(void **module, const void *image);\nextern int cuModuleUnload(void *module);\n"
         "extern int cuModuleGetFunction(void **function, void *module, const char *name);\n"
         "extern int cuFuncSetAttribute(void *function, int attribute, int value);\n"
         "extern int cuCtxGetDevice(int *device);\nextern int cuDeviceGetAttribute(int *value, int attribute, int device);\n"
         "extern int cuMemAlloc_v2(uint64_t *address, size_t bytes);\nextern int cuMemFree_v2(uint64_t address);\n"
         "extern int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes);\n"
         "extern int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,\n"
         "                          void *stream, void **parameters, void **extra);\n\n"
      << "enum {\n  THREADS = " << device.threads << ", /* of a block */\n  WORKERS = " << device.workers
      << ", /* of a block: they share out the tasks */\n  SHARED = " << device.sharedBytes << ",\n  TABLES = " << kTablesOffset
      << ", SCRATCH = " << scratchOffset() << " /* bytes from the beginning of the kernel's memory */\n};\n\n";
  out << "/* The status, which is 0, and constants that the kernel reads. */\nstatic const int64_t constants[" << scratchOffset() / 8
      << "] = {0, 0, 0, 0, 0, 0, 0, 0";
  for (int64_t value : device.tables)
    out << ", " << value;
  out << "};\n\n";
}

void DeviceKernelText::printLoad(raw_ostream &out) {
  out << "int " << symbol << "_load(" << symbol << "_kernel *kernel, int64_t blocks) {\n  int device = 0, processors = 0;\n"
      << "  *kernel = (" << symbol << "_kernel){0};\n  int status = cuCtxGetDevice(&device);\n"
      << "  if (status == 0)\n    status = cuDeviceGetAttribute(&processors, 16 /* multiprocessors */, device);\n"
      << "  kernel->blocks = blocks > 0 ? blocks : 8 * (int64_t)processors;\n"
      << "  if (status == 0)\n    status = cuModuleLoadData(&kernel->module, code);\n"
      << "  if (status == 0)\n    status = cuModuleGetFunction(&kernel->function, kernel->module, \"" << symbol << "_kernel\");\n"
      << "  if (status == 0 && SHARED > 48 * 1024)\n    status = cuFuncSetAttribute(kernel->function, 8 /* largest dynamic shared memory */, SHARED);\n"
      << "  if (status == 0)\n    status = cuMemAlloc_v2(&kernel->memory, SCRATCH + (size_t)kernel->blocks * WORKERS * "
      << device.kernel.scratchBytes << ");\n"
      << "  if (status == 0)\n    status = cuMemcpyHtoD_v2(kernel->memory, constants, sizeof constants);\n"
      << "  if (status != 0)\n    " << symbol << "_unload(kernel);\n  return status;\n}\n\n";
}

std::string DeviceKernelText::source() {
  std::string result;
  raw_string_ostream out(result);
  out << "/* Loads and launches kernel " << device.kernel.kernel << " of model " << device.kernel.model
      << ". Written by `nacre export-kernel`; changes are lost. */\n#include \"" << symbol << ".h\"\n\n#include <stddef.h>\n\n";
  printDeclarations(out);
  printCode(out);
  out << "static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }\nstatic inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }\n"
         "static inline int64_t parts(int64_t size, int64_t part) { return size / part + (size % part != 0); }\n\n";
  printLoad(out);
  printLaunch(out);
  out << "void " << symbol << "_unload(" << symbol << "_kernel *kernel) {\n  if (kernel->memory != 0)\n    cuMemFree_v2(kernel->memory);\n"
      << "  if (kernel->module != 0)\n    cuModuleUnload(kernel->module);\n  *kernel = (" << symbol << "_kernel){0};\n}\n";
  return result;
}

std::string DeviceKernelText::description() {
  std::string result;
  raw_string_ostream out(result);
  json::OStream json(out, 2);
  json.object([&] {
    json.attribute("entry", symbol + "_kernel");
    json.attribute("architecture", device.architecture);
    json.attributeArray("block", [&] { json.value(device.threads), json.value(1), json.value(1); });
    json.attribute("workers_of_block", device.workers);
    json.attribute("tasks", tasks());
    json.attributeArray("grid", [&] { json.value("least(parts(tasks, workers_of_block), blocks)"), json.value(1), json.value(1); });
    json.attribute("functions", "parts(a, b) = a / b rounded up; least, most = the smaller, the greater; workers = blocks * workers_of_block");
    json.attribute("shared_bytes", device.sharedBytes);
    json.attribute("scratch_bytes_of_worker", device.kernel.scratchBytes);
    json.attributeArray("extents", [&] {
      for (const KernelExtent &extent : device.kernel.extents)
        json.object([&] { json.attribute("name", extent.name), json.attribute("least", extent.least), json.attribute("bound", extent.bound); });
    });
    json.attributeArray("arguments", [&] {
      for (const KernelArgument &argument : device.kernel.arguments)
        json.object([&] {
          json.attribute("name", argument.name);
          json.attribute("type", argument.isInteger ? "i32" : "f32");
          json.attribute("written", argument.isWritten);
        });
    });
    json.attribute("tables", json::Array(device.tables));
    json.attributeArray("parameter", [&] { // 8 bytes each, one after the other
      for (StringRef word : {"tasks", "scratch", "status", "0"})
        json.value(word);
      for (int64_t i = 0; i < NACRE_MAX_GUARDS; ++i)
        json.value("0");
      for (const DeviceSlot &one : device.slots)
        json.value(slot(one));
    });
  });
  out << "\n";
  return result;
}

} // namespace

Expected<std::vector<std::string>> nacre::writeDeviceKernel(const DeviceKernelExport &kernel, StringRef path) {
  StagedFolder folder;
  if (Error error = folder.open(path)) return error;
  DeviceKernelText text(kernel);
  std::vector<std::pair<const char *, std::string>> files = {
      {".ptx", kernel.ptx}, {".json", text.description()}, {".h", text.header()}, {".c", text.source()}};
  if (!kernel.ir.empty()) files.push_back({".ll", kernel.ir});
  std::vector<std::string> paths;
  for (const auto &[ending, content] : files) {
    if (Error error = folder.write(kernel.kernel.symbol + ending, content)) return error;
    SmallString<128> place(path);
    sys::path::append(place, kernel.kernel.symbol + ending);
    paths.push_back(place.str().str());
  }
  if (Error error = folder.commit()) return error;
  return paths;
}
