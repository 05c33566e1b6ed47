// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Transforms/Storage.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Program.h"

using namespace nacre;
using namespace mlir;

static StringAttr argumentName(func::FuncOp function, unsigned index) {
  if (auto name = function.getArgAttrOfType<StringAttr>(index, "nacre.name"))
    return name;
  return StringAttr::get(function.getContext(), "input" + Twine(index));
}

StorageTable::StorageTable(func::FuncOp function, plan::ProgramOp program)
    : function(function), program(program), builder(OpBuilder::atBlockBegin(&program.getBody().front())) {
  for (BlockArgument argument : function.getArguments()) {
    Dims dims = dimsOf(argument);
    unsigned index = argument.getArgNumber();
    Value memory = buffer("input", argumentName(function, index).getValue(), index, dims, plainType(argument).getElementType());
    storages[argument] = {memory, Layout::contiguous(dims)};
  }
  for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
    Dims dims = dimsOf(type);
    Value memory = buffer("output", "result" + std::to_string(index), index, dims, cast<RankedTensorType>(type).getElementType());
    outputs.push_back({memory, Layout::contiguous(dims)});
  }
}

Value StorageTable::buffer(StringRef space, StringRef name, int64_t index, ArrayRef<Dim> dims, Type element) {
  return plan::BufferOp::create(builder, function.getLoc(), plan::BufferType::get(builder.getContext()), builder.getStringAttr(space),
                                builder.getStringAttr(name), builder.getI64IntegerAttr(index), dimsAttr(builder.getContext(), dims),
                                TypeAttr::get(element), StringAttr());
}

Storage StorageTable::temporary(ArrayRef<Dim> dims, Type element, StringRef name) {
  return {buffer("arena", name, 0, dims, element), Layout::contiguous(dims)};
}

Value StorageTable::parameter(StringRef name, Type type) {
  Value &memory = parameters[name];
  auto declared = function->getParentOfType<ModuleOp>().lookupSymbol<ParameterOp>(name);
  if (!memory)
    memory = buffer(declared && declared.getRole() == "stream" ? "stream" : "parameter", name, 0, dimsOf(type), cast<RankedTensorType>(type).getElementType());
  return memory;
}

Storage StorageTable::allocate(Value value) {
  auto chosen = destinations.find(value);
  Storage storage = chosen != destinations.end() ? chosen->second
                                                 : temporary(dimsOf(value), plainType(value).getElementType(),
                                                             value.getDefiningOp()->getName().stripDialect());
  storages[value] = storage;
  return storage;
}

std::optional<Storage> StorageTable::find(Value value) {
  if (auto found = storages.find(value); found != storages.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  if (auto read = dyn_cast_or_null<ReadOp>(op)) {
    Storage storage = {parameter(read.getParameter(), read.getType()), Layout::contiguous(dimsOf(value))};
    storages[value] = storage;
    return storage;
  }
  auto view = dyn_cast_or_null<View>(op);
  if (!view)
    return std::nullopt;
  std::optional<Storage> source = find(op->getOperand(0));
  if (!source)
    return std::nullopt;
  FailureOr<Layout> layout = view.view(source->layout);
  if (failed(layout))
    return std::nullopt;
  return Storage{source->buffer, *layout};
}

/// The layout of `value` when its root is stored row-major; nothing when a view on the way cannot be expressed.
static std::optional<Layout> layoutOverRoot(Value value) {
  auto view = dyn_cast_or_null<View>(value.getDefiningOp());
  if (!view)
    return Layout::contiguous(dimsOf(value));
  std::optional<Layout> source = layoutOverRoot(view->getOperand(0));
  if (!source)
    return std::nullopt;
  FailureOr<Layout> layout = view.view(*source);
  return succeeded(layout) ? std::optional<Layout>(*layout) : std::nullopt;
}

static bool isWrittenByGroup(Value value) {
  Operation *op = value.getDefiningOp();
  return op && !isa<ReadOp, View>(op) && !isFree(op);
}

/// A result is written straight to the output when it is all of a group's value in row-major order.
void StorageTable::chooseResults(Operation *terminator) {
  for (auto [index, value] : llvm::enumerate(terminator->getOperands())) {
    Value root = storageRoot(value);
    std::optional<Layout> layout = layoutOverRoot(value);
    if (!isWrittenByGroup(root) || destinations.count(root) || !layout || !layout->isContiguous() ||
        product(layout->sizes) != product(dimsOf(root)))
      continue;
    destinations[root] = {outputs[index].buffer, Layout::contiguous(dimsOf(root))};
  }
}

/// Whether everything that reads `value`, also through views, has run before the kernel of `writer` starts, or is that operator itself
/// reading it as it is. What is assigned or returned is copied at the very end.
static bool isReadBefore(Value value, Operation *writer, bool isView) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (user == writer)
      return !isView;
    if (isa<AssignOp>(user) || user->hasTrait<OpTrait::IsTerminator>())
      return false;
    if (isa<View>(user))
      return isReadBefore(user->getResult(0), writer, true);
    return user->isBeforeInBlock(writer);
  });
}

/// A training step may write once its loss is known to be finite: when the loss lies in the output already.
bool StorageTable::isLossKnownBefore(Operation *writer) {
  if (!function->hasAttr("nacre.training"))
    return true;
  Value loss = storageRoot(function.getBody().front().getTerminator()->getOperand(0));
  return destinations.count(loss) && loss.getDefiningOp()->isBeforeInBlock(writer);
}

