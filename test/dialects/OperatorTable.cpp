// SPD-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/dialects/OperatorTable.h"

using namespace nacre;
using namespace nacre::test;

#define UNARY(name, ...) {#name, "x: f32[B, N]", #name "(x)", __VA_ARGS__}

const std::vector<OperatorRow> &test::operatorTable() {
  static const std::vector<OperatorRow> rows = {
      //===-- element by element ---------------------------------------------------------------------------------------------===//
      UNARY(neg), UNARY(exp), UNARY(sin), UNARY(cos), UNARY(tanh), UNARY(erf), UNARY(sigmoid), UNARY(softplus), UNARY(silu), UNARY(gelu),
      UNARY(gelu_tanh), UNARY(relu), UNARY(abs), UNARY(square),
      UNARY(log, {{"x", 0.1, 3}}), UNARY(sqrt, {{"x", 0.1, 3}}), UNARY(rsqrt, {{"x", 0.1, 3}}), UNARY(reciprocal, {{"x", 0.5, 2}}),
      UNARY(sign, {}, Discrete), UNARY(floor, {}, Discrete), UNARY(stop, {}, Discrete),
      {"sigmoid_far", "x: f32[B, N]", "sigmoid(x) + softplus(x) + tanh(x)", {{"x", -60, 60}}},
      {"gelu_far", "x: f32[B, N]", "gelu(x) + silu(x) + gelu_tanh(x)", {{"x", -30, 30}}},
      {"exp_far", "x: f32[B, N]", "exp(x)", {{"x", -100, 10}}},
      {"add_row", "a: f32[B, N], b: f32[N]", "a + b"},
      {"sub_column", "a: f32[B, N], b: f32[B, 1]", "a - b"},
      {"mul_outer", "a: f32[B, 1], b: f32[1, N]", "a * b"},
      {"mul_number", "a: f32[B, N], b: f32", "a * b"},
      {"div", "a: f32[B, N], b: f32[B, N]", "a / b", {{"b", 0.5, 2}}},
      {"div_into_scalar", "a: f32, b: f32[B, N]", "a / b", {{"b", 0.5, 2}}},
      {"maximum", "a: f32[B, T, N], b: f32[T, 1]", "maximum(a, b)"},
      {"minimum", "a: f32[B, N], b: f32[B, N]", "minimum(a, b)"},
      {"pow", "a: f32[B, N], b: f32[B, N]", "pow(a, b)", {{"a", 0.5, 2}}},
      {"select", "a: f32[B, N], b: f32[B, N], c: f32[N]", "select(c < 0, a * b, a)"},
      {"compare", "a: f32[B, N], b: f32[B, N]", "to_float(a >= b) + 2 * to_float(a != b)", {}, Discrete},
      {"compare_integers", "a: i32[B, N], b: i32[N]", "select(a == b, 1.0, 0.0)", {{"a", 0, 3}, {"b", 0, 3}}, Discrete},
      {"to_int", "x: f32[B, N]", "to_int(x)", {{"x", -9, 9}}, Discrete},
      {"to_float", "y: i32[B, N]", "to_float(y) * 0.5", {{"y", -9, 9}}, Discrete},
      {"long_chain", "x: f32[B, N], y: f32[B, N]", "a = x * y  b = a + x  c = tanh(b) * a  return c - sigmoid(a) * y + b"},
      {"shared_chain", "x: f32[B, N]", "a = x * x  return exp(-a) * a + a"},
      {"scalars", "a: f32, b: f32", "exp(a) * sin(b) + a"},
      {"scalar_sum", "a: f32, x: f32[B, N]", "sum(a * a) + mean(x * a)"},
      {"five_axes", "a: f32[B, 1, 3, 1, N], b: f32[T, 1, 2, 1]", "a * b + tanh(a)"},
      {"same_operand_twice", "x: f32[B, N]", "maximum(x, x) * x / (1 + x * x)"},
      {"strided_operands", "x: f32[B, N], y: f32[N, B]", "tanh(transpose(x)) * y - transpose(x + transpose(y))"},
      {"select_integers", "x: f32[B, N], y: i32[B, N], z: i32[N]", "select(x > 0, y, z)", {{"y", 0, 9}, {"z", -5, 0}}, Discrete},
      //===-- reductions -----------------------------------------------------------------------------------------------------===//
      {"sum_rows", "x: f32[B, N]", "sum(x, axis = 1)"},
      {"sum_columns", "x: f32[B, N]", "sum(x, axis = 0)"},
      {"sum_middle", "x: f32[B, T, N]", "sum(x, axis = 1)"},
      {"sum_keep", "x: f32[B, T, N]", "x * sum(x, axis = -1, keep = true)"},
      {"sum_all", "x: f32[B, T, N]", "sum(x * x)"},
      {"sum_of_one", "x: f32[B, 1]", "sum(x, axis = 1)"},
      {"sum_before_one", "x: f32[B, N, 1]", "sum(x, axis = 1)"},
      {"sum_twice", "x: f32[B, T, N]", "sum(sum(x, axis = 2), axis = 0)"},
      {"mean_rows", "x: f32[B, N]", "mean(x, axis = 1)"},
      {"mean_columns", "x: f32[B, N]", "mean(x, axis = 0, keep = true)"},
      {"mean_all", "x: f32[B, T, N]", "mean(x)"},
      {"mean_lengths", "x: f32[B, T, N], n: i32[B]", "mean(x, axis = 1, lengths = n)", {{"n", 0, 1, "T"}}},
      {"sum_lengths", "x: f32[B, T], n: i32[B]", "sum(x, axis = 1, lengths = n)", {{"n", 0, 1, "T"}}},
      {"max_rows", "x: f32[B, N]", "max(x, axis = 1)"},
      {"max_columns", "x: f32[B, N]", "max(x, axis = 0)"},
      {"max_middle", "x: f32[B, T, N]", "max(x, axis = 1, keep = true)"},
      {"max_all", "x: f32[T, N]", "max(x)"},
      {"max_lengths", "x: f32[B, T, N], n: i32[B]", "max(x, axis = 1, lengths = n)", {{"n", 1, 1, "T"}}},
      {"logsumexp_rows", "x: f32[B, N]", "logsumexp(x)", {{"x", -50, 50}}},
      {"logsumexp_columns", "x: f32[B, N]", "logsumexp(x, axis = 0, keep = true)", {{"x", -50, 50}}},
      {"argmax", "x: f32[B, N]", "argmax(x)", {}, Discrete},
      {"argmax_ties", "y: i32[B, N]", "argmax(to_float(y))", {{"y", 0, 3}}, Discrete},
      {"variance_columns", "x: f32[B, T, N]", "c = x - mean(x, 1, keep = true)  return mean(square(c), 1)"},
      {"sum_long_rows", "x: f32[B, 1000]", "sum(x, axis = 1)"},
      {"sum_long_columns", "x: f32[1000, N]", "sum(x, axis = 0)"},
      {"mean_of_many", "x: f32[300, 301]", "mean(x)", {}, ForwardOnly},
      {"sum_of_transposed", "x: f32[B, T, N]", "sum(permute(x, order = [2, 0, 1]), axis = 2) * 2"},
      {"max_of_transposed", "x: f32[B, N]", "max(transpose(x), axis = 1)"},
      {"sum_of_slice", "x: f32[B, 33]", "sum(x[:, 3:20], axis = 1)"},
      {"standardised_columns", "x: f32[B, N], g: f32[N]",
       "c = x - mean(x, 0, keep = true)  return c * rsqrt(mean(square(c), 0, keep = true) + 0.1) * g"},
      //===-- layout ---------------------------------------------------------------------------------------------------------===//
      {"transpose", "x: f32[B, T, N]", "transpose(x) * 2"},
      {"permute", "x: f32[B, T, N]", "permute(x, order = [2, 0, 1])"},
      {"heads_merge", "x: f32[B, T, 12], y: f32[B, T, 12]", "merge(heads(x, 3) * heads(y, 3))"},
      {"heads", "x: f32[B, T, 12]", "heads(x, 4)"},
      {"flatten", "x: f32[B, T, N]", "flatten(x)"},
      {"slice", "x: f32[B, 9, N]", "x[:, 2:7] - x[:, 4:9]"},
      {"slice_columns", "x: f32[B, 33]", "tanh(x[:, 1:18])"},
      {"index", "x: f32[B, 5, N]", "x[:, 3] * x[:, -1]"},
      {"slice_symbolic", "x: f32[B, T, N], w: f32[64, N]", "x + w[:T]"},
      {"concat_columns", "a: f32[B, N], b: f32[B, 3], c: f32[B, N]", "concat(a, b, a * c)"},
      {"concat_rows", "a: f32[B, N], b: f32[2, N]", "concat(a, b, axis = 0)"},
      {"concat_middle", "a: f32[B, 1, N], b: f32[B, T, N]", "concat(b, a, axis = 1)"},
      {"shift_in_place", "x: f32[B, 100]", "y = x * 2  z = y[:, 1:100] + y[:, :99]  return exp(z) - z"},
      {"recurrence", "x: f32[B, 4, N], a: f32[N]", "h = x[:, :1]  for t in 1..4 { h = a * h + x[:, t:t + 1] }  return h"},
      {"identity", "x: f32[B, N]", "x"},
      {"slice_of_input", "x: f32[B, 9, N]", "x[:, 2:5]"},
      {"transposed_input", "x: f32[B, N]", "transpose(x)"},
      {"repeated_input", "x: f32[B, 1, N], y: f32[T, 1]", "x + y * 0"},
      {"concat_itself", "x: f32[B, N]", "softmax(concat(x, x, axis = 0))"},
      {"concat_of_concat", "x: f32[B, N], y: f32[B, 2]", "concat(concat(x, y), concat(y, exp(x)))"},
      {"concat_and_use", "x: f32[B, N], y: f32[B, 2]", "z = concat(exp(x), y)  return z * sum(z, axis = 1, keep = true)"},
      {"concat_transposed", "x: f32[B, N], y: f32[N, B]", "concat(transpose(x), y)"},
      //===-- products -------------------------------------------------------------------------------------------------------===//
      {"matmul", "a: f32[B, K], b: f32[K, M]", "matmul(a, b)"},
      {"matmul_transposed", "a: f32[B, K], b: f32[M, K]", "matmul(a, transpose(b))"},
      {"matmul_gram", "a: f32[K, B]", "matmul(transpose(a), a)"},
      {"matmul_batched", "a: f32[B, T, K], b: f32[B, K, M]", "matmul(a, b)"},
      {"matmul_batch_broadcast", "a: f32[B, 1, T, K], b: f32[3, K, M]", "matmul(a, b)"},
      {"matmul_static", "a: f32[5, 7], b: f32[7, 3]", "matmul(a, b)"},
      {"linear", "x: f32[B, K], w: f32[K, M], b: f32[M]", "linear(x, w, b)"},
      {"linear_3d", "x: f32[B, T, K], w: f32[K, M]", "linear(x, w)"},
      {"linear_vector", "x: f32[K], w: f32[K, M], b: f32[M]", "linear(x, w, b)"},
      {"linear_one_column", "x: f32[B, K], w: f32[K, 1], b: f32[1]", "linear(x, w, b)"},
      {"linear_gelu", "x: f32[B, T, K], w: f32[K, M], b: f32[M], r: f32[B, T, M]", "gelu(linear(x, w, b)) + r"},
      {"linear_twice", "x: f32[B, K], w: f32[K, M], v: f32[M, N]", "linear(relu(linear(x, w)), v)"},
      {"linear_slim", "x: f32[B, 33], w: f32[33, 17], b: f32[17]", "linear(x[:, :9], w[:9, :5], b[:5])"},
      {"matmul_slices", "x: f32[B, 20], w: f32[20, M]", "matmul(x[:, 3:14], w[5:16])"},
      {"matmul_heads", "x: f32[B, T, 12], y: f32[B, S, 12]", "softmax(matmul(heads(x, 3), transpose(heads(y, 3))) * 0.5)"},
      {"matmul_one_row", "a: f32[1, K], b: f32[K, M]", "matmul(a, b)"},
      {"matmul_outer", "a: f32[B, 1], b: f32[1, M]", "matmul(a, b)"},
      {"matmul_chain", "x: f32[B, K], w: f32[K, K]", "matmul(matmul(x, w), w) + x"},
      {"matmul_columns_result", "x: f32[B, T, K], w: f32[K, M]", "transpose(matmul(x, w)) * 2"},
      {"linear_of_concat", "x: f32[B, K], y: f32[B, 3], w: f32[3, M], v: f32[K, M]", "linear(y, w) * linear(x, v) - linear(concat(y, y), concat(w, w, axis = 0))"},
      //===-- along rows -----------------------------------------------------------------------------------------------------===//
      {"softmax", "x: f32[B, N]", "softmax(x)", {{"x", -40, 40}}},
      {"softmax_3d", "x: f32[B, T, N]", "softmax(x)"},
      {"log_softmax", "x: f32[B, N]", "log_softmax(x)", {{"x", -40, 40}}},
      {"layer_norm", "x: f32[B, N], g: f32[N], c: f32[N]", "layer_norm(x, g, c)"},
      {"layer_norm_gamma", "x: f32[B, T, N], g: f32[N]", "layer_norm(x, g, eps = 0.01)"},
      {"layer_norm_beta", "x: f32[B, N], c: f32[N]", "layer_norm(x, beta = c)"},
      {"layer_norm_bare", "x: f32[B, 12]", "layer_norm(x)"},
      {"layer_norm_far", "x: f32[B, N]", "layer_norm(x)", {{"x", 10, 11}}},
      {"layer_norm_residual", "x: f32[B, T, N], y: f32[B, T, N], g: f32[N], c: f32[N]", "layer_norm(x + y, g, c)"},
      {"rms_norm", "x: f32[B, N], g: f32[N]", "rms_norm(x, g)"},
      {"rms_norm_bare", "x: f32[B, T, N]", "rms_norm(x)"},
      {"normalize", "x: f32[B, N]", "normalize(x)", {{"x", 0.1, 2}}},
      {"normalize_columns", "x: f32[B, N]", "normalize(x, axis = 0)", {{"x", 0.1, 2}}},
      {"normalize_zero", "x: f32[B, N]", "normalize(x * 0)"},
      {"softmax_long", "x: f32[B, 1000]", "softmax(x)"},
      {"softmax_transposed", "x: f32[N, B]", "softmax(transpose(x))"},
      {"softmax_masked", "x: f32[B, N], n: f32[B, 1]", "softmax(select(x < n, x, -1e9))", {{"n", 1.5, 2}}},
      {"layer_norm_transposed", "x: f32[B, N, T], g: f32[N], c: f32[N]", "layer_norm(transpose(x), g, c)"},
      {"layer_norm_slice", "x: f32[B, 33], g: f32[9]", "layer_norm(x[:, 7:16], g)"},
      //===-- losses ---------------------------------------------------------------------------------------------------------===//
      {"cross_entropy", "x: f32[B, 9], y: i32[B]", "cross_entropy(x, y)", {{"x", -20, 20}, {"y", 0, 9}}},
      {"cross_entropy_smooth", "x: f32[B, N], y: i32[B]", "cross_entropy(x, y, smoothing = 0.2)", {{"y", 0, 0, "N"}}},
      {"cross_entropy_tokens", "x: f32[B, T, 17], y: i32[B, T]", "cross_entropy(x, y)", {{"y", 0, 17}}},
      {"binary_cross_entropy", "x: f32[B, N], y: f32[B, N]", "binary_cross_entropy(x, y)", {{"x", -30, 30}, {"y", 0, 1}}},
      {"mse", "a: f32[B, N], b: f32[B, N]", "mse(a, b)"},
      {"l1", "a: f32[B, N], b: f32[B, N]", "l1(a, b)"},
      {"huber", "a: f32[B, N], b: f32[B, N]", "huber(a, b, delta = 0.7)"},
      {"hinge", "x: f32[B, N], y: f32[B, N]", "hinge(x, sign(stop(y)))"},
      {"kl_distill", "s: f32[B, N], t: f32[B, N]", "kl_distill(s, t, temperature = 2)"},
      //===-- tables ---------------------------------------------------------------------------------------------------------===//
      {"embedding", "e: f32[11, N], i: i32[B, T]", "embedding(e, i)", {{"i", 0, 11}}},
      {"embedding_sum", "e: f32[3, N], i: i32[B]", "embedding(e, i) * embedding(e, i)", {{"i", 0, 3}}},
      {"embedding_slice", "e: f32[11, N], p: f32[64, N], i: i32[B, T]", "layer_norm(embedding(e, i) + p[:T])", {{"i", 0, 11}}},
      {"embedding_strided", "e: f32[N, 11], i: i32[B, T]", "embedding(transpose(e), i[:, :1])", {{"i", 0, 11}}},
      {"embedding_of_argmax", "e: f32[9, N], x: f32[B, 9]", "embedding(e, argmax(x))"},
      {"embedding_columns", "e: f32[7, 9], i: i32[B]", "embedding(e[:, 2:8], i) * 2", {{"i", 0, 7}}},
      //===-- attention ------------------------------------------------------------------------------------------------------===//
      {"attention", "q: f32[B, 2, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8]", "attention(q, k, v)"},
      {"attention_cross", "q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8]", "attention(q, k, v, scale = 0.7)"},
      {"attention_grouped", "q: f32[B, 4, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8]", "attention(q, k, v)"},
      {"attention_causal", "q: f32[B, 2, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8]", "attention(q, k, v, causal = true)"},
      {"attention_causal_cross", "q: f32[B, 1, T, 8], k: f32[B, 1, S, 8], v: f32[B, 1, S, 8]", "attention(q, k, v, causal = true)"},
      {"attention_window", "q: f32[B, 2, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8]", "attention(q, k, v, causal = true, window = 3)"},
      {"attention_prefix", "q: f32[B, 2, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8]", "attention(q, k, v, prefix = 4)"},
      {"attention_softcap", "q: f32[B, 2, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8]", "attention(q, k, v, softcap = 2)"},
      {"attention_lengths", "q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8], n: i32[B]", "attention(q, k, v, lengths = n)",
       {{"n", 0, 1, "S"}}},
      {"attention_bias", "q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8], b: f32[2, T, S]", "attention(q, k, v, bias = b)", {},
       ForwardOnly},
      {"attention_odd_width", "q: f32[B, 1, T, 5], k: f32[B, 1, T, 5], v: f32[B, 1, T, 5]", "attention(q, k, v)"},
      {"attention_heads", "x: f32[B, T, 24], w: f32[24, 24]", "q = heads(linear(x, w), 3)  return merge(attention(q, q, heads(x, 3)))"},
      {"attention_long_keys", "q: f32[2, 2, 3, 16], k: f32[2, 2, 300, 16], v: f32[2, 2, 300, 16]", "attention(q, k, v)"},
      {"attention_slices", "x: f32[B, T, 24]", "attention(heads(x[:, :, :8], 2), heads(x[:, :, 8:16], 2), heads(x[:, :, 16:], 2))"},
      {"attention_all", "q: f32[B, 4, T, 8], k: f32[B, 2, T, 8], v: f32[B, 2, T, 8], n: i32[B]",
       "attention(q, k, v, causal = true, window = 5, softcap = 3, scale = 0.4, lengths = n)", {{"n", 0, 1, "T"}}},
      {"attention_far", "q: f32[B, 2, T, 8], k: f32[B, 2, S, 8], v: f32[B, 2, S, 8]", "attention(q, k, v)", {{"q", -20, 20}}, ForwardOnly},
      //===-- nested widths --------------------------------------------------------------------------------------------------===//
      {"nested_linear", "x: f32[B, 21], w: f32[21, M], b: f32[M]", "nested_linear(x, w, b, widths = [3, 8, 16, 21])"},
      {"nested_linear_short", "x: f32[B, 21], w: f32[21, M]", "nested_linear(x, w, widths = [1, 7, 9])"},
      {"nested_linear_3d", "x: f32[B, T, 9], w: f32[9, M]", "gelu(nested_linear(x, w, widths = [4, 8]))"},
      {"nested_loss", "x: f32[B, 16], w: f32[16, 5], y: i32[B]",
       "sum(cross_entropy(nested_linear(x, w, widths = [2, 8, 16]), y), over = widths)", {{"y", 0, 5}}},
      {"nested_mean", "x: f32[B, 16], w: f32[16, M]", "mean(tanh(nested_linear(x, w, widths = [2, 8, 16])), over = widths)"},
      {"nested_max", "x: f32[B, 16], w: f32[16, M]", "max(nested_linear(x, w, widths = [2, 8, 16]), over = widths)"},
      {"nested_pick", "x: f32[B, 16], w: f32[16, M]", "nested_linear(x, w, widths = [2, 8, 16])[8]"},
      {"nested_stack", "x: f32[B, 16], w: f32[16, M]", "stack(nested_linear(x, w, widths = [2, 16])) * 2"},
      {"nested_norm", "x: f32[B, 16]", "sum(mean(layer_norm(prefixes(x, widths = [4, 9, 16])) * 3, axis = 1), over = widths)"},
      {"nested_softmax", "x: f32[B, 16]", "sum(max(softmax(prefixes(x, widths = [1, 4, 16])), axis = 1), over = widths)"},
      {"nested_normalized", "x: f32[B, 16], y: f32[B, 16]",
       "stack(sum(normalize(prefixes(x, widths = [4, 16])) * normalize(prefixes(y, widths = [4, 16])), axis = 1))"},
      {"nested_product", "x: f32[B, 16], y: f32[M, 16]",
       "stack(matmul(prefixes(x, widths = [4, 16]), transpose(prefixes(y, widths = [4, 16]))))"},
      {"nested_sums", "x: f32[B, 16], g: f32[16]",
       "p = prefixes(x, widths = [4, 16]) * prefixes(g, widths = [4, 16])  return stack(sum(p + tanh(p), axis = 1))"},
      {"nested_rows", "x: f32[9, N]", "stack(sum(prefixes(x, widths = [2, 5, 9], axis = 0), axis = 0))"},
      {"nested_argmax", "x: f32[B, 16]", "stack(argmax(prefixes(x, widths = [4, 9, 16])))", {}, Discrete},
      {"nested_means", "x: f32[B, T, 16], n: i32[B]",
       "stack(sum(mean(prefixes(x, widths = [4, 16]), axis = 1, lengths = n), axis = 1))", {{"n", 0, 1, "T"}}},
      {"nested_select", "x: f32[B, 16], w: f32[16, M], t: f32[B, M]",
       "y = nested_linear(x, w, widths = [4, 16])  return select(y > t, y * y, t)"},
      {"nested_single", "x: f32[B, 16], w: f32[16, M]", "nested_linear(x, w, widths = [16])"},
      {"nested_untied", "x: f32[B, 16], w: f32[16, 16], v: f32[16, M]",
       "linear(relu(linear(prefixes(x, widths = [4, 16]), prefixes(w, widths = [4, 16], axis = 0))), v)"},
      {"nested_to_number", "x: f32[B, 16], w: f32[16, M], t: f32[B, M]", "mean(mse(nested_linear(x, w, widths = [4, 16]), t), over = widths)"},
  };
  return rows;
}

