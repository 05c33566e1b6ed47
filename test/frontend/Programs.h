// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs that several tests read.
#pragma once

#include "frontend/AstPrinter.h"
#include "frontend/Parser.h"

#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace nacre::test {

/// Every construct of the grammar at least once.
inline const char *const kEverything = R"(
import "other.nacre"
dim B <= 4096  dim T <= 512 // two
widths W = [4, 8]
/// A layer.
layer Block(D, H) {
  param w, v: f32[D, 2 * D]  param b: f32 ~ normal(-0.5) from "bias"
  state keys: f32[D] ~ unit_rows
  inner: Other(D)
  fn apply(x: f32[B, D]) -> f32[B, D] { return linear(x, w, b = b) }
}
model M {
  parts: Block(4, H = 2)[6] from "layer.{i}" { w from "weight" transposed  inner.b from "b" }
  /// A function.
  fn f(
      /// an input
      x: f32[B, T], m: W, k: [1, 2], any) -> nested[W] f32[B, width] {
    y = -x[:, 1:m, -1, :3, 2:] * (1 + 2e-3) / 4 - any.part[0](x)
    for p in parts { for i in 0..6 { y = p.apply(y) } }
    assert shape(y) == [B, 4], "four"
    a = f(x, [1, 2.5], over = widths)
    return y
  }
}
fn free(a) { return a }
train M.f { data = { x: "images" }  train = 0..10  metric = M.f  optimizer = adamw(lr = 1e-3) }
)";

/// A text with its diagnostics and its tree.
struct Parsed {
  explicit Parsed(llvm::StringRef text) : diagnostics(source) {
    std::string problem;
    if (auto buffer = source.add("test.nacre", text, problem)) ast = parse(source.text(*buffer), diagnostics);
  }
  std::string tree() const {
    std::string result;
    llvm::raw_string_ostream out(result);
    printAst(ast, out);
    return result;
  }
  Source source;
  Diagnostics diagnostics;
  Ast ast;
};

} // namespace nacre::test
