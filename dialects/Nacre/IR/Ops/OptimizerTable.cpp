// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rules. A rule of a few element-wise lines is one operator, so that a parameter is read and written once; the others are formulas.
#include "dialects/Nacre/IR/Ops/OptimizerTable.h"

#include "dialects/Nacre/IR/Ops/Optimizer.h"

#include <cmath>

using namespace nacre;
using namespace mlir;

//===-- one parameter --------------------------------------------------------------------------------------------------------===//

double ParameterUpdate::option(StringRef name) const {
  Attribute value = given ? given.get(name) : Attribute();
  if (auto flag = dyn_cast_or_null<BoolAttr>(value))
    return flag.getValue();
  if (auto integer = dyn_cast_or_null<IntegerAttr>(value))
    return double(integer.getInt());
  if (auto real = dyn_cast_or_null<FloatAttr>(value))
    return real.getValueAsDouble();
  return llvm::find_if(options, [&](const MethodOption &option) { return option.name == name; })->defaultValue;
}

ParameterOp nacre::optimizerTensor(ModuleOp module, StringRef name, RankedTensorType type) {
  if (auto known = module.lookupSymbol<ParameterOp>(name))
    return known;
  ParameterOp last;
  for (ParameterOp parameter : module.getOps<ParameterOp>())
    last = parameter;
  OpBuilder builder(module.getBodyRegion());
  if (last)
    builder.setInsertionPointAfter(last);
  return ParameterOp::create(builder, module.getLoc(), name, type, "optimizer", "zeros", APFloat(0.0), "", false);
}

std::string ParameterUpdate::nameOf(StringRef kind) { return ("optimizer." + kind + "." + parameter.getSymName()).str(); }

Formula ParameterUpdate::moment(StringRef kind, ArrayRef<Dim> dims) {
  RankedTensorType type = tensorOf(b.getContext(), b.getF32Type(), dims);
  ParameterOp tensor = optimizerTensor(parameter->getParentOfType<ModuleOp>(), nameOf(kind), type);
  return Formula(b, ReadOp::create(b, type, tensor.getSymName()));
}

void ParameterUpdate::keep(StringRef kind, Value value) { AssignOp::create(b, nameOf(kind), value); }

//===-- element by element ---------------------------------------------------------------------------------------------------===//

/// `prefix` comes before the names of the options.
static Value adamStep(ParameterUpdate &u, Value gradient, Value rate, StringRef prefix, double decay) {
  auto option = [&](StringRef name) { return u.attribute((prefix + name).str()); };
  Value m = u.moment("m").value, v = u.moment("v").value;
  auto op = AdamOp::create(u.b, u.w.value, gradient, m, v, rate, u.step.value, option("beta1"),
                           option("beta2"), option("eps"), u.b.getF64FloatAttr(decay));
  u.keep("m", op.getMNext());
  u.keep("v", op.getVNext());
  return op.getWNext();
}
static Value updateAdamw(ParameterUpdate &u) { return adamStep(u, u.g.value, u.rate.value, "", u.option("weight_decay")); }

/// The decay of plain Adam is part of the gradient.
static Value updateAdam(ParameterUpdate &u) {
  double decay = u.option("weight_decay");
  return adamStep(u, decay == 0 ? u.g.value : (u.g + u.w * decay).value, u.rate.value, "", 0);
}

static Value updateSgd(ParameterUpdate &u) {
  auto op = SgdOp::create(u.b, u.w.value, u.g.value, u.moment("u").value, u.rate.value, u.step.value, u.attribute("momentum"),
                          u.attribute("weight_decay"), u.b.getBoolAttr(u.flag("nesterov")));
  u.keep("u", op.getUNext());
  return op.getWNext();
}

static Value updateLion(ParameterUpdate &u) {
  auto op = LionOp::create(u.b, u.w.value, u.g.value, u.moment("m").value, u.rate.value, u.step.value, u.attribute("beta1"),
                           u.attribute("beta2"), u.attribute("weight_decay"));
  u.keep("m", op.getMNext());
  return op.getWNext();
}