/// An assigned value is written in place when its kernel is element-wise, alone or as an epilogue, and nobody reads the old value later.
void StorageTable::chooseAssigned(const llvm::SmallPtrSetImpl<Operation *> &elementwise) {
  llvm::StringMap<SmallVector<ReadOp>> reads;
  for (ReadOp read : function.getOps<ReadOp>())
    reads[read.getParameter()].push_back(read);
  Operation *lastEnd = nullptr; // before it nothing is kept
  for (Operation &op : function.getBody().front())
    lastEnd = mayEndCall(&op) ? &op : lastEnd;
  for (AssignOp assign : function.getOps<AssignOp>()) {
    Value value = assign.getValue();
    if (!isWrittenByGroup(value) || destinations.count(value) || !elementwise.contains(value.getDefiningOp()))
      continue;
    Operation *writer = value.getDefiningOp();
    if ((lastEnd && writer->isBeforeInBlock(lastEnd)) || !isLossKnownBefore(writer) || !llvm::all_of(reads[assign.getParameter()], [&](ReadOp read) {
          return isReadBefore(read, writer, /*isView=*/false);
        }))
      continue;
    destinations[value] = {parameter(assign.getParameter(), value.getType()), Layout::contiguous(dimsOf(value))};
  }
}

/// Where an operand of a join, a tap or a choice may be written at once; nothing for one that is only looked at, or must be copied.
static std::optional<Layout> placeInResult(Operation *op, unsigned operand, const Layout &whole) {
  if (auto joined = dyn_cast<Join>(op))
    return joined.isCovered() ? std::optional<Layout>(joined.place(operand, whole)) : std::nullopt;
  bool isCondition = isa<CondOp>(op) && operand == 0;
  return isCondition ? std::nullopt : std::optional<Layout>(whole);
}

void StorageTable::chooseJoined(ArrayRef<Group> groups) {
  for (const Group &group : llvm::reverse(groups)) { // outer joins first, so that inner ones go straight to the end
    if (group.kind != GroupKind::Join && group.kind != GroupKind::Tap && group.kind != GroupKind::Choice)
      continue;
    Operation *joined = group.ops.front();
    Value result = joined->getResult(0);
    if (!destinations.count(result))
      destinations[result] = temporary(dimsOf(result), plainType(result).getElementType(), joined->getName().stripDialect());
    Storage whole = destinations[result];
    for (auto [part, value] : llvm::enumerate(joined->getOperands())) {
      std::optional<Layout> place = placeInResult(joined, part, whole.layout);
      // A tapped value is dense: interventions know its shape and nothing else.
      bool mustBeDense = isa_and_nonnull<TapOp>(value.getDefiningOp());
      if (!place || !isWrittenByGroup(value) || destinations.count(value) || !value.hasOneUse() || (mustBeDense && !place->isContiguous()))
        continue;
      destinations[value] = {whole.buffer, *place};
    }
  }
}

/// The axis order in which a user sees all of `value`, as a layout that makes that user's view row-major; nothing when it is no mere
/// reordering that keeps the last axis last.
static std::optional<Layout> layoutWantedBy(Operation *user, Value value) {
  auto view = dyn_cast<View>(user);
  if (!view)
    return std::nullopt;
  Layout plain = Layout::contiguous(dimsOf(value));
  FailureOr<Layout> seen = view.view(plain);
  if (failed(seen) || seen->sizes.size() != plain.sizes.size() || !seen->offset.isZero())
    return std::nullopt;
  Layout wanted = plain, ordered = Layout::contiguous(seen->sizes);
  for (size_t axis = 0; axis < plain.sizes.size(); ++axis) {
    auto found = llvm::find(seen->strides, plain.strides[axis]);
    if (found == seen->strides.end() || seen->sizes[found - seen->strides.begin()] != plain.sizes[axis])
      return std::nullopt;
    wanted.strides[axis] = ordered.strides[found - seen->strides.begin()];
  }
  if (!wanted.strides.back().isOne() || wanted == plain)
    return std::nullopt;
  return wanted;
}

void StorageTable::choosePermuted(ArrayRef<Group> groups) {
  for (const Group &group : groups) {
    if (group.kind != GroupKind::Skeleton)
      continue;
    for (Value result : group.ops.back()->getResults()) {
      if (destinations.count(result) || result.use_empty() || plainType(result).getRank() < 3)
        continue;
      std::optional<Layout> wanted = layoutWantedBy(*result.user_begin(), result);
      if (!wanted || llvm::any_of(result.getUsers(), [&](Operation *user) {
            std::optional<Layout> other = layoutWantedBy(user, result);
            return !other || !(*other == *wanted);
          }))
        continue;
      Storage storage = temporary(dimsOf(result), plainType(result).getElementType(), result.getDefiningOp()->getName().stripDialect());
      destinations[result] = {storage.buffer, *wanted};
    }
  }
}

void StorageTable::choose(ArrayRef<Group> groups) {
  llvm::SmallPtrSet<Operation *, 16> elementwise;
  for (const Group &group : groups)
    for (Operation *op : group.ops)
      if (group.kind == GroupKind::Rows || (group.kind == GroupKind::Skeleton && isa<Pointwise>(op)))
        elementwise.insert(op);
  chooseResults(function.getBody().front().getTerminator());
  chooseAssigned(elementwise);
  chooseJoined(groups);
  choosePermuted(groups);
}
