// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels over the entries of sparse rows: every operand as rows and columns, leading axes as one.
#include "compiler/Transforms/ProgramBuilder.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace nacre;
using namespace mlir;

namespace {

/// How a kernel reads an operand.
enum class Form {
  Rows,    ///< one row a row of the result, columns side by side
  Entries, ///< one element after the other
  Table,   ///< two axes of any stride
  Stack    ///< three axes, of which one of the last two is walked with stride 1
};

struct EntriesSkeleton {
  StringRef name;
  SmallVector<Form, 3> operands;
  Form listedRows = Form::Rows; ///< what stands for Form::Rows when entries name their rows
  bool reports = false;         ///< the last result is a number that must lie in [0, limit]; the operator says what it expects
};

} // namespace

static const EntriesSkeleton *findSkeleton(StringRef name) {
  static const EntriesSkeleton all[] = {
      {"select", {Form::Rows}},
      {"take", {Form::Rows, Form::Entries}, Form::Table},
      {"place", {Form::Entries, Form::Entries}},
      {"gather_sum", {Form::Entries, Form::Entries, Form::Table}},
      {"sampled", {Form::Rows, Form::Table, Form::Entries}},
      {"segment", {Form::Entries, Form::Entries, Form::Rows}},
      {"segment_sum", {Form::Entries, Form::Entries}},
      {"segment_position", {Form::Entries}},
      {"nonzeros", {Form::Rows}, Form::Rows, true},
      {"checked_ids", {Form::Entries}, Form::Rows, true},
      {"grouped", {Form::Rows, Form::Stack, Form::Entries}},
      {"grouped_outer", {Form::Rows, Form::Rows, Form::Entries}},
  };
  const EntriesSkeleton *found = llvm::find_if(all, [&](const EntriesSkeleton &skeleton) { return skeleton.name == name; });
  return found == std::end(all) ? nullptr : found;
}

bool nacre::isEntriesSkeleton(StringRef skeleton) { return findSkeleton(skeleton) != nullptr; }

bool nacre::mayEndCall(Operation *op) {
  auto skeleton = dyn_cast<Skeleton>(op);
  const EntriesSkeleton *found = skeleton ? findSkeleton(skeleton.skeleton()) : nullptr;
  return found && found->reports;
}

static Layout asMatrix(const Dims &sizes) { return Layout::contiguous({product(ArrayRef<Dim>(sizes).drop_back()), sizes.back()}); }

/// A list as the kernels see it: rows and columns, one after the other.
static Operand asList(const Storage &from) {
  Layout layout = asMatrix(from.layout.sizes);
  layout.offset = from.layout.offset;
  return {from.buffer, 0, layout};
}

ArrayRef<Operand> ProgramBuilder::orderOf(Segmented segmented, const Dim &rowCount) {
  Value indices = segmented.segmentIndices(), rows = segmented.segmentRows();
  Storage from = readWhole(indices);
  KernelBody body;
  body.skeleton = "segment_order";
  body.inputs = {indices};
  std::vector<Operand> operands = {asList(from)};
  llvm::SaveAndRestore saved(guard, demand.of(indices)); // others may need the order when its first reader is skipped
  std::string key;
  llvm::raw_string_ostream text(key);
  text << from.buffer.getAsOpaquePointer() << "+" << from.layout.offset.str() << " of " << operands[0].layout.sizes[1].str() << " by "
       << segmented.segments().str(); // with other rows, entries stand in other rows
  if (rows) {
    body.inputs.push_back(rows);
    operands.push_back(asList(readWhole(rows)));
    operands.back().layout.sizes[0] = rowCount;
    text << " in " << operands.back().buffer.getAsOpaquePointer() << "+" << operands.back().layout.offset.str();
  }
  for (const Literal &literal : guard) // where only one of two readers of the same place runs, each has an order of its own
    text << " if " << literal.condition.getAsOpaquePointer() << (literal.holds ? "" : " not");
  std::vector<Operand> &known = orders[key];
  if (!known.empty())
    return known;
  Dim count = product(from.layout.sizes);
  auto list = [&](const Dim &size, StringRef name) {
    Storage made = storage.temporary({size}, IntegerType::get(builder.getContext(), 32), name);
    return Operand{made.buffer, 0, made.layout};
  };
  known = {list(count, "order"), list(count, "order_rows"), list(segmented.segments() + Dim::constant(1), "segment_ends")};
  llvm::append_range(operands, known);
  body.outputs = {indices, indices, indices}; // what is written has no operator of its own
  body.access.assign(operands.size(), "i32");
  launch(segmented->getLoc(), body, operands, count);
  return known;
}