//===-- adafactor ------------------------------------------------------------------------------------------------------------===//

static Formula sumOfAll(Formula x) {
  for (int64_t axis = x.rank(); axis-- > 0;)
    x = reduceSum(x, axis);
  return reshape(x, {});
}
static Formula meanOf(Formula x, int64_t axis) { return reduceSum(x, axis) / double(*x.dims()[axis].asConstant()); }

/// The second moment of a matrix (or of a stack of them, by the last two axes) from its row and column means, as a broadcast.
static Formula factoredMoment(ParameterUpdate &u, Formula squares, Formula beta) {
  Dims dims = u.w.dims(), rowDims(dims), columnDims(dims);
  int64_t last = int64_t(dims.size()) - 1;
  rowDims.erase(rowDims.begin() + last);
  columnDims.erase(columnDims.begin() + last - 1);
  Formula row = beta * u.moment("row", rowDims) + (1.0 - beta) * dropAxis(meanOf(squares, last), last);
  Formula column = beta * u.moment("col", columnDims) + (1.0 - beta) * dropAxis(meanOf(squares, last - 1), last - 1);
  u.keep("row", row.value);
  u.keep("col", column.value);
  return addAxis(row / meanOf(row, last - 1), last) * addAxis(column, last - 1);
}

/// Adafactor (Shazeer and Stern 2018), with the learning rate given: v is kept as row and column means,
///   beta2 = 1 - step^-decay,  u = g / sqrt(v),  w' = w - rate * (u / max(1, rms(u) / clip) + weight_decay * w).
/// What has one axis keeps v itself. With momentum above 0 the clipped u passes through a running mean.
static Value updateAdafactor(ParameterUpdate &u) {
  Formula beta = 1.0 - exp(log(u.step) * -u.option("decay")), squares = square(u.g) + u.option("eps1");
  Formula v = squares;
  if (u.w.rank() >= 2) {
    v = factoredMoment(u, squares, beta);
  } else {
    v = beta * u.moment("v") + (1.0 - beta) * squares;
    u.keep("v", v.value);
  }
  Formula direction = u.g * rsqrt(v);
  double count = 1;
  for (const Dim &dim : u.w.dims())
    count *= double(*dim.asConstant());
  Formula rms = sqrt(sumOfAll(square(direction)) / count);
  direction = direction / maximum(Formula(u.b, 1.0), rms / u.option("clip"));
  if (double momentum = u.option("momentum"); momentum > 0) {
    direction = u.moment("m") * momentum + direction * (1 - momentum);
    u.keep("m", direction.value);
  }
  double weightDecay = u.option("weight_decay");
  return (u.w - u.rate * (weightDecay == 0 ? direction : direction + u.w * weightDecay)).value;
}

//===-- muon -----------------------------------------------------------------------------------------------------------------===//

static Formula frobenius(Formula x) { return sqrt(reduceSum(reduceSum(square(x), x.rank() - 1), x.rank() - 2)); }

/// x with its singular values moved towards 1 by a quintic iteration (Jordan 2024: the coefficients maximise the slope at 0). The Gram
/// matrix is taken on the shorter side.
static Formula orthogonalized(Formula x, int64_t steps, double eps) {
  const double a = 3.4445, b = -4.775, c = 2.0315;
  Dims dims = x.dims();
  bool isTall = *dims[dims.size() - 2].asConstant() > *dims.back().asConstant();
  x = x / (frobenius(x) + eps);
  for (int64_t i = 0; i < steps; ++i) {
    Formula gram = isTall ? matmul(transposed(x), x) : matmul(x, transposed(x));
    Formula polynomial = gram * b + matmul(gram, gram) * c;
    x = x * a + (isTall ? matmul(x, polynomial) : matmul(polynomial, x));
  }
  return x;
}

