// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Target/CPU/Schedules.h"

#include "dialects/Nacre/IR/Operator.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace nacre::cpu {

static constexpr llvm::StringLiteral kSchedule = "plan.schedule", kAllLevels = "all";

//===-- the tables -----------------------------------------------------------------------------------------------------------===//

const std::vector<ScheduleParameter> &scheduleParameters() {
  using S = ContractSchedule;
  static const std::vector<ScheduleParameter> table = {
      {"rows", &S::rows, 8, 1536, 8, true, {64, 96, 192}, "rows of a task; a fold shares fewer rows out among the threads"},
      {"columns", nullptr, 48, 768, 48, true, {48, 96, 144}, "columns of a task; of a fold, those between two visits of a row's state"},
      {"depth", &S::depth, 16, 4096, 16, false, {128, 256, 512, 768}, "k between two visits of a sum"},
      {"direct-rows", &S::directRows, 0, 4096, 1, false, {0, 8, 32, 64}, "tasks of up to so many rows read A and B in place"},
      {"direct-columns", &S::directColumns, 0, 4096, 1, false, {0, 48, 192}, "tasks of up to so many columns read A in place"},
  };
  return table;
}

const ScheduleParameter *findScheduleParameter(llvm::StringRef name) {
  for (const ScheduleParameter &parameter : scheduleParameters())
    if (parameter.name == name)
      return &parameter;
  return nullptr;
}

llvm::ArrayRef<llvm::StringRef> scheduledSkeletons() {
  static const llvm::StringRef names[] = {"contract", "contract_fold", "grouped", "grouped_outer"};
  return names;
}

//===-- classes of shapes ----------------------------------------------------------------------------------------------------===//

static constexpr int64_t kFewRows = 16, kShortDepth = 128; // not measured: where operands are read in place, and a third of a block of k

static std::string className(bool isMany, bool isLong, bool isWide) {
  return (Twine("rows=") + (isMany ? "many" : "few") + ",k=" + (isLong ? "long" : "short") + ",n=" + (isWide ? "wide" : "narrow")).str();
}

const std::vector<std::string> &shapeClasses() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (bool isMany : {false, true})
      for (bool isLong : {false, true})
        for (bool isWide : {false, true})
          all.push_back(className(isMany, isLong, isWide));
    return all;
  }();
  return names;
}

std::optional<std::string> shapeClassOf(plan::KernelOp kernel, const llvm::StringMap<int64_t> &bounds) {
  if (!llvm::is_contained(scheduledSkeletons(), kernel.getSkeleton()))
    return std::nullopt;
  for (Operation &op : kernel.getBody().front()) {
    if (!isa<nacre::Skeleton>(op))
      continue;
    Dims left = dimsOf(op.getOperand(0)), result = dimsOf(op.getResult(0));
    Dims rows(result.begin(), result.end() - (result.empty() ? 0 : 1));
    auto exceeds = [&](const Dim &size, int64_t limit) { return size.evaluate(bounds).value_or(INT64_MAX) > limit; };
    return className(exceeds(product(rows), kFewRows), exceeds(left.empty() ? Dim::constant(1) : left.back(), kShortDepth),
                     exceeds(result.empty() ? Dim::constant(1) : result.back(), kContractColumns));
  }
  return std::nullopt;
}

llvm::StringMap<int64_t> dimBounds(ModuleOp module) {
  llvm::StringMap<int64_t> bounds;
  if (auto dims = module->getAttrOfType<DictionaryAttr>("nacre.dims"))
    for (NamedAttribute dim : dims)
      bounds[dim.getName()] = cast<IntegerAttr>(dim.getValue()).getInt();
  return bounds;
}

//===-- entries --------------------------------------------------------------------------------------------------------------===//

static llvm::Error unexpected(const llvm::Twine &what, const llvm::Twine &expected, const llvm::Twine &found) {
  return llvm::createStringError("expected " + what + " to be " + expected + ", but got " + found);
}

