// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/MemoryOption.h"

#include "llvm/Support/FormatVariadic.h"

using namespace nacre;
using namespace nacre::tool;

const Option tool::memoryLimitOption = {"memory-limit", "", "BYTES",
                                        "such as 500MB, for a function's values at the greatest sizes: some are computed twice to meet it"};

llvm::Expected<std::optional<int64_t>> tool::parseMemoryLimit(const Arguments &arguments) {
  auto given = arguments.get("memory-limit");
  if (!given) return std::nullopt;
  llvm::StringRef number = *given;
  int64_t unit = number.consume_back("GB") ? 1000000000 : number.consume_back("MB") ? 1000000 : number.consume_back("KB") ? 1000 : 1;
  int64_t count;
  if (number.getAsInteger(10, count) || count < 0 || count > INT64_MAX / unit)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "expected a memory limit such as 500MB, 2GB or 1000000, but got '" + *given + "'");
  return count * unit;
}

void tool::reportMemory(Console &console, llvm::ArrayRef<MemoryReport> reports) {
  for (const MemoryReport &report : reports) {
    console.print({{"function", report.function},
                   {"arena_bytes", report.bytes},
                   {"arena_bytes_kept", report.bytesBefore},
                   {"recomputed", report.recomputed}});
    if (console.json()) continue;
    llvm::outs() << llvm::formatv("{0,-24} {1,10:f1} MB", report.function, double(report.bytes) / 1e6);
    if (report.recomputed)
      llvm::outs() << llvm::formatv(" instead of {0:f1} MB: {1} values are computed again", double(report.bytesBefore) / 1e6,
                                    report.recomputed);
    llvm::outs() << "\n";
  }
}
