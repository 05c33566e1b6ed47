// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nested values -> plain tensors.
//
// Every nested value is held in one of three forms, the cheapest that its operators allow: the prefixes of one tensor (no work yet),
// all members stacked on a new axis 0 (members of one shape), or one tensor a width.
#include "dialects/Nacre/IR/Expression.h"
#include "dialects/Nacre/IR/Ops/Contraction.h"
#include "dialects/Nacre/IR/Ops/Elementwise.h"
#include "dialects/Nacre/IR/Ops/NestedWidth.h"
#include "dialects/Nacre/IR/Ops/Program.h"
#include "dialects/Nacre/Transforms/Transforms.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseMap.h"

using namespace nacre;
using namespace mlir;

namespace {

struct Form {
  SmallVector<int64_t> widths;
  Value prefixesOf; ///< the tensor, when the value is its prefixes along `axis`
  int64_t axis = 0;
  Value stacked;                ///< [widths, ...]
  SmallVector<Value> perWidth;  ///< one a width
};

class Expander {
public:
  explicit Expander(func::FuncOp function) : function(function) {}
  LogicalResult run();

private:
  LogicalResult expand(Operation &op);
  LogicalResult expandWidthwise(Operation &op);
  bool expandPrefixProduct(Operation &op, ArrayRef<int64_t> widths);
  bool expandStacked(Operation &op, ArrayRef<int64_t> widths);
  LogicalResult expandEach(Operation &op, ArrayRef<int64_t> widths);
  LogicalResult expandPick(PickOp op);
  LogicalResult expandTap(TapOp op);
  LogicalResult expandReturn(Operation &op);

  /// `operand` at one width: sizes and positions, and what is made of them alone, follow the width without being nested.
  FailureOr<Value> atWidth(ImplicitLocOpBuilder &b, Value operand, int64_t width);
  /// The member at position `i` as a plain tensor.
  Value member(ImplicitLocOpBuilder &b, Value nested, size_t i);
  /// All members on a new axis 0; null when their shapes differ.
  Value stack(ImplicitLocOpBuilder &b, Value nested);

  func::FuncOp function;
  DenseMap<Value, Form> forms;
  SmallVector<Operation *> dead;
};

} // namespace

static bool isNested(Value value) { return isa<NestedType>(value.getType()); }

Value Expander::member(ImplicitLocOpBuilder &b, Value nested, size_t i) {
  Form &form = forms[nested];
  if (!form.perWidth.empty())
    return form.perWidth[i];
  if (form.prefixesOf)
    return slice(Formula(b, form.prefixesOf), form.axis, Dim(), Dim::constant(form.widths[i])).value;
  return dropAxis(slice(Formula(b, form.stacked), 0, Dim::constant(i), Dim::constant(1)), 0).value;
}

Value Expander::stack(ImplicitLocOpBuilder &b, Value nested) {
  Form &form = forms[nested];
  if (form.stacked)
    return form.stacked;
  for (const Dim &dim : dimsOf(nested))
    if (dim.mentions(kWidth))
      return Value();
  SmallVector<Value> parts;
  for (size_t i = 0; i < form.widths.size(); ++i)
    parts.push_back(addAxis(Formula(b, member(b, nested, i)), 0).value);
  form.stacked = parts.size() == 1 ? parts[0] : concat(b, parts, 0).value;
  return form.stacked;
}

/// matmul(prefixes(x), prefixes(w, axis = 0))  ->  nested_matmul(x, w): one accumulation with checkpoints instead of a product a width.
bool Expander::expandPrefixProduct(Operation &op, ArrayRef<int64_t> widths) {
  auto product = dyn_cast<MatmulOp>(op);
  if (!product || !isNested(product.getA()) || !isNested(product.getB()))
    return false;
  Form &a = forms[product.getA()], &b = forms[product.getB()];
  if (!a.prefixesOf || !b.prefixesOf || plainType(b.prefixesOf).getRank() != 2 || b.axis != 0 ||
      a.axis != plainType(a.prefixesOf).getRank() - 1 || dimsOf(a.prefixesOf).back() != dimsOf(b.prefixesOf)[0])
    return false;
  OpBuilder builder(&op);
  Form &form = forms[op.getResult(0)];
  Value x = a.prefixesOf, w = b.prefixesOf;
  form.widths.assign(widths.begin(), widths.end());
  form.stacked = NestedMatmulOp::create(builder, op.getLoc(), x, w, widths);
  return true;
}

static bool followsWidth(Value value);