LogicalResult ProgramBuilder::buildEntries(const Group &group) {
  Operation *heart = group.ops.front();
  const EntriesSkeleton &skeleton = *findSkeleton(cast<Skeleton>(heart).skeleton());
  auto segmented = dyn_cast<Segmented>(heart);
  KernelBody body;
  body.skeleton = skeleton.name.str();
  body.ops.assign(group.ops.begin(), group.ops.end());
  body.inputs.assign(heart->operand_begin(), heart->operand_end());
  std::vector<Operand> operands;
  // One operand more is a list of the entries' rows.
  bool listed = heart->getNumOperands() > skeleton.operands.size();
  for (auto [index, value] : llvm::enumerate(heart->getOperands())) {
    Form form = index < skeleton.operands.size() ? skeleton.operands[index] : Form::Entries;
    if (listed && form == Form::Rows)
      form = skeleton.listedRows;
    Dims sizes = dimsOf(value);
    body.access.push_back(elementName(plainType(value).getElementType()));
    if (segmented && value == segmented.segmentIndices()) {
      // Rows are those of the operand that entries multiply.
      auto rows = llvm::find(skeleton.operands, Form::Rows) - skeleton.operands.begin();
      Dim rowCount = rows < int64_t(heart->getNumOperands()) ? dimsOf(heart->getOperand(rows))[0] : Dim();
      llvm::append_range(operands, orderOf(segmented, rowCount));
    } else if (segmented && value == segmented.segmentRows()) {
      continue; // its order holds them
    } else if (form == Form::Entries) {
      operands.push_back(asList(readWhole(value)));
    } else if (form == Form::Stack) {
      Storage from = read(value);
      if (llvm::none_of(ArrayRef<Dim>(from.layout.strides).take_back(2), [](const Dim &stride) { return stride.isOne(); }))
        from = copied(value);
      operands.push_back({from.buffer, 0, from.layout});
    } else if (form == Form::Table) {
      Storage from = read(value);
      operands.push_back({from.buffer, 0, from.layout});
    } else {
      Storage from = read(value);
      if (from.layout.strides.back().isZero() && !sizes.back().isOne())
        storage.set(value, copied(value)); // hearts read columns side by side
      // A row that several rows of the result share repeats.
      bool ownRows = segmented || listed || dimsOf(heart->getResult(0)).size() != sizes.size();
      Dims space = ownRows ? sizes : dimsOf(heart->getResult(0));
      space.back() = sizes.back();
      operands.push_back(readFlat(value, space, /*mayRepeat=*/false)); // the kernels walk a row element by element
    }
  }
  for (Value extra : extrasOf(group)) {
    body.inputs.push_back(extra);
    body.access.push_back(elementName(plainType(extra).getElementType()));
    operands.push_back(readFlat(extra, group.space, /*mayRepeat=*/true));
  }
  body.outputs = outputsOf(group);
  if (body.ops.size() == 1) // all results have a place in the kernel's slots
    body.outputs.assign(heart->result_begin(), heart->result_end());
  std::vector<std::pair<Value, Storage>> moved;
  for (Value output : body.outputs) {
    Storage to = storage.allocate(output);
    std::optional<Run> rows = merge(to.layout, 0, to.layout.sizes.size() - 1);
    // A place whose rows do not follow each other is filled by a copy.
    if (!rows || !(to.layout.strides.back().isOne() || to.layout.sizes.back().isOne())) {
      moved.push_back({output, to});
      to = storage.temporary(dimsOf(output), plainType(output).getElementType(), "rows");
      rows = merge(to.layout, 0, to.layout.sizes.size() - 1);
    }
    body.access.push_back(elementName(plainType(output).getElementType()));
    operands.push_back({to.buffer, 0, {to.layout.offset, {rows->size, to.layout.sizes.back()}, {rows->stride, Dim::constant(1)}}});
  }
  launch(heart->getLoc(), body, operands, cast<Skeleton>(heart).operations());
  if (skeleton.reports) {
    auto [conditions, taken] = guardOperands(guard);
    auto said = [&](StringRef name) { return heart->getAttrOfType<StringAttr>(name); };
    plan::CheckRangeOp::create(builder, heart->getLoc(), operands.back().buffer, said("limit"), said("expects"), said("unit"), conditions,
                               builder.getDenseBoolArrayAttr(taken));
  }
  for (const auto &move : moved) {
    auto output = llvm::find(body.outputs, move.first) - body.outputs.begin();
    const Operand &made = operands[operands.size() - body.outputs.size() + output];
    copy(heart->getLoc(), move.first, {made.buffer, Layout::contiguous(dimsOf(move.first))}, move.second);
  }
  return success();
}