/// Muon (Jordan 2024) for matrices, the last two axes of what has more:
///   u' = momentum * u + g,  d = nesterov ? g + momentum * u' : u',
///   w' = w - rate * (sqrt(max(1, rows / columns)) * orthogonalized(d) + weight_decay * w).
/// What has fewer than two axes is updated by AdamW, its rate in the same schedule with the peak `adam_lr`.
static Value updateMuon(ParameterUpdate &u) {
  double decay = u.option("weight_decay");
  if (u.w.rank() < 2)
    return adamStep(u, u.g.value, (u.rate * (u.option("adam_lr") / u.option("lr"))).value, "adam_", decay);
  double momentum = u.option("momentum");
  Formula velocity = u.moment("u") * momentum + u.g;
  u.keep("u", velocity.value);
  Formula direction = u.flag("nesterov") ? u.g + velocity * momentum : velocity;
  Dims dims = u.w.dims();
  double rows = double(*dims[dims.size() - 2].asConstant()), columns = double(*dims.back().asConstant());
  direction = orthogonalized(direction, int64_t(u.option("steps")), u.option("eps")) * std::sqrt(std::max(1.0, rows / columns));
  return (u.w - u.rate * (decay == 0 ? direction : direction + u.w * decay)).value;
}

//===-- the table ------------------------------------------------------------------------------------------------------------===//

using Option = MethodOption;

static const Option kAdamw[] = {{"lr", 1e-3, Option::Positive},
                                {"weight_decay", 0.01, Option::NotNegative},
                                {"beta1", 0.9, Option::BelowOne},
                                {"beta2", 0.999, Option::BelowOne},
                                {"eps", 1e-8, Option::Positive}};
static const Option kAdam[] = {{"lr", 1e-3, Option::Positive},
                               {"weight_decay", 0, Option::NotNegative},
                               {"beta1", 0.9, Option::BelowOne},
                               {"beta2", 0.999, Option::BelowOne},
                               {"eps", 1e-8, Option::Positive}};
static const Option kSgd[] = {{"lr", 1e-2, Option::Positive},
                              {"momentum", 0, Option::BelowOne},
                              {"weight_decay", 0, Option::NotNegative},
                              {"nesterov", 0, Option::Flag}};
// Lion wants a rate some ten times below Adam's, and the decay as much higher (Chen and others 2023).
static const Option kLion[] = {{"lr", 1e-4, Option::Positive},
                               {"weight_decay", 0, Option::NotNegative},
                               {"beta1", 0.9, Option::BelowOne},
                               {"beta2", 0.99, Option::BelowOne}};
static const Option kAdafactor[] = {{"lr", 1e-2, Option::Positive},   {"weight_decay", 0, Option::NotNegative},
                                    {"decay", 0.8, Option::Positive}, {"clip", 1, Option::Positive},
                                    {"eps1", 1e-30, Option::Positive}, {"momentum", 0, Option::BelowOne}};
static const Option kMuon[] = {{"lr", 0.02, Option::Positive},         {"weight_decay", 0, Option::NotNegative},
                               {"momentum", 0.95, Option::BelowOne},   {"nesterov", 1, Option::Flag},
                               {"steps", 5, Option::Count},            {"eps", 1e-7, Option::Positive},
                               {"adam_lr", 3e-4, Option::Positive},    {"adam_beta1", 0.9, Option::BelowOne},
                               {"adam_beta2", 0.95, Option::BelowOne}, {"adam_eps", 1e-8, Option::Positive}};

static const Optimizer kOptimizers[] = {{"adamw", kAdamw, updateAdamw},       {"adam", kAdam, updateAdam},
                                        {"sgd", kSgd, updateSgd},             {"lion", kLion, updateLion},
                                        {"adafactor", kAdafactor, updateAdafactor}, {"muon", kMuon, updateMuon}};

llvm::ArrayRef<Optimizer> nacre::optimizers() { return kOptimizers; }

const Optimizer *nacre::findOptimizer(StringRef name) {
  const Optimizer *found = llvm::find_if(kOptimizers, [&](const Optimizer &optimizer) { return optimizer.name == name; });
  return found == std::end(kOptimizers) ? nullptr : found;
}
