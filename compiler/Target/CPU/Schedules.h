// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How kernels split their work, as data: which parameters there are, what they are by default, and entries that change them for a class
// of shapes. An entry reaches a kernel as its attribute `plan.schedule`, which every stage from the plan on shows.
//
// No parameter here changes a bit of a result: sums go on in the same order, whatever the blocks. What does change bits is no schedule
// but part of a builder: lanes of a vector, blocks of keys in an attention.
#ifndef NACRE_COMPILER_TARGET_CPU_SCHEDULES_H
#define NACRE_COMPILER_TARGET_CPU_SCHEDULES_H

#include "compiler/Target/CPU/Contract.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <map>
#include <string>
#include <vector>

namespace nacre::cpu {

/// One number of a product's schedule.
struct ScheduleParameter {
  llvm::StringRef name;
  int64_t ContractSchedule::*field; ///< null: columns, which fields count in panels
  int64_t least, most, step;        ///< multiples of `step` in [least, most]
  bool sizesTasks;                  ///< then it is the same on every level, for one launch serves them all
  std::vector<int64_t> tries;       ///< what tuning tries besides the default; tasks never grow, so that threads lose nothing
  llvm::StringRef meaning;
};
const std::vector<ScheduleParameter> &scheduleParameters();
const ScheduleParameter *findScheduleParameter(llvm::StringRef name);

/// The skeletons that have these parameters.
llvm::ArrayRef<llvm::StringRef> scheduledSkeletons();

/// "rows=many,k=short,n=wide" for every combination: rows few (up to 16, which are read in place) or many, k short (up to 128) or long,
/// n narrow (up to the 192 columns of a task) or wide.
const std::vector<std::string> &shapeClasses();
/// The class of a kernel's product at the bounds of the dims; a kernel that launches share has that of the first one. Nothing for a
/// kernel without schedule.
std::optional<std::string> shapeClassOf(plan::KernelOp kernel, const llvm::StringMap<int64_t> &bounds);

/// Values that differ from the defaults, by name of the parameter.
struct ScheduleEntry {
  std::string skeleton, shapeClass;
  std::string level; ///< "all", or one level
  std::map<std::string, int64_t> values;
};

/// Fails when a name or a value is not one of those above, saying which were expected.
llvm::Error checkEntry(const ScheduleEntry &entry);

/// Gives every kernel of a planned module the values of the entries for its skeleton and class; later entries win.
void applySchedules(mlir::ModuleOp module, llvm::ArrayRef<ScheduleEntry> entries);
/// Adds an entry's values to one kernel.
void setSchedule(plan::KernelOp kernel, const ScheduleEntry &entry);

/// Takes a kernel back to its defaults.
void clearSchedule(plan::KernelOp kernel);

/// What a kernel is built with at a level: the default of its skeleton, changed by its attribute.
ContractSchedule scheduleOf(plan::KernelOp kernel, const Level &level);
/// The value of one parameter in there.
int64_t scheduledValue(plan::KernelOp kernel, const Level &level, const ScheduleParameter &parameter);

/// The dims of a module with their bounds.
llvm::StringMap<int64_t> dimBounds(mlir::ModuleOp module);

} // namespace nacre::cpu

#endif
