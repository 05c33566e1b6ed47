// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// collect the right factors that are parameters -> one copy for each way of reading one -> launches read copies, a program fills them.
#include "compiler/Transforms/PackWeights.h"

#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Plan/IR/PlanOps.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <map>

using namespace nacre;
using namespace mlir;

static constexpr int64_t kRightFactor = 1;      // its place among a contraction's views
static constexpr int64_t kAlignmentBytes = 64;  // a cache line, and the widest vector
static constexpr int64_t kWordBytes = 4;

namespace {

/// A packed copy of a parameter.
struct Copy {
  plan::BufferOp parameter; ///< of the first program that reads it
  Layout from;              ///< [outer, inner, depth, columns]
  Layout to;                ///< [outer, inner, words of a column, columns]
  int64_t offsetBytes;
  plan::Precision precision;
};

using Copies = llvm::MapVector<StringAttr, Copy>;

} // namespace

static plan::BufferOp bufferOf(plan::LaunchOp launch, plan::ViewAttr view) {
  return view.getBuffer() < 0 ? plan::BufferOp() : launch.getBuffers()[view.getBuffer()].getDefiningOp<plan::BufferOp>();
}

static bool writesParameters(plan::ProgramOp program) {
  for (auto launch : program.getOps<plan::LaunchOp>())
    for (Attribute view : launch.getViews().getValue().take_back(launch.getWrites()))
      if (bufferOf(launch, cast<plan::ViewAttr>(view)).getSpace() == "parameter")
        return true;
  return false;
}

static plan::KernelOp kernelOf(plan::LaunchOp launch) {
  return SymbolTable::lookupNearestSymbolFrom<plan::KernelOp>(launch, launch.getKernelAttr());
}

static bool isContraction(plan::LaunchOp launch) {
  plan::KernelOp kernel = kernelOf(launch);
  return kernel && llvm::is_contained({"contract", "contract_fold", "grouped"}, kernel.getSkeleton());
}

static bool isConstant(const Layout &layout) {
  auto known = [](const Dim &dim) { return dim.asConstant().has_value(); };
  return known(layout.offset) && llvm::all_of(layout.sizes, known) && llvm::all_of(layout.strides, known);
}

/// The factor as [outer, inner, depth, columns]; nothing when it is not to be packed.
static std::optional<Layout> packableFactor(plan::LaunchOp launch) {
  if (!isContraction(launch))
    return std::nullopt;
  auto view = cast<plan::ViewAttr>(launch.getViews()[kRightFactor]);
  plan::BufferOp buffer = bufferOf(launch, view);
  Layout layout = plan::layoutOf(view);
  if (!buffer || buffer.getSpace() != "parameter" || !buffer.getElement().isF32() || !isConstant(layout))
    return std::nullopt;
  while (layout.sizes.size() < 4) {
    layout.sizes.insert(layout.sizes.begin() + layout.sizes.size() - 2, Dim::constant(1));
    layout.strides.insert(layout.strides.begin() + layout.strides.size() - 2, Dim());
  }
  int64_t columns = *layout.sizes[3].asConstant();
  bool isRunning = layout.strides[3].isOne() || layout.strides[2].isOne();
  bool isWorthIt = plan::packedColumns(columns) <= 2 * columns;
  return isRunning && isWorthIt && !product(layout.sizes).isZero() ? std::optional<Layout>(layout) : std::nullopt;
}

/// The packed form of a factor. Matrices that repeat are packed once.
static Layout packedLayout(const Layout &from, plan::Precision precision) {
  Dim words = Dim::constant(plan::packedWords(*from.sizes[2].asConstant(), precision));
  Dim columns = Dim::constant(plan::packedColumns(*from.sizes[3].asConstant()));
  Dim outer = from.strides[0].isZero() ? Dim::constant(1) : from.sizes[0], inner = from.strides[1].isZero() ? Dim::constant(1) : from.sizes[1];
  Layout to = {Dim(), {outer, inner, words, columns}, {inner * words * columns, words * columns, Dim::constant(1), words}};
  for (int axis : {0, 1})
    if (from.strides[axis].isZero())
      to.strides[axis] = Dim();
  return to;
}

