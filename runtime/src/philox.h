// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random numbers by position: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).
// A draw is a pure function of (seed, step, site, index), so any thread may make any draw.
#ifndef NACRE_SRC_PHILOX_H
#define NACRE_SRC_PHILOX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The ten-round block function; the reference's known-answer vectors hold.
void nacre_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t block[4]);

/// Where draws come from. `site` is the position of the parameter or of the random operator.
typedef struct nacre_stream {
  uint64_t seed;
  uint32_t step;
  uint32_t site;
} nacre_stream;

/// Four uniform draws in [0, 1), multiples of 2^-24: those with indices 4 * block + 0..3.
void nacre_draw_uniform(const nacre_stream *stream, uint64_t block, double draws[4]);
/// Two standard normal draws (Box-Muller in f64 from 53-bit uniforms): those with indices 2 * block + 0..1.
void nacre_draw_normal(const nacre_stream *stream, uint64_t block, double draws[2]);

#ifdef __cplusplus
}
#endif
#endif
