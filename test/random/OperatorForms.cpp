// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/random/OperatorForms.h"

#include "llvm/ADT/SmallVector.h"

using namespace nacre;
using namespace nacre::test;

llvm::ArrayRef<OperatorForm> test::operatorForms() {
  static const OperatorForm forms[] = {
      //===-- element by element ---------------------------------------------------------------------------------------------===//
      {"neg", "fns[..]"}, {"exp", "fn[..]~"}, {"sin", "fns[..]"}, {"cos", "fn[..]"}, {"tanh", "fns[..]"}, {"erf", "fns[..]"},
      {"sigmoid", "fn[..]"}, {"softplus", "fn[..]"}, {"silu", "fns[..]"}, {"gelu", "fns[..]"}, {"gelu_tanh", "fns[..]"},
      {"relu", "fns[..]"}, {"abs", "fns[..]"}, {"square", "fns[..]"}, {"log", "fn[..]+"}, {"sqrt", "fn[..]+"}, {"rsqrt", "fn[..]+"},
      {"reciprocal", "fn[..]+"}, {"sign", "fns[..]"}, {"floor", "fns[..]"}, {"stop", "fns[..]", "", Surrogate},
      {"add", "fn[..] fn[~]"}, {"sub", "fn[..] fn[~]"}, {"mul", "fns[..] fn[~]"}, {"div", "fns[..] f[~]+"}, {"maximum", "fn[..] f[~]"},
      {"minimum", "fn[..] f[~]"}, {"pow", "f[..]+ f[~]~"}, {"multiply_add", "f[..] f[~] f[~]"}, {"interpolate", "fn[..] f[~]", "t=0.3|0.8"},
      {"less", "f[..] f[~]"}, {"greater_equal", "f[..] f[~]"}, {"select", "b[..] f[~] f[~]"}, {"to_float", "ib[..]"},
      {"to_int", "f[..]"},
      {"scaled", "fns[..]", "", Plain, "$r = $0 * 0.7"}, {"shifted", "fn[..]", "", Plain, "$r = 0.25 - $0"},
      {"random_uniform", "f[..]", "", Plain, "$r = random_uniform($0)"}, {"random_normal", "f[..]", "", Plain, "$r = random_normal($0)"},
      {"if", "f[..] f[=]", "", Plain, "if mean($0) < 0.05 { $r = tanh($0) + $1 } else { $r = $0 * 0.5 }"},
      {"if_else", "f[..] f[=]", "", Plain, "if sum($1) < 0.1 { $r = $0 - $1 } else if mean($0) > 0 { $r = gelu($0) } else { $r = $1 * $0 }"},
      {"for", "f[..] f[~]", "", Plain, "$r = $0  for step in 0..3 { $r = tanh($r * $1) + $0 }"},
      //===-- reductions -----------------------------------------------------------------------------------------------------===//
      {"sum", "fn[..,a]", "?axis=axis keep=true|false"}, {"mean", "fn[..,a]", "?axis=axis keep=true|false"},
      {"max", "fn[..,a]", "?axis=axis"}, {"sum", "s[..,a]", "axis=-1"}, {"mean", "s[..,a]", "axis=-1"},
      {"sum", "f[b,t,..] lengths=i<=t>[b]", "axis=1"}, {"mean", "f[b,t,..] lengths=i<=t>[b]", "axis=1"},
      {"sum", "n[..]", "over=widths"}, {"mean", "n[..]", "over=widths"}, {"max", "n[..]", "over=widths"},
      {"logsumexp", "f[..,a]", "axis=axis keep=true|false"}, {"argmax", "f[..,a]"},
      //===-- layout ---------------------------------------------------------------------------------------------------------===//
      {"transpose", "fn[..,a,b]"}, {"permute", "f[a,b,c,..]", "order=order"}, {"heads", "f[..,t,D]", "count=divisor:D"},
      {"merge", "f[..,H,t,D]"}, {"flatten", "f[a,b,..]"}, {"concat", "f[..,a] f[..,c]", "axis=-1"},
      {"concat", "f[a,..] f[c,..]", "axis=0"}, {"slice", "fs[..,a]"}, {"index", "f[..,a]"}, {"pick", "n[..]"},
      {"gather_rows", "f[..,t,d] i<t>[..,k]"}, {"windows", "f[..,L]", "size=upto:L stride=1..2 axis=-1"},
      {"positions", "f[..,t,d]", "axis=-2|-1"}, {"pixel_shuffle", "f[b,8,H,t]", "factor=2"},
      //===-- products -------------------------------------------------------------------------------------------------------===//
      {"matmul", "f[..,a,k] f[..,k,c]"}, {"matmul", "fn[..,a,k] f[k,c]"}, {"matmul", "s[..,a,k] f[k,c]"},
      {"linear", "fn[..,a] f[a,c] ?f[c]"}, {"linear", "s[..,a] f[a,c] ?f[c]"},
      //===-- along rows -----------------------------------------------------------------------------------------------------===//
      {"softmax", "fn[..,a]"}, {"log_softmax", "fn[..,a]"}, {"layer_norm", "fn[..,a] ?gamma=f[a] ?beta=f[a]", "eps=0.01|1e-5"},
      {"rms_norm", "fn[..,a] ?gamma=f[a]", "eps=0.01|1e-6"}, {"normalize", "fn[..,a]+", "axis=-1"}, {"normalize", "f[..,a,b]+", "axis=-2"},
      {"group_norm", "f[b,A,..] ?gamma=f[A] ?beta=f[A]", "groups=divisor:A eps=0.01|0.1"},
      {"batch_norm", "f[b,A,..] ?gamma=f[A] ?beta=f[A]", "eps=0.01|0.1"},
      //===-- losses ---------------------------------------------------------------------------------------------------------===//
      {"cross_entropy", "fn[b,A] i<A>[b]", "?smoothing=0.2"}, {"cross_entropy", "f[b,t,A] i<A>[b,t]"},
      {"binary_cross_entropy", "fn[..] f[=]~"}, {"mse", "fn[..] f[=]"}, {"l1", "f[..] f[=]"}, {"huber", "fn[..] f[=]", "delta=0.7"},
      {"hinge", "f[..] f[=]"}, {"kl_distill", "f[b,a] f[b,a]", "temperature=0.5|2"}, {"cosine_loss", "f[..,a]+ f[=]"},
      {"triplet", "f[..,a] f[=] f[=]", "margin=0.7|1.5"}, {"infonce", "f[b,a]+ f[b,a]+", "temperature=0.5|1 sides=1|2 ?normalise=false"},
      {"supervised_contrastive", "f[b,a]+ i<3>[b]", "temperature=0.5"}, {"cka", "f[7,a] f[7,c]"},
      {"ordinal_cross_entropy", "f[b,A] i<=A>[b]"}, {"rate", "i<A>[b,t] f[A]"}, {"rate", "i<A>[b] f[b,A]"},
      {"sinkhorn", "f[3,a]~ f[4,a]~", "eps=2 iterations=4"},
      //===-- attention ------------------------------------------------------------------------------------------------------===//
      {"attention", "f[b,H,t,D] f[b,H,s,D] f[b,H,s,D]", "?causal=true ?softcap=2"},
      {"attention", "f[b,H,t,D] f[b,H,t,D] f[b,H,t,D]", "causal=true ?window=1..3 ?alibi=true"},
      {"attention", "f[b,4,t,D] f[b,2,s,D] f[b,2,s,D] ?lengths=i<=s>[b] ?bias=f[4,t,s]", "?scale=0.4"},
      {"attention", "f[b,H,t,D] f[b,H,t,D] f[b,H,t,D] ?bias=f[t,t]", "prefix=0..3"},
      {"attention_weights", "f[b,H,t,D] f[b,H,s,D] ?lengths=i<=s>[b]", "?causal=true"}, {"rotary", "f[..,t,6]", "?base=100"},
      {"rotary", "f[..,t,4]", "pairs=halves ?inverse=true"},
      //===-- windows of space -----------------------------------------------------------------------------------------------===//
      {"conv", "f[b,A,t] f[O,A,3] ?f[O]", "padding=2 ?dilation=1..2"}, {"conv", "f[b,A,7,5] f[O,A,3,2] ?f[O]", "?stride=1..2 ?padding=1"},
      {"conv", "f[b,4,6,t] f[4,1,2,1]", "groups=4"}, {"avg_pool", "f[b,A,7,5]", "kernel=1..3 ?stride=1..2"},
      {"max_pool", "f[b,A,7,5]", "kernel=1..3 ?stride=1..2"}, {"resize_bilinear", "f[b,A,4,3]", "scale=2"},
      //===-- factors --------------------------------------------------------------------------------------------------------===//
      {"cayley", "f[..,A] f[A,A]~"}, {"householder", "f[..,a] f[R,a]+"},
      //===-- nested widths --------------------------------------------------------------------------------------------------===//
      {"prefixes", "f[..,A]", "widths=widths:A"}, {"prefixes", "f[A,..]", "axis=0 widths=widths:A"}, {"stack", "n[..]"},
      {"nested_linear", "f[..,A] f[A,c] ?f[c]", "widths=widths:A"}, {"block_nested_linear", "f[..,A] f[A,A] ?f[A]", "widths=ladder:A"},
      {"simplex_head", "f[..,a]"}, {"coalesce", "f[..,A]", "factor=divisor:A ?sum=true"}, {"decoalesce", "f[..,a]", "factor=1..3 ?divide=true"},
      //===-- sparse values --------------------------------------------------------------------------------------------------===//
      {"topk", "f[..,a]", "k=1..4"}, {"abs_topk", "f[..,a]", "k=1..4"}, {"batch_topk", "f[b,A]", "k=upto:A"}, {"densify", "s[..]"},
      {"values", "s[..]"}, {"indices", "s[..]"}, {"matching_pursuit", "f[..,D] f[n,D]~", "steps=1..3"},
      //===-- codes ----------------------------------------------------------------------------------------------------------===//
      {"as_code", "i<K>[..]", "count=size:K"}, {"lookup", "f[K,d] c<K>[..]"}, {"lookup", "f[H,K,d] c<K>[..,H]"}, {"one_hot", "c[..]"},
      {"ids", "c[..]"}, {"nearest_code", "f[..,d] f[K,d]", "?metric=cosine"}, {"nearest_code", "f[..,d] f[K,d]", "k=upto:K"},
      {"embedding", "f[A,d] i<A>[..]"}, {"embedding", "f[n,d] i<n>[..]"}, {"hash_code", "i<9>[b] i<50>[b]", "rows=11 lookups=1..2"},
      {"pack_bits", "f[..,a]"}, {"hamming_distance", "i<50>[b,A] i<50>[n,A]"}, {"binarize", "f[..]", "", Surrogate},
      {"scalar_quantize", "f[..,a] f[a,K]"}, {"finite_scalar_quantize", "f[..,a]", "levels=3|5|7", Surrogate},
      {"straight_through", "f[..] f[=]", "", Surrogate}, {"commitment", "f[..] f[=]", "", Surrogate},
      {"codebook_loss", "f[..] f[=]", "?beta=0.5", Surrogate},
  };
  return forms;
}

