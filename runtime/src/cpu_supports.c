// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads cpuid itself: the compiler's builtin would pull a symbol of its support library into every compiled model. Stands alone, so
// that an exported kernel takes this object of the runtime and no other.
#include "runtime/src/cpu_supports.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

typedef struct registers {
  unsigned eax, ebx, ecx, edx;
} registers;

static registers cpuid(unsigned leaf) {
  registers r = {0, 0, 0, 0};
  if (!__get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx))
    r = (registers){0, 0, 0, 0};
  return r;
}

static bool has(unsigned word, unsigned bits) { return (word & bits) == bits; }

// The register state that the operating system saves.
static unsigned saved_state(void) {
  unsigned low = 0;
  unsigned high = 0;
  if (!has(cpuid(1).ecx, bit_OSXSAVE))
    return 0;
  __asm__ __volatile__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static bool supports_v2(void) {
  return has(cpuid(1).ecx, bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT | bit_CMPXCHG16B);
}

static bool supports_v3(void) {
  return supports_v2() && has(cpuid(1).ecx, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) &&
         has(cpuid(7).ebx, bit_AVX2 | bit_BMI | bit_BMI2) && has(cpuid(0x80000001u).ecx, bit_LZCNT) &&
         has(saved_state(), 0x6); // xmm, ymm
}

static bool supports_v4(void) {
  return supports_v3() && has(cpuid(7).ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL) &&
         has(saved_state(), 0xE6); // xmm, ymm, masks, zmm
}

static bool supports_x86(const char *level) {
  if (strcmp(level, "v1") == 0)
    return true;
  if (strcmp(level, "v2") == 0)
    return supports_v2();
  if (strcmp(level, "v3") == 0)
    return supports_v3();
  return strcmp(level, "v4") == 0 && supports_v4();
}
#else
static bool supports_x86(const char *level) {
  (void)level;
  return false;
}
#endif

bool nacre_cpu_supports(const char *level) {
  return strcmp(level, "generic") == 0 || strcmp(level, "native") == 0 || supports_x86(level);
}
