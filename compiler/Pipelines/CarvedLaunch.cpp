// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Pipelines/CarvedLaunch.h"

#include "compiler/Artifact/Interface.h"
#include "compiler/Pipelines/KernelFormula.h"
#include "compiler/Target/CPU/Skeletons.h"
#include "dialects/Nacre/IR/Operator.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;
using namespace mlir;

CarvedLaunch::CarvedLaunch(plan::LaunchOp launch, const ModelDescription &model, const FunctionDescription &function)
    : launch(launch), kernel(SymbolTable::lookupNearestSymbolFrom<plan::KernelOp>(launch, launch.getKernelAttr())), model(model),
      function(function) {
  collect();
  sortReadOnlyFirst();
  collectDims();
  nameArguments();
  noteIndices();
}

int64_t CarvedLaunch::readOnly() const {
  return llvm::count_if(operands, [](const Operand &one) { return !one.argument.isWritten; });
}

/// Whether the two are the same elements of the same memory.
bool CarvedLaunch::Operand::isSame(const Operand &other) const {
  return buffer == other.buffer && offset == other.offset && argument.sizes == other.argument.sizes &&
         argument.strides == other.argument.strides;
}

/// The axes that are walked: those with more than one element that do not repeat.
static void walkedAxes(const Layout &layout, KernelArgument &argument) {
  for (auto [size, stride] : llvm::zip(layout.sizes, layout.strides))
    if (!size.isOne() && !stride.isZero()) {
      argument.sizes.push_back(size);
      argument.strides.push_back(stride);
    }
}

int64_t CarvedLaunch::add(const Operand &operand) {
  auto same = llvm::find_if(operands, [&](const Operand &other) { return other.isSame(operand); });
  if (same != operands.end())
    return same - operands.begin();
  operands.push_back(operand);
  return int64_t(operands.size()) - 1;
}

void CarvedLaunch::collect() {
  std::optional<int64_t> padded = cpu::paddedView(kernel);
  operandOf.assign(launch.getViews().size(), -1);
  for (size_t i = 0; i < operandOf.size(); ++i) {
    plan::ViewAttr view = viewAt(i);
    if (view.getBuffer() < 0)
      continue;
    Layout layout = plan::layoutOf(view);
    Operand operand;
    operand.buffer = launch.getBuffers()[view.getBuffer()].getDefiningOp<plan::BufferOp>();
    operand.offset = layout.offset;
    walkedAxes(layout, operand.argument);
    operand.argument.isInteger = !operand.buffer.getElement().isF32();
    operandOf[i] = add(operand);
    KernelArgument &argument = operands[operandOf[i]].argument;
    (i < reads() ? argument.isRead : argument.isWritten) = true;
    if (padded == int64_t(i))
      argument.readableTo = cpu::kPaddedElements;
  }
}

void CarvedLaunch::sortReadOnlyFirst() {
  std::vector<int64_t> place(operands.size());
  std::vector<Operand> sorted;
  for (bool written : {false, true})
    for (auto [i, operand] : llvm::enumerate(operands))
      if (operand.argument.isWritten == written) {
        place[i] = sorted.size();
        sorted.push_back(operand);
      }
  operands = std::move(sorted);
  for (int64_t &position : operandOf)
    position = position < 0 ? -1 : place[position];
}

static bool mentions(plan::ViewAttr view, StringRef dim) {
  Layout layout = plan::layoutOf(view);
  auto isIn = [&](const Dim &size) { return size.mentions(dim); };
  return llvm::any_of(layout.sizes, isIn) || llvm::any_of(layout.strides, isIn) || (view.getBuffer() < 0 && isIn(layout.offset));
}

void CarvedLaunch::collectDims() {
  llvm::StringSet<> used;
  for (const DimDescription &dim : model.dims) {
    if (llvm::none_of(launch.getViews(), [&](Attribute view) { return mentions(cast<plan::ViewAttr>(view), dim.name); }))
      continue;
    auto least = function.leastDims.find(dim.name);
    extents.push_back({freshName(dim.name, used), dim.name, least == function.leastDims.end() ? 0 : least->second, dim.bound});
  }
}