#undef UNARY

const std::vector<Sizes> &test::oddSizes() {
  static const std::vector<Sizes> sizes = {
      {1, 1, 1, 1, 1, 1},     {2, 7, 5, 3, 2, 8},      {3, 8, 9, 7, 8, 7},      {5, 9, 16, 8, 7, 9},     {7, 15, 1, 9, 9, 15},
      {8, 16, 17, 15, 15, 16}, {9, 17, 3, 16, 16, 17}, {16, 2, 33, 17, 17, 31}, {17, 31, 8, 31, 31, 32}, {33, 5, 31, 33, 33, 33},
      {0, 7, 5, 9, 8, 7},
  };
  return sizes;
}

std::string test::functionName(const OperatorRow &row) { return std::string("test_") + row.name; }

std::string test::tableProgram() {
  std::string text;
  // The wide sizes are the bounds, so that arenas stay small; 64 is the number of rows that slice_symbolic cuts by T.
  for (auto &[dim, size] : kWideSizes.named())
    text += "dim " + dim + " <= " + std::to_string(dim == "T" ? 64 : size) + "\n";
  for (const OperatorRow &row : operatorTable()) {
    std::string body = row.expression;
    if (body.find("return ") == std::string::npos)
      body = "return " + body;
    text += "fn " + functionName(row) + "(" + row.inputs + ") { " + body + " }\n";
  }
  return text;
}
