// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic that has an intrinsic of its own. Approximations are computed better here than on the device: tests use tolerances.
#include "test/simt/executor/Narrow.h"
#include "test/simt/executor/Warp.h"

#include <cmath>

using namespace nacre::simt;

namespace {
template <typename Value>
struct UnaryFrame {
  Value result, a;
};
template <typename Value>
struct BinaryFrame {
  Value result, a, b;
};
template <typename Value>
struct TernaryFrame {
  Value result, a, b, c;
};
template <typename Result>
struct ConvertFrame {
  Result result;
  float a;
};
struct ConvertPairFrame {
  uint32_t result;
  float high, low;
};
} // namespace

#define NACRE_UNARY(NAME, TYPE, VALUE)                                                                                                     \
  extern "C" void simt_##NAME(UnaryFrame<TYPE> *frame, const Site *) {                                                                     \
    TYPE a = frame->a;                                                                                                                     \
    frame->result = VALUE;                                                                                                                 \
  }
NACRE_UNARY(ex2_approx_f, float, std::exp2(a))
NACRE_UNARY(ex2_approx_f32, float, std::exp2(a))
NACRE_UNARY(ex2_approx_ftz_f, float, std::exp2(a))
NACRE_UNARY(ex2_approx_ftz_f32, float, std::exp2(a))
NACRE_UNARY(asm_ex2_approx_f32, float, std::exp2(a))
NACRE_UNARY(asm_ex2_approx_ftz_f32, float, std::exp2(a))
NACRE_UNARY(lg2_approx_f, float, std::log2(a))
NACRE_UNARY(lg2_approx_ftz_f, float, std::log2(a))
NACRE_UNARY(asm_lg2_approx_f32, float, std::log2(a))
NACRE_UNARY(rsqrt_approx_f, float, 1 / std::sqrt(a))
NACRE_UNARY(rsqrt_approx_ftz_f, float, 1 / std::sqrt(a))
NACRE_UNARY(rcp_approx_ftz_f, float, 1 / a)
NACRE_UNARY(rcp_rn_f, float, 1 / a)
NACRE_UNARY(sqrt_f, float, std::sqrt(a))
NACRE_UNARY(sqrt_rn_f, float, std::sqrt(a))
NACRE_UNARY(sqrt_approx_f, float, std::sqrt(a))
NACRE_UNARY(sqrt_approx_ftz_f, float, std::sqrt(a))
NACRE_UNARY(sin_approx_f, float, std::sin(a))
NACRE_UNARY(cos_approx_f, float, std::cos(a))
NACRE_UNARY(asm_tanh_approx_f32, float, std::tanh(a))
NACRE_UNARY(fabs_f32, float, std::fabs(a))
NACRE_UNARY(fabs_ftz_f32, float, std::fabs(a))

#define NACRE_BINARY(NAME, TYPE, VALUE)                                                                                                    \
  extern "C" void simt_##NAME(BinaryFrame<TYPE> *frame, const Site *) {                                                                    \
    TYPE a = frame->a, b = frame->b;                                                                                                       \
    frame->result = VALUE;                                                                                                                 \
  }
static float propagateNan(float a, float b, float result) { return a != a || b != b ? std::nanf("") : result; }
NACRE_BINARY(div_approx_f, float, a / b)
NACRE_BINARY(div_full, float, a / b)
NACRE_BINARY(div_rn_f, float, a / b)
NACRE_BINARY(fmin_f, float, std::fmin(a, b))
NACRE_BINARY(fmax_f, float, std::fmax(a, b))
NACRE_BINARY(fmin_nan_f, float, propagateNan(a, b, std::fmin(a, b)))
NACRE_BINARY(fmax_nan_f, float, propagateNan(a, b, std::fmax(a, b)))
NACRE_BINARY(mulhi_i, int32_t, int32_t(int64_t(a) * b >> 32))
NACRE_BINARY(mulhi_ui, uint32_t, uint32_t(uint64_t(a) * b >> 32))

extern "C" void simt_fma_rn_f(TernaryFrame<float> *frame, const Site *) { frame->result = std::fma(frame->a, frame->b, frame->c); }

/// Byte i of the result is the byte of (b:a) that nibble i of c names; bit 3 of the nibble asks for its sign instead.
extern "C" void simt_prmt(TernaryFrame<uint32_t> *frame, const Site *) {
  uint64_t bytes = frame->a | uint64_t(frame->b) << 32;
  frame->result = 0;
  for (int i = 0; i < 4; ++i) {
    uint32_t nibble = frame->c >> 4 * i & 15, byte = bytes >> 8 * (nibble & 7) & 255;
    frame->result |= (nibble & 8 ? (byte & 128 ? 255 : 0) : byte) << 8 * i;
  }
}

extern "C" void simt_f2tf32_rna(ConvertFrame<uint32_t> *frame, const Site *) { frame->result = toTf32(frame->a); }
extern "C" void simt_f2bf16_rn(ConvertFrame<uint16_t> *frame, const Site *) { frame->result = toBf16(frame->a); }
extern "C" void simt_f2f16_rn(ConvertFrame<uint16_t> *frame, const Site *) { frame->result = toF16(frame->a); }
extern "C" void simt_ff2bf16x2_rn(ConvertPairFrame *frame, const Site *) {
  frame->result = uint32_t(toBf16(frame->high)) << 16 | toBf16(frame->low);
}
extern "C" void simt_ff2f16x2_rn(ConvertPairFrame *frame, const Site *) {
  frame->result = uint32_t(toF16(frame->high)) << 16 | toF16(frame->low);
}

/// What generated host code calls to round to bf16; older C compilers' libraries lack it. By the convention a number of 16 bits comes back
/// in the low bits of the register of a float.
extern "C" __attribute__((weak)) float __truncsfbf2(float value) { return floatOf(toBf16(value)); }