static OperandForm parseOperand(llvm::StringRef text) {
  OperandForm form;
  form.isOptional = text.consume_front("?");
  if (size_t sign = text.find('='); sign < text.find_first_of("[<")) {
    form.name = text.take_front(sign).str();
    text = text.drop_front(sign + 1);
  }
  form.kinds = text.take_until([](char c) { return c == '[' || c == '<'; }).str();
  text = text.drop_front(form.kinds.size());
  if (text.consume_front("<")) {
    form.isInclusive = text.consume_front("=");
    form.below = text.take_until([](char c) { return c == '>'; }).str();
    text = text.drop_front(form.below.size() + 1);
  }
  auto [shape, flag] = text.drop_front().split(']');
  for (llvm::StringRef rest = shape; !rest.empty();) { // one character an axis, '.' for the dots
    auto [axis, others] = rest.split(',');
    form.shape += axis[0];
    rest = others;
  }
  form.flag = flag.empty() ? 0 : flag[0];
  return form;
}

std::vector<OperandForm> test::operandForms(const OperatorForm &form) {
  llvm::SmallVector<llvm::StringRef> words;
  llvm::StringRef(form.operands).split(words, ' ', -1, /*KeepEmpty=*/false);
  std::vector<OperandForm> forms;
  for (llvm::StringRef word : words)
    forms.push_back(parseOperand(word));
  return forms;
}
