// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One kernel for projects that know nothing of nacre, as plain data: filled by the pipeline, read by whoever writes its files.
#pragma once

#include "dialects/Nacre/IR/Dims.h"

#include <cstdint>
#include <string>
#include <vector>

namespace nacre {

/// A named extent: an int64_t argument.
struct KernelExtent {
  std::string name;      ///< an identifier of C
  std::string dim;       ///< what the model calls it
  int64_t least, bound;  ///< a call outside is refused
};

/// An operand: a pointer argument.
struct KernelArgument {
  std::string name; ///< an identifier of C
  bool isInteger = false; ///< int32_t, else float
  bool isRead = false, isWritten = false;
  Dims sizes, strides;    ///< of the axes that the kernel walks, in elements, from the pointer on; both empty: one number
  int64_t readableTo = 1; ///< a row may be read up to a multiple of so many elements
  int64_t valueBound = 0; ///< indices lie in [0, bound); 0: nothing is asked
  std::string note;       ///< what else the caller must know; may be empty
};

struct KernelExport {
  std::string symbol;                    ///< of the C function; prefix of all others
  std::string model, function, kernel;   ///< where it comes from
  std::string skeleton, place;           ///< "contract"; "digits.nacre:21:12", empty when unknown
  std::vector<std::string> formula;      ///< assignments over the arguments' names
  std::vector<KernelExtent> extents;
  std::vector<KernelArgument> arguments; ///< those that are only read come first
  std::vector<std::string> levels;       ///< ascending
  int64_t scratchBytes = 0;              ///< of one thread; 0: no scratch argument
  bool tasksFollowThreads = false;       ///< tasks are sized by the number of threads
};

} // namespace nacre
