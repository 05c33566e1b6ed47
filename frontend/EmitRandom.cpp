// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// random_uniform(x), random_normal(x): draws of the shape of x. The function gets two more inputs, `seed` and `draw`; the site is the
// number of the call in the function.
#include "dialects/Nacre/IR/Random.h"
#include "frontend/Emitter.h"

using namespace nacre;

/// The input of that name behind the function's own, made at the first draw.
static mlir::Value drawInput(mlir::func::FuncOp function, llvm::StringRef name) {
  mlir::Builder b(function.getContext());
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (function.getArgAttr(i, "nacre.implicit") && function.getArgAttrOfType<mlir::StringAttr>(i, "nacre.name") == name)
      return function.getArgument(i);
  llvm::StringRef doc = name == kSeed ? "seed of the random draws" : "number of the draw; equal numbers give equal draws";
  mlir::NamedAttribute attributes[] = {b.getNamedAttr("nacre.doc", b.getStringAttr(doc)), b.getNamedAttr("nacre.implicit", b.getUnitAttr()),
                                       b.getNamedAttr("nacre.name", b.getStringAttr(name))};
  auto scalar = tensorOf(function.getContext(), b.getI32Type(), {});
  (void)function.insertArgument(function.getNumArguments(), scalar, b.getDictionaryAttr(attributes), function.getLoc());
  return function.getArguments().back();
}

std::optional<Meaning> Emitter::callRandom(const CallExpr &call, llvm::StringRef name, Frame &frame) {
  if (name != "random_uniform" && name != "random_normal") return std::nullopt;
  if (call.arguments.size() != 1 || call.arguments[0].name) {
    error(call.range, "expected one argument for " + name + ", the tensor whose shape it takes, but got " +
                          llvm::Twine(call.arguments.size()), frame);
    return Meaning();
  }
  if (!canEmit(call.range, "a random tensor", frame)) return Meaning();
  Meaning like = evaluate(*call.arguments[0].value, frame);
  if (like.isPoison()) return like;
  const auto *value = like.as<mlir::Value>();
  if (!value || !llvm::isa<mlir::RankedTensorType>(value->getType())) {
    error(call.arguments[0].value->range, "expected a tensor whose shape " + name + " takes, but got " + like.text(), frame);
    return Meaning();
  }
  auto function = llvm::cast<mlir::func::FuncOp>(builder.getInsertionBlock()->getParentOp());
  for (const char *taken : {"seed", "draw"})
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (!function.getArgAttr(i, "nacre.implicit") && function.getArgAttrOfType<mlir::StringAttr>(i, "nacre.name") == taken) {
        error(call.range, "expected no input named '" + llvm::Twine(taken) + "' in a function with random draws, which has one of that name",
              frame);
        return Meaning();
      }
  mlir::Value seed = drawInput(function, kSeed), draw = drawInput(function, kDraw);
  mlir::ImplicitLocOpBuilder b(locationOf(call.range), builder);
  auto distribution = name == "random_uniform" ? Distribution::Uniform : Distribution::Normal;
  return Meaning(randomTensor(b, dimsOf(value->getType()), distribution, seed, draw, sites++).value);
}