bool Expander::expandStacked(Operation &op, ArrayRef<int64_t> widths) {
  auto widthwise = dyn_cast<Widthwise>(op);
  if (!widthwise)
    return false;
  ImplicitLocOpBuilder b(op.getLoc(), &op);
  SmallVector<Value> operands;
  SmallVector<bool> stacked;
  for (Value operand : op.getOperands()) {
    // Joining separate members would copy them; only what is already together stays together.
    bool nested = isNested(operand);
    if ((nested && !forms[operand].stacked) || followsWidth(operand))
      return false;
    operands.push_back(nested ? forms[operand].stacked : operand);
    stacked.push_back(nested);
  }
  FailureOr<Value> result = widthwise.buildStacked(b, operands, stacked);
  if (failed(result))
    return false;
  Form &form = forms[op.getResult(0)];
  form.widths.assign(widths.begin(), widths.end());
  form.stacked = *result;
  return true;
}

/// Polynomial texts inside attributes, with `width` bound.
static Attribute bindWidth(Attribute attribute, const Dim &width) {
  if (auto text = dyn_cast<StringAttr>(attribute)) {
    std::optional<Dim> dim = Dim::parse(text.getValue());
    return dim && dim->mentions(kWidth) ? StringAttr::get(text.getContext(), dim->substitute(kWidth, width).str()) : attribute;
  }
  if (auto list = dyn_cast<ArrayAttr>(attribute)) {
    SmallVector<Attribute> bound;
    for (Attribute element : list)
      bound.push_back(bindWidth(element, width));
    return ArrayAttr::get(attribute.getContext(), bound);
  }
  return attribute;
}

static FailureOr<Operation *> cloneAtWidth(ImplicitLocOpBuilder &b, Operation &op, ArrayRef<Value> operands, int64_t width) {
  Operation *copy = b.clone(op);
  copy->setOperands(operands);
  for (NamedAttribute attribute : op.getAttrs())
    copy->setAttr(attribute.getName(), bindWidth(attribute.getValue(), Dim::constant(width)));
  SmallVector<Type> types;
  auto infer = cast<InferTypeOpInterface>(copy);
  if (failed(infer.inferReturnTypes(op.getContext(), op.getLoc(), operands, copy->getAttrDictionary(), copy->getPropertiesStorage(),
                                    {}, types)))
    return failure();
  for (auto [result, type] : llvm::zip(copy->getResults(), types))
    result.setType(type);
  return copy;
}

/// Whether a plain value is made of sizes or positions that name the width at hand.
static bool followsWidth(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isNested(value) || llvm::any_of(op->getOperands(), isNested))
    return false;
  bool mentions = llvm::any_of(op->getAttrs(), [](NamedAttribute attribute) {
    return bindWidth(attribute.getValue(), Dim::constant(1)) != attribute.getValue();
  });
  return mentions || llvm::any_of(op->getOperands(), followsWidth);
}

FailureOr<Value> Expander::atWidth(ImplicitLocOpBuilder &b, Value operand, int64_t width) {
  if (!followsWidth(operand))
    return operand;
  SmallVector<Value> operands;
  for (Value inner : operand.getDefiningOp()->getOperands()) {
    FailureOr<Value> bound = atWidth(b, inner, width);
    if (failed(bound))
      return failure();
    operands.push_back(*bound);
  }
  FailureOr<Operation *> copy = cloneAtWidth(b, *operand.getDefiningOp(), operands, width);
  if (failed(copy))
    return failure();
  return Value((*copy)->getResult(cast<OpResult>(operand).getResultNumber()));
}

LogicalResult Expander::expandEach(Operation &op, ArrayRef<int64_t> widths) {
  ImplicitLocOpBuilder b(op.getLoc(), &op);
  for (Value result : op.getResults())
    forms[result].widths.assign(widths.begin(), widths.end());
  for (size_t i = 0; i < widths.size(); ++i) {
    SmallVector<Value> operands;
    for (Value operand : op.getOperands()) {
      FailureOr<Value> bound = isNested(operand) ? FailureOr<Value>(member(b, operand, i)) : atWidth(b, operand, widths[i]);
      if (failed(bound))
        return failure();
      operands.push_back(*bound);
    }
    FailureOr<Operation *> copy = cloneAtWidth(b, op, operands, widths[i]);
    if (failed(copy))
      return failure();
    for (auto [result, value] : llvm::zip(op.getResults(), (*copy)->getResults()))
      forms[result].perWidth.push_back(value);
  }
  return success();
}