/// The precision of a product when `wanted` is asked for.
static plan::Precision usablePrecision(plan::LaunchOp launch, const Layout &from, plan::Precision wanted) {
  for (Operation &op : kernelOf(launch).getBody().front())
    if (auto contraction = dyn_cast<Contraction>(op); contraction && !contraction.checkpoints().empty())
      return plan::Precision::F32;
  bool overflows = wanted == plan::Precision::Int8 && *from.sizes[2].asConstant() > plan::kLongestInt8Sum;
  return overflows || wanted == plan::Precision::Tf32 ? plan::Precision::F32 : wanted;
}

static std::string packedAccess(plan::Precision precision) { return plan::nameOf(precision).str() + ":packed"; }

/// Lets a launch use the kernel that multiplies numbers of `precision`, which is made when it is first asked for. f32 needs no other one.
static void useKernel(plan::LaunchOp launch, plan::Precision precision) {
  if (precision == plan::Precision::F32)
    return;
  plan::KernelOp kernel = kernelOf(launch);
  auto name = StringAttr::get(launch.getContext(), kernel.getSymName() + "_" + plan::nameOf(precision));
  if (!SymbolTable::lookupNearestSymbolFrom(launch, name)) {
    OpBuilder builder(kernel);
    builder.setInsertionPointAfter(kernel);
    auto narrow = cast<plan::KernelOp>(builder.clone(*kernel.getOperation()));
    narrow.setSymNameAttr(name);
    SmallVector<Attribute> access(kernel.getAccess().begin(), kernel.getAccess().end());
    access[kRightFactor] = builder.getStringAttr(packedAccess(precision));
    narrow.setAccessAttr(builder.getArrayAttr(access));
  }
  launch.setKernelAttr(FlatSymbolRefAttr::get(name));
}

/// Replaces a launch's right factor by its copy, and drops the buffer that no view names any more.
static void readCopy(plan::LaunchOp launch, plan::BufferOp copy, const Layout &to) {
  auto factor = cast<plan::ViewAttr>(launch.getViews()[kRightFactor]);
  size_t axes = factor.getSizes().size();
  Layout read = plan::layoutOf(factor); // its sizes stay: they are the product's
  read.offset = Dim();
  read.strides = to.strides;
  if (axes < 4)
    read.strides.erase(read.strides.begin() + 1, read.strides.begin() + 1 + (4 - axes));
  SmallVector<plan::ViewAttr> views;
  llvm::SetVector<Value> buffers;
  for (auto [i, attribute] : llvm::enumerate(launch.getViews())) {
    auto view = cast<plan::ViewAttr>(attribute);
    Layout layout = i == kRightFactor ? read : plan::layoutOf(view);
    int64_t index = view.getBuffer();
    if (index >= 0) {
      Value buffer = i == kRightFactor ? Value(copy) : launch.getBuffers()[index];
      buffers.insert(buffer);
      index = llvm::find(buffers, buffer) - buffers.begin();
    }
    views.push_back(plan::viewOf(launch.getContext(), index, layout));
  }
  Builder builder(launch.getContext());
  launch.getBuffersMutable().assign(buffers.getArrayRef());
  launch.setViewsAttr(builder.getArrayAttr(SmallVector<Attribute>(views.begin(), views.end())));
}

static plan::BufferOp createBuffer(OpBuilder &builder, const Copy &copy) {
  plan::BufferOp like = copy.parameter;
  return plan::BufferOp::create(builder, like.getLoc(), like.getType(), builder.getStringAttr(plan::kPackedSpace), like.getNameAttr(),
                                builder.getI64IntegerAttr(0), dimsAttr(builder.getContext(), copy.to.sizes), like.getElementAttr(),
                                builder.getStringAttr(std::to_string(copy.offsetBytes)));
}

