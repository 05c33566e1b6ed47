// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/Nacre/Transforms/GradientRules.h"

using namespace nacre;
using namespace mlir;

Formula nacre::withoutRadialPart(Formula w, Formula g) {
  int64_t last = w.rank() - 1;
  // The smallest normal f32 keeps 0 / 0 away; the numerator of a zero row is 0.
  Formula squares = maximum(reduceSum(square(w), last), Formula(*w.b, 1.17549435e-38));
  return g - w * (reduceSum(g * w, last) / squares);
}

Formula nacre::withUnitRows(Formula w) {
  return w / maximum(sqrt(reduceSum(square(w), w.rank() - 1)), Formula(*w.b, 1e-12));
}

static Formula sumOfSquares(Formula x) {
  x = square(x);
  for (int64_t axis = x.rank(); axis-- > 0;)
    x = reduceSum(x, axis);
  return reshape(x, {});
}

void nacre::clipByGlobalNorm(ImplicitLocOpBuilder &b, MutableArrayRef<Value> gradients, double maxNorm) {
  Formula total(b, 0.0);
  for (Value gradient : gradients)
    total = total + sumOfSquares(Formula(b, gradient));
  Formula factor = minimum(Formula(b, 1.0), maxNorm / sqrt(total));
  for (Value &gradient : gradients)
    gradient = (Formula(b, gradient) * factor).value;
}
