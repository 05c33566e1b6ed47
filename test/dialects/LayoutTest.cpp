// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Views: the layout that an operator promises must name the very elements that its reference moves.
#include "compiler/Pipelines/Compile.h"
#include "dialects/Nacre/IR/Expression.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <gtest/gtest.h>

using namespace nacre;

namespace {

/// A tensor as a function argument, and operators on it.
class LayoutTest : public ::testing::Test {
protected:
  LayoutTest() {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = mlir::ModuleOp::create(mlir::UnknownLoc::get(&context));
  }

  Formula tensor(llvm::ArrayRef<Dim> dims) {
    mlir::OpBuilder at(module->getBodyRegion());
    auto type = mlir::FunctionType::get(&context, tensorOf(&context, mlir::Float32Type::get(&context), dims), {});
    auto function = mlir::func::FuncOp::create(at, at.getUnknownLoc(), "f" + std::to_string(count++), type);
    builder.emplace(mlir::UnknownLoc::get(&context), mlir::OpBuilder::atBlockEnd(function.addEntryBlock()));
    return Formula(*builder, function.getArgument(0));
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<mlir::ImplicitLocOpBuilder> builder;
  int count = 0;
};

} // namespace

static Dims sizes(std::initializer_list<int64_t> values) {
  Dims result;
  for (int64_t value : values)
    result.push_back(Dim::constant(value));
  return result;
}

static Layout layout(int64_t offset, std::initializer_list<int64_t> extents, std::initializer_list<int64_t> strides) {
  return {Dim::constant(offset), sizes(extents), sizes(strides)};
}

static std::vector<int64_t> places(const Layout &layout) {
  std::vector<int64_t> result = {*layout.offset.asConstant()};
  for (size_t axis = 0; axis < layout.sizes.size(); ++axis) {
    std::vector<int64_t> wider;
    for (int64_t place : result)
      for (int64_t i = 0; i < *layout.sizes[axis].asConstant(); ++i)
        wider.push_back(place + i * *layout.strides[axis].asConstant());
    result = std::move(wider);
  }
  return result;
}

static mlir::FailureOr<Layout> viewOf(Formula result, const Layout &source) {
  return mlir::cast<View>(result.value.getDefiningOp()).view(source);
}

TEST_F(LayoutTest, ReshapeOfStridedStorageKeepsTheOrderOfElements) {
  struct {
    Layout source;
    Dims to;
    bool isView;
  } cases[] = {
      {layout(0, {6, 4}, {4, 1}), sizes({24}), true},
      {layout(5, {6, 4}, {8, 1}), sizes({2, 3, 4}), true},         // rows of a wider tensor
      {layout(0, {6, 4}, {8, 1}), sizes({24}), false},             // rows with gaps do not join
      {layout(0, {4, 6}, {1, 4}), sizes({4, 2, 3}), true},         // transposed storage, split inside an axis
      {layout(0, {4, 6}, {1, 4}), sizes({24}), false},             // transposed storage does not join
      {layout(0, {2, 1, 3}, {3, 99, 1}), sizes({6}), true},        // the stride of a single element does not matter
      {layout(0, {6}, {1}), sizes({1, 6, 1}), true},               //
      {layout(7, {3, 5}, {0, 1}), sizes({3, 1, 5}), true},         // repeated rows
      {layout(7, {3, 5}, {0, 1}), sizes({15}), false},             //
      {layout(0, {3, 5}, {0, 0}), sizes({15}), true},              // one element everywhere
      {layout(0, {4, 6}, {12, 2}), sizes({2, 2, 2, 3}), true},     // every second element
      {layout(0, {1, 1}, {7, 9}), sizes({1}), true},
  };
  for (auto &[source, to, isView] : cases) {
    mlir::FailureOr<Layout> view = viewOf(reshape(tensor(source.sizes), to), source);
    EXPECT_EQ(mlir::succeeded(view), isView) << text(source.sizes) << " to " << text(to);
    if (mlir::succeeded(view) && isView) {
      EXPECT_EQ(places(*view), places(source)) << text(source.sizes) << " to " << text(to);
      EXPECT_TRUE(view->sizes == to);
    }
  }
}

TEST_F(LayoutTest, ReshapeSplitsSymbolicAxes) {
  Dim b = Dim::symbol("B"), t = Dim::symbol("T"), four = Dim::constant(4), twelve = Dim::constant(12), three = Dim::constant(3);
  Layout source = Layout::contiguous({b, t, twelve});
  mlir::FailureOr<Layout> heads = viewOf(reshape(tensor({b, t, twelve}), {b, t, four, three}), source);
  ASSERT_TRUE(mlir::succeeded(heads));
  EXPECT_TRUE(heads->isContiguous());
  mlir::FailureOr<Layout> rows = viewOf(reshape(tensor({b, t, twelve}), {b * t, twelve}), source);
  ASSERT_TRUE(mlir::succeeded(rows));
  EXPECT_TRUE(rows->isContiguous());
  source.strides[0] = source.strides[0] * Dim::constant(2); // every second sentence
  EXPECT_FALSE(mlir::succeeded(viewOf(reshape(tensor({b, t, twelve}), {b * t, twelve}), source)));
}

TEST_F(LayoutTest, PermuteSliceAndBroadcastOfStridedStorage) {
  Layout source = layout(3, {2, 3, 4}, {40, 10, 2});
  mlir::FailureOr<Layout> turned = viewOf(permute(tensor(source.sizes), {2, 0, 1}), source);
  ASSERT_TRUE(mlir::succeeded(turned));
  EXPECT_TRUE(*turned == layout(3, {4, 2, 3}, {2, 40, 10}));
  mlir::FailureOr<Layout> part = viewOf(slice(tensor(source.sizes), 2, Dim::constant(1), Dim::constant(2)), source);
  ASSERT_TRUE(mlir::succeeded(part));
  EXPECT_TRUE(*part == layout(5, {2, 3, 2}, {40, 10, 2}));
  Layout row = layout(1, {3, 1}, {5, 9});
  mlir::FailureOr<Layout> repeated = viewOf(broadcastTo(tensor(row.sizes), sizes({2, 3, 4})), row);
  ASSERT_TRUE(mlir::succeeded(repeated));
  EXPECT_TRUE(*repeated == layout(1, {2, 3, 4}, {0, 5, 0}));
}

TEST_F(LayoutTest, ContiguousLayoutsAreRecognised) {
  EXPECT_TRUE(Layout::contiguous(sizes({2, 3, 4})) == layout(0, {2, 3, 4}, {12, 4, 1}));
  EXPECT_FALSE(layout(1, {4}, {1}).isContiguous());
  EXPECT_FALSE(layout(0, {4}, {2}).isContiguous());
  EXPECT_TRUE(Layout::contiguous({}).isContiguous());
}