/// Names of the model: of inputs, parameters and results; of intermediate values the operators that made them.
void CarvedLaunch::nameArguments() {
  llvm::StringSet<> used;
  for (StringRef own : {"begin", "end", "threads", "scratch"})
    used.insert(own);
  for (const KernelExtent &extent : extents)
    used.insert(extent.name);
  for (Operand &operand : operands) {
    StringRef wanted = operand.buffer.getName();
    if (operand.buffer.getSpace() == "output" && size_t(operand.buffer.getIndex()) < function.outputs.size())
      wanted = function.outputs[operand.buffer.getIndex()].name;
    operand.argument.name = freshName(wanted, used);
  }
}

std::string CarvedLaunch::viewName(size_t i) {
  if (operandOf[i] >= 0)
    return operands[operandOf[i]].argument.name;
  Layout layout = plan::layoutOf(viewAt(i));
  return viewAt(i).getBuffer() == plan::kNumber ? layout.offset.str() : "position" + text(layout.strides);
}

/// Names of the kernel's block arguments. Indices of entries reach a kernel sorted: as order, rows and ends.
std::vector<std::string> CarvedLaunch::inputNames() {
  Value indices, rows;
  for (Operation &op : kernel.getBody().front())
    if (auto segmented = dyn_cast<Segmented>(op)) {
      indices = segmented.segmentIndices();
      rows = segmented.segmentRows();
    }
  constexpr size_t kSortedParts = 3;
  size_t next = 0;
  std::vector<std::string> names;
  for (Value argument : kernel.getBody().getArguments()) {
    size_t parts = argument == indices ? kSortedParts : argument == rows ? 0 : 1;
    std::vector<std::string> joined;
    for (size_t i = 0; i < parts && next < reads(); ++i)
      joined.push_back(viewName(next++));
    names.push_back(argument == indices ? "sorted(" + llvm::join(joined, ", ") + ")" : joined.empty() ? "rows" : joined.front());
  }
  return names;
}

/// What operators ask of positions, where the operand is theirs.
void CarvedLaunch::noteIndices() {
  Block &block = kernel.getBody().front();
  if (block.getNumArguments() != reads())
    return;
  for (Operation &op : block)
    if (auto indexing = dyn_cast<Indexing>(op))
      if (auto positions = dyn_cast<BlockArgument>(indexing.positions()); positions && operandOf[positions.getArgNumber()] >= 0)
        operands[operandOf[positions.getArgNumber()]].argument.valueBound = indexing.positionBound().value_or(0);
}

void CarvedLaunch::describe(KernelExport &exported) {
  exported.extents = extents;
  for (const Operand &operand : operands)
    exported.arguments.push_back(operand.argument);
  std::vector<std::string> outputs;
  for (size_t i = reads(); i < operandOf.size(); ++i)
    outputs.push_back(viewName(i));
  exported.formula = formulaOf(kernel, inputNames(), outputs);
}

plan::ProgramOp CarvedLaunch::build(OpBuilder &builder, StringRef name) {
  Location loc = launch.getLoc();
  auto program = plan::ProgramOp::create(builder, loc, name, StringAttr());
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&program.getBody());
  SmallVector<Value> buffers;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    bool isWritten = operand.argument.isWritten;
    int64_t index = isWritten ? int64_t(i) - readOnly() : int64_t(i);
    buffers.push_back(plan::BufferOp::create(builder, loc, operand.buffer.getType(), builder.getStringAttr(isWritten ? "output" : "input"),
                                             builder.getStringAttr(operand.argument.name), builder.getI64IntegerAttr(index),
                                             operand.buffer.getShapeAttr(), operand.buffer.getElementAttr(), StringAttr()));
  }
  SmallVector<Attribute> views;
  for (size_t i = 0; i < operandOf.size(); ++i) {
    Layout layout = plan::layoutOf(viewAt(i));
    if (operandOf[i] >= 0)
      layout.offset = Dim(); // the pointer is that of the first element
    views.push_back(plan::viewOf(builder.getContext(), operandOf[i] >= 0 ? operandOf[i] : viewAt(i).getBuffer(), layout));
  }
  plan::LaunchOp::create(builder, loc, launch.getKernelAttr(), buffers, builder.getArrayAttr(views), launch.getWritesAttr(),
                         launch.getOperationsAttr(), ValueRange(), builder.getDenseBoolArrayAttr({}));
  return program;
}