LogicalResult Expander::expandWidthwise(Operation &op) {
  SmallVector<int64_t> widths(cast<NestedType>(op.getResult(0).getType()).getWidths());
  if (expandPrefixProduct(op, widths) || expandStacked(op, widths))
    return success();
  return expandEach(op, widths);
}

/// Picks a run-time width out of stacked members by position, or out of prefixes by size.
LogicalResult Expander::expandPick(PickOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Form &form = forms[op.getX()];
  Dim width = *Dim::parse(op.getWidth());
  std::optional<int64_t> number = width.asConstant();
  Value result;
  if (number) {
    result = member(b, op.getX(), llvm::find(form.widths, *number) - form.widths.begin());
  } else if (form.prefixesOf) {
    result = slice(Formula(b, form.prefixesOf), form.axis, Dim(), width).value;
  } else if (Value all = stack(b, op.getX())) {
    // The position of the choice in its list is a size of the call too.
    result = dropAxis(slice(Formula(b, all), 0, Dim::symbol(op.getWidth().str() + ".index"), Dim::constant(1)), 0).value;
  } else {
    return op.emitError("a run-time width needs members of one shape, but they are ") << text(dimsOf(op.getX()));
  }
  op.getResult().replaceAllUsesWith(result);
  return success();
}

/// One tap on all members together where they have one shape, else one a width: "h.4", "h.8".
LogicalResult Expander::expandTap(TapOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  SmallVector<int64_t> widths(cast<NestedType>(op.getType()).getWidths());
  Value all = stack(b, op.getX());
  SmallVector<Value> members;
  for (size_t i = 0; !all && i < widths.size(); ++i)
    members.push_back(TapOp::create(b, member(b, op.getX(), i), (op.getName() + "." + Twine(widths[i])).str()));
  Form &form = forms[op];
  form.widths = widths;
  form.perWidth = members;
  if (all)
    form.stacked = TapOp::create(b, all, op.getName());
  return success();
}

LogicalResult Expander::expandReturn(Operation &op) {
  ImplicitLocOpBuilder b(op.getLoc(), &op);
  for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
    if (!isNested(operand))
      continue;
    Value all = stack(b, operand);
    if (!all)
      return op.emitError("a function can return a nested value only if its members have one shape, but they are ")
             << text(dimsOf(operand)) << "; pick a width";
    op.setOperand(i, all);
  }
  return success();
}

LogicalResult Expander::expand(Operation &op) {
  if (auto prefixes = dyn_cast<PrefixesOp>(op)) {
    Form &form = forms[prefixes];
    form.widths.assign(prefixes.getWidths().begin(), prefixes.getWidths().end());
    form.prefixesOf = prefixes.getX();
    form.axis = *normalizeAxis(prefixes.getAxis(), plainType(prefixes.getX()).getRank());
    return success();
  }
  if (auto nest = dyn_cast<NestOp>(op)) {
    Form &form = forms[nest];
    form.widths.assign(nest.getWidths().begin(), nest.getWidths().end());
    form.perWidth.assign(nest.getParts().begin(), nest.getParts().end());
    return success();
  }
  if (auto pick = dyn_cast<PickOp>(op))
    return expandPick(pick);
  if (auto tap = dyn_cast<TapOp>(op))
    return expandTap(tap);
  if (auto stacked = dyn_cast<StackOp>(op)) {
    ImplicitLocOpBuilder b(op.getLoc(), &op);
    stacked.getResult().replaceAllUsesWith(stack(b, stacked.getX()));
    return success();
  }
  return expandWidthwise(op);
}

LogicalResult Expander::run() {
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front())
    ops.push_back(&op);
  for (Operation *op : ops) {
    bool touches = llvm::any_of(op->getOperands(), isNested) || llvm::any_of(op->getResults(), isNested);
    if (!touches)
      continue;
    if (op->hasTrait<OpTrait::IsTerminator>()) {
      if (failed(expandReturn(*op)))
        return failure();
      continue;
    }
    if (failed(expand(*op)))
      return failure();
    dead.push_back(op);
  }
  for (Operation *op : llvm::reverse(dead)) {
    op->dropAllUses();
    op->erase();
  }
  // Sizes and positions of the width at hand mean nothing any more.
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
  Operation *terminator = function.getBody().front().getTerminator();
  function.setType(FunctionType::get(function.getContext(), function.getArgumentTypes(), terminator->getOperandTypes()));
  return success();
}

LogicalResult nacre::expandNested(func::FuncOp function) { return Expander(function).run(); }
