// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/philox.h"

#include <math.h>

static void round_once(uint32_t c[4], uint32_t key0, uint32_t key1) {
  uint64_t product0 = (uint64_t)0xD2511F53u * c[0];
  uint64_t product1 = (uint64_t)0xCD9E8D57u * c[2];
  uint32_t next0 = (uint32_t)(product1 >> 32) ^ c[1] ^ key0;
  uint32_t next2 = (uint32_t)(product0 >> 32) ^ c[3] ^ key1;
  c[0] = next0;
  c[1] = (uint32_t)product1;
  c[2] = next2;
  c[3] = (uint32_t)product0;
}

void nacre_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t block[4]) {
  uint32_t key0 = key[0];
  uint32_t key1 = key[1];
  for (int i = 0; i < 4; ++i)
    block[i] = counter[i];
  for (int round = 0; round < 10; ++round) {
    round_once(block, key0, key1);
    key0 += 0x9E3779B9u; // golden ratio
    key1 += 0xBB67AE85u; // sqrt(3) - 1
  }
}

static void draw_block(const nacre_stream *stream, uint64_t index, uint32_t block[4]) {
  const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream->step, stream->site};
  const uint32_t key[2] = {(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)};
  nacre_philox(counter, key, block);
}

void nacre_draw_uniform(const nacre_stream *stream, uint64_t block, double draws[4]) {
  uint32_t words[4];
  draw_block(stream, block, words);
  for (int i = 0; i < 4; ++i)
    draws[i] = (double)(words[i] >> 8) * 0x1p-24;
}

// In [0, 1), a multiple of 2^-53.
static double uniform53(uint32_t high, uint32_t low) {
  return ((double)(high >> 5) * 0x1p26 + (double)(low >> 6)) * 0x1p-53;
}

void nacre_draw_normal(const nacre_stream *stream, uint64_t block, double draws[2]) {
  const double two_pi = 6.283185307179586476925;
  uint32_t words[4];
  draw_block(stream, block, words);
  double radius = sqrt(-2.0 * log(1.0 - uniform53(words[0], words[1]))); // the argument lies in (0, 1]
  double angle = two_pi * uniform53(words[2], words[3]);
  draws[0] = radius * cos(angle);
  draws[1] = radius * sin(angle);
}
