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

/// One word of a launch on a device, as a function of extents and arguments.
struct DeviceSlot {
  enum Kind {
    Integer,  ///< `value`
    Pointer,  ///< argument `argument`, `value` elements in
    Table,    ///< the address of constants in device memory, `first` words into the kernel's tables
    RowGrain, ///< max(grain / max(slots[first], 1), 1)
    FoldRows  ///< rows of a task: a part for each worker of the rows in slots[first], in steps of 8, at most `most`
  } kind = Integer;
  Dim value;
  std::string argument;
  int64_t first = 0, grain = 0, most = 0;
};

/// ceil(slots[slot] / block), or / slots[blockSlot] where that is not negative.
struct DeviceTaskFactor {
  int64_t slot, block, blockSlot;
};

/// A kernel for a GPU: its code, and how a launch is filled.
struct DeviceKernelExport {
  KernelExport kernel;      ///< levels are empty; scratch is of one worker
  std::string architecture; ///< "sm_80"
  std::string ptx;
  std::string ir; ///< the LLVM IR that became the PTX; empty when nobody asks for it
  int64_t threads = 0, workers = 0, sharedBytes = 0; ///< of a block
  std::vector<DeviceSlot> slots;
  std::vector<DeviceTaskFactor> tasks; ///< their product is the number of tasks
  std::vector<int64_t> tables;
};

} // namespace nacre
