// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/KernelHeader.h"
#include "compiler/Artifact/Header.h"

#include "dialects/Nacre/IR/Layout.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;

static bool isDense(const KernelArgument &argument) { return argument.strides == Layout::contiguous(argument.sizes).strides; }

/// " *   w1  f32[64, 256]: dense, row-major"
static void printArgument(llvm::raw_ostream &out, const KernelArgument &argument, size_t width) {
  out << " *   " << argument.name << std::string(width - argument.name.size() + 2, ' ') << (argument.isInteger ? "i32" : "f32");
  if (argument.sizes.empty())
    out << ": one number";
  else
    out << text(argument.sizes) << (isDense(argument) ? ": dense, row-major" : ": strides " + text(argument.strides));
  if (argument.isWritten) out << (argument.isRead ? "; read, then overwritten" : "; written");
  if (argument.valueBound > 0) out << "; values in [0, " << argument.valueBound << ")";
  if (argument.readableTo > 1) out << "; each row must be readable up to a multiple of " << argument.readableTo << " elements";
  if (!argument.note.empty()) out << "; " << commentText(argument.note);
  out << "\n";
}

static void printArguments(llvm::raw_ostream &out, const KernelExport &kernel) {
  size_t width = 0;
  for (const KernelArgument &argument : kernel.arguments)
    width = std::max(width, argument.name.size());
  out << " * Operands; strides count elements; what is written overlaps nothing else:\n";
  for (const KernelArgument &argument : kernel.arguments)
    printArgument(out, argument, width);
  if (kernel.extents.empty()) return;
  out << " * Extents:";
  for (const KernelExtent &extent : kernel.extents)
    out << (&extent == &kernel.extents.front() ? " " : ", ") << extent.least << " <= " << extent.name << " <= " << extent.bound;
  out << ". An extent of 0 is good: what is empty is neither read nor written.\n";
}

static void printFormula(llvm::raw_ostream &out, const KernelExport &kernel) {
  for (const std::string &line : kernel.formula)
    out << " *     " << commentText(line) << "\n";
}

void nacre::printContract(llvm::raw_ostream &out, const KernelExport &kernel) {
  printFormula(out, kernel);
  out << " *\n";
  printArguments(out, kernel);
}

static void printComment(llvm::raw_ostream &out, const KernelExport &kernel) {
  out << "/* Kernel " << kernel.kernel << " (" << kernel.skeleton << ") of function " << kernel.function << " of model " << kernel.model;
  if (!kernel.place.empty()) out << ", " << commentText(kernel.place);
  out << ".\n * Written by `nacre export-kernel`; changes are lost.\n *\n";
  printContract(out, kernel);
  out << " * Pointers are aligned to their element and not null, unless an extent makes the operand empty. Nothing is allocated, printed or\n"
      << " * kept. Bits depend on operands and CPU level alone, not on threads and tasks.\n"
      << " *\n * CPU levels: " << llvm::join(kernel.levels, ", ") << "; the last one that the processor supports, found once.\n";
  if (kernel.scratchBytes > 0)
    out << " * Scratch: " << kernel.scratchBytes << " bytes, aligned to 64, for each thread that runs; its content is of no interest.\n";
  else
    out << " * It needs no scratch memory.\n";
  out << " */\n";
}

/// Extents, operands and scratch: {"int64_t B", "const float *x", "float *result", "void *scratch"}
static std::vector<std::string> parameters(const KernelExport &kernel) {
  std::vector<std::string> list;
  for (const KernelExtent &extent : kernel.extents)
    list.push_back("int64_t " + extent.name);
  for (const KernelArgument &argument : kernel.arguments)
    list.push_back(std::string(argument.isWritten ? "" : "const ") + (argument.isInteger ? "int32_t *" : "float *") + argument.name);
  if (kernel.scratchBytes > 0) list.push_back("void *scratch");
  return list;
}

/// "int name(int64_t B, const float *x);", broken between parameters where it grows too long.
static void printPrototype(llvm::raw_ostream &out, const std::string &name, llvm::ArrayRef<std::string> parameters) {
  constexpr size_t kWidth = 120;
  std::string line = "int " + name + "(";
  std::string indent(line.size(), ' ');
  for (const std::string &parameter : parameters) {
    if (line.size() + parameter.size() > kWidth) {
      out << line << "\n";
      line = indent;
    }
    line += parameter + (&parameter == &parameters.back() ? ");" : ", ");
  }
  out << line << "\n";
}

static void printFunctions(llvm::raw_ostream &out, const KernelExport &kernel) {
  std::vector<std::string> whole = parameters(kernel), part = {"int64_t begin", "int64_t end", "int64_t threads"};
  part.insert(part.end(), whole.begin(), whole.end());
  std::string extents;
  for (const KernelExtent &extent : kernel.extents)
    extents += "int64_t " + extent.name + ", ";
  out << "/* All of it, on the calling thread. Returns 0; 1 when the processor supports no level; 2 when an extent is out of its range:\n"
      << " * then nothing was read or written. */\n";
  printPrototype(out, kernel.symbol, whole);
  out << "\n/* The same in parts, for a caller with threads of its own: every task in [0, " << kernel.symbol << "_tasks) once, in any order,\n"
      << " * several threads at a time, each with scratch of its own. `threads` (at least 1) is how many will share the tasks";
  if (kernel.tasksFollowThreads) out << ": it sizes them,\n * so both functions must be given the same";
  out << ".\n * Returns the number of tasks; -2 when an extent is out of its range. */\n"
      << "int64_t " << kernel.symbol << "_tasks(" << extents << "int64_t threads);\n"
      << "/* Tasks [begin, end); what exceeds the number of tasks is ignored. Returns as " << kernel.symbol << ". */\n";
  printPrototype(out, kernel.symbol + "_task", part);
  out << "\n/* Bytes of `scratch`: one thread's share. */\n"
      << "int64_t " << kernel.symbol << "_scratch_bytes(void);\n"
      << "/* The CPU level in use (" << llvm::join(kernel.levels, ", ") << "), or null when the processor supports none. */\n"
      << "const char *" << kernel.symbol << "_level(void);\n";
}

std::string nacre::kernelHeaderText(const KernelExport &kernel) {
  std::string result, guard = "NACRE_KERNEL_" + llvm::StringRef(kernel.symbol).upper() + "_H";
  llvm::raw_string_ostream out(result);
  printComment(out, kernel);
  out << "#ifndef " << guard << "\n#define " << guard << "\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  printFunctions(out, kernel);
  out << "\n#ifdef __cplusplus\n}\n#endif\n#endif\n";
  return result;
}
