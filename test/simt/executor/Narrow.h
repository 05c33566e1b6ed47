// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Number formats of 16 and 19 bits, exactly as the conversions of the device round them.
#pragma once

#include <cstdint>
#include <cstring>

namespace nacre::simt {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float fromBf16(uint16_t bits) { return floatOf(uint32_t(bits) << 16); }
/// To nearest, ties to even; NaN stays one.
inline uint16_t toBf16(float value) {
  uint32_t bits = bitsOf(value);
  if (value != value) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float fromF16(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, sizeof value);
  return float(value);
}
inline uint16_t toF16(float value) {
  _Float16 narrow = _Float16(value);
  uint16_t bits;
  std::memcpy(&bits, &narrow, sizeof bits);
  return bits;
}

/// tf32 has 10 bits of mantissa: hardware ignores the 13 low bits of an operand.
inline float fromTf32(uint32_t bits) { return floatOf(bits & ~0x1fffu); }
/// To nearest, ties away from zero (cvt.rna).
inline uint32_t toTf32(float value) {
  uint32_t bits = bitsOf(value);
  bool isFinite = (bits & 0x7f800000) != 0x7f800000;
  return isFinite ? (bits + 0x1000) & ~0x1fffu : bits;
}

} // namespace nacre::simt