/// Lets the products of a program read copies; adds those that are not there yet. Returns the bytes of all copies.
static int64_t packProgram(plan::ProgramOp program, plan::Precision wanted, Copies &copies, int64_t bytes) {
  llvm::DenseMap<StringAttr, plan::BufferOp> buffers;
  for (auto launch : program.getOps<plan::LaunchOp>()) {
    std::optional<Layout> from = packableFactor(launch);
    if (!from)
      continue;
    plan::BufferOp parameter = bufferOf(launch, cast<plan::ViewAttr>(launch.getViews()[kRightFactor]));
    plan::Precision precision = usablePrecision(launch, *from, wanted);
    std::string key;
    llvm::raw_string_ostream(key) << parameter.getName() << " " << plan::nameOf(precision) << " " << plan::viewOf(program.getContext(), 0, *from);
    StringAttr name = StringAttr::get(program.getContext(), key);
    auto [copy, isNew] = copies.insert({name, {parameter, *from, packedLayout(*from, precision), bytes, precision}});
    if (isNew)
      bytes += llvm::alignTo(*product(copy->second.to.sizes).asConstant() * kWordBytes, kAlignmentBytes);
    plan::BufferOp &buffer = buffers[name];
    if (!buffer) {
      OpBuilder builder = OpBuilder::atBlockBegin(&program.getBody().front());
      buffer = createBuffer(builder, copy->second);
    }
    readCopy(launch, buffer, copy->second.to);
    useKernel(launch, precision);
  }
  return bytes;
}

/// The kernel: its weights go in, and come out in another order.
static plan::KernelOp createKernel(OpBuilder &builder, Location loc, plan::Precision precision) {
  Type weights = RankedTensorType::get({ShapedType::kDynamic, ShapedType::kDynamic}, builder.getF32Type());
  std::string name = (plan::kPackSkeleton + "_" + plan::nameOf(precision)).str(), access = packedAccess(precision);
  auto kernel = plan::KernelOp::create(builder, loc, name, plan::kPackSkeleton, 0, builder.getStrArrayAttr({"f32", access}));
  OpBuilder inside(builder);
  Block *block = inside.createBlock(&kernel.getBody());
  plan::YieldOp::create(inside, loc, ValueRange{block->addArgument(weights, loc)});
  return kernel;
}

static void createPackProgram(ModuleOp module, const Copies &copies) {
  OpBuilder builder(*module.getOps<plan::ProgramOp>().begin());
  std::map<plan::Precision, plan::KernelOp> kernels;
  for (const auto &[name, copy] : copies)
    if (!kernels.count(copy.precision))
      kernels[copy.precision] = createKernel(builder, module.getLoc(), copy.precision);
  auto program = plan::ProgramOp::create(builder, module.getLoc(), plan::kPackProgram, StringAttr());
  builder.createBlock(&program.getBody());
  for (const auto &[name, copy] : copies) {
    plan::BufferOp parameter = copy.parameter;
    Value from = builder.clone(*parameter.getOperation())->getResult(0), to = createBuffer(builder, copy);
    ArrayAttr views = builder.getArrayAttr({plan::viewOf(builder.getContext(), 0, copy.from), plan::viewOf(builder.getContext(), 1, copy.to)});
    plan::LaunchOp::create(builder, parameter.getLoc(), FlatSymbolRefAttr::get(kernels[copy.precision]), ValueRange{from, to}, views,
                           builder.getI64IntegerAttr(1), builder.getStringAttr("0"), ValueRange(), builder.getDenseBoolArrayAttr({}));
  }
}

/// Kernels that a narrow one has replaced everywhere.
static void eraseUnused(ModuleOp module) {
  llvm::DenseSet<StringAttr> used;
  for (auto program : module.getOps<plan::ProgramOp>())
    for (auto launch : program.getOps<plan::LaunchOp>())
      used.insert(launch.getKernelAttr().getAttr());
  for (auto kernel : llvm::make_early_inc_range(module.getOps<plan::KernelOp>()))
    if (!used.contains(kernel.getSymNameAttr()))
      kernel.erase();
}

int64_t nacre::packWeights(ModuleOp module, plan::Precision precision) {
  Copies copies;
  int64_t bytes = 0;
  for (auto program : module.getOps<plan::ProgramOp>())
    if (!writesParameters(program))
      bytes = packProgram(program, precision, copies, bytes);
  if (!copies.empty())
    createPackProgram(module, copies);
  eraseUnused(module);
  return bytes;
}