static llvm::Error checkValue(const ScheduleEntry &entry, llvm::StringRef name, int64_t value) {
  const ScheduleParameter *parameter = findScheduleParameter(name);
  if (!parameter) {
    std::vector<llvm::StringRef> names;
    for (const ScheduleParameter &known : scheduleParameters())
      names.push_back(known.name);
    return unexpected("a parameter", "one of (" + llvm::join(names, ", ") + ")", "'" + name + "'");
  }
  if (value < parameter->least || value > parameter->most || value % parameter->step != 0)
    return unexpected("'" + name + "'", "a multiple of " + Twine(parameter->step) + " from " + Twine(parameter->least) + " to " +
                      Twine(parameter->most), Twine(value));
  if (parameter->sizesTasks && entry.level != kAllLevels)
    return unexpected("the level of '" + name + "'", "'all', for one launch serves all levels", "'" + entry.level + "'");
  return llvm::Error::success();
}

llvm::Error checkEntry(const ScheduleEntry &entry) {
  if (!llvm::is_contained(scheduledSkeletons(), entry.skeleton))
    return unexpected("'skeleton'", "one of (" + llvm::join(scheduledSkeletons(), ", ") + ")", "'" + entry.skeleton + "'");
  if (!llvm::is_contained(shapeClasses(), entry.shapeClass))
    return unexpected("'class'", "like 'rows=many,k=long,n=wide' (few or many, short or long, narrow or wide)", "'" + entry.shapeClass + "'");
  if (entry.level != kAllLevels && !findLevel(entry.level))
    return unexpected("'level'", "'all' or a CPU level", "'" + entry.level + "'");
  for (const auto &[name, value] : entry.values)
    if (llvm::Error error = checkValue(entry, name, value))
      return error;
  return llvm::Error::success();
}

void setSchedule(plan::KernelOp kernel, const ScheduleEntry &entry) {
  NamedAttrList levels(kernel->getAttrOfType<DictionaryAttr>(kSchedule));
  NamedAttrList values(dyn_cast_or_null<DictionaryAttr>(levels.get(entry.level)));
  OpBuilder builder(kernel.getContext());
  for (const auto &[name, value] : entry.values)
    values.set(name, builder.getI64IntegerAttr(value));
  levels.set(entry.level, values.getDictionary(kernel.getContext()));
  kernel->setAttr(kSchedule, levels.getDictionary(kernel.getContext()));
}

void clearSchedule(plan::KernelOp kernel) { kernel->removeAttr(kSchedule); }

void applySchedules(ModuleOp module, llvm::ArrayRef<ScheduleEntry> entries) {
  llvm::StringMap<int64_t> bounds = dimBounds(module);
  for (auto kernel : module.getOps<plan::KernelOp>()) {
    std::optional<std::string> shapeClass = shapeClassOf(kernel, bounds);
    for (const ScheduleEntry &entry : entries)
      if (entry.skeleton == kernel.getSkeleton() && entry.shapeClass == shapeClass)
        setSchedule(kernel, entry);
  }
}

//===-- what a kernel is built with ------------------------------------------------------------------------------------------===//

ContractSchedule scheduleOf(plan::KernelOp kernel, const Level &level) {
  ContractSchedule schedule;
  int64_t width = level.tileVectors * level.lanes, columns = level.taskColumns;
  schedule.rows = kernel.getSkeleton() == "contract_fold" ? level.foldRows : level.taskRows;
  schedule.depth = level.depth;
  schedule.directRows = level.directRows;
  auto chosen = kernel->getAttrOfType<DictionaryAttr>(kSchedule);
  for (llvm::StringRef name : {llvm::StringRef(kAllLevels), level.name})
    for (NamedAttribute one : chosen && chosen.get(name) ? cast<DictionaryAttr>(chosen.get(name)) : DictionaryAttr::get(kernel.getContext())) {
      const ScheduleParameter *parameter = findScheduleParameter(one.getName());
      int64_t value = cast<IntegerAttr>(one.getValue()).getInt();
      (parameter->field ? schedule.*parameter->field : columns) = value;
    }
  schedule.panels = columns / width;
  return schedule;
}

int64_t scheduledValue(plan::KernelOp kernel, const Level &level, const ScheduleParameter &parameter) {
  ContractSchedule schedule = scheduleOf(kernel, level);
  return parameter.field ? schedule.*parameter.field : schedule.panels * level.tileVectors * level.lanes;
}

} // namespace nacre::cpu
