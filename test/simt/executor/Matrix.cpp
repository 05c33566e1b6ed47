// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ldmatrix and mma.sync. Fragments (PTX ISA, "Matrix fragments for mma.m16n8k16" and ".m16n8k8"), lane = 4 g + t: a 32-bit register of A
// holds row g or g + 8, of B column g; C has rows g and g + 8, columns 2 t and 2 t + 1. Sums run in ascending k in f32 from the given C;
// the device may add in another order, so tests use values whose sums are exact, or tolerances.
#include "test/simt/executor/Block.h"
#include "test/simt/executor/Narrow.h"

#include <algorithm>
#include <atomic>

using namespace nacre::simt;

static std::atomic<uint64_t> phases{0}, extraPasses{0};

BankCounts nacre::simt::takeBankCounts() { return {phases.exchange(0), extraPasses.exchange(0)}; }

namespace {
template <int N>
struct LoadFrame {
  uint32_t result[N];
  const uint16_t *row;
};
/// What a lane brings: the row that it names, as it sees it. The lanes meet here, but that orders no memory: what another lane wrote
/// without a barrier since may be missing.
struct NamedRow {
  uint32_t *result;
  uintptr_t address;
  uint16_t numbers[8];
};
} // namespace

/// Shared memory has 32 banks of 4 bytes: a row of 16 bytes takes 4 neighbouring ones, so 8 rows fit into a pass.
static void countBanks(const Warp &warp, uint32_t firstLane) {
  int used[8] = {}, most = 0;
  for (uint32_t r = 0; r < 8; ++r)
    most = std::max(most, ++used[warp.frame<NamedRow>(firstLane + r).address >> 4 & 7]);
  phases.fetch_add(1, std::memory_order_relaxed);
  extraPasses.fetch_add(uint64_t(most - 1), std::memory_order_relaxed);
}

template <int N, bool isTransposed>
static void loadMatrices(LoadFrame<N> *frame, const Site *site) {
  NamedRow own = {frame->result, uintptr_t(frame->row), {}};
  if (running->current().lane < 8 * N) { // the others' addresses are ignored
    if (own.address % 16) running->fail(Failure::MisalignedAddress, "ldmatrix needs rows at multiples of 16 bytes");
    std::memcpy(own.numbers, frame->row, sizeof own.numbers);
  }
  meet(Warp::kAll, site, &own, [](Warp &warp) {
    for (uint32_t matrix = 0; matrix < N; ++matrix) {
      uint32_t first = matrix * 8; // lanes 8 m to 8 m + 7 name the rows of matrix m
      countBanks(warp, first);
      auto at = [&](uint32_t row, uint32_t column) { return uint32_t(warp.frame<NamedRow>(first + row).numbers[column]); };
      for (uint32_t lane = 0; lane < 32; ++lane) {
        uint32_t g = lane / 4, t = lane % 4 * 2;
        uint32_t low = isTransposed ? at(t, g) : at(g, t), high = isTransposed ? at(t + 1, g) : at(g, t + 1);
        warp.frame<NamedRow>(lane).result[matrix] = low | high << 16;
      }
    }
  });
}

#define NACRE_LDMATRIX(N, SPACE)                                                                                                           \
  extern "C" void simt_ldmatrix_sync_aligned_m8n8_x##N##_b16_##SPACE(LoadFrame<N> *frame, const Site *site) {                              \
    loadMatrices<N, false>(frame, site);                                                                                                   \
  }                                                                                                                                        \
  extern "C" void simt_ldmatrix_sync_aligned_m8n8_x##N##_trans_b16_##SPACE(LoadFrame<N> *frame, const Site *site) {                        \
    loadMatrices<N, true>(frame, site);                                                                                                    \
  }
NACRE_LDMATRIX(1, p3)
NACRE_LDMATRIX(2, p3)
NACRE_LDMATRIX(4, p3)
NACRE_LDMATRIX(1, p0)
NACRE_LDMATRIX(2, p0)
NACRE_LDMATRIX(4, p0)

namespace {

/// Two numbers of 16 bits in a register.
template <float (*convert)(uint16_t)>
struct Pair {
  static constexpr int kNumbers = 2;
  static float at(uint32_t reg, int e) { return convert(uint16_t(reg >> 16 * e)); }
};
struct Single {
  static constexpr int kNumbers = 1;
  static float at(uint32_t reg, int) { return fromTf32(reg); }
};

/// m16n8kK with 32-bit registers of `Numbers`: A has 16 K numbers in 32 lanes, B half of them.
template <typename Numbers, int K>
struct Product {
  static constexpr int kA = 16 * K / 32 / Numbers::kNumbers, kB = kA / 2;
  struct Frame {
    float d[4];
    uint32_t a[kA], b[kB];
    float c[4];
  };

  float a[16][K], b[K][8], c[16][8];

  void gather(const Frame &frame, int lane) {
    constexpr int n = Numbers::kNumbers;
    int g = lane / 4, t = lane % 4;
    for (int i = 0; i < kA; ++i)
      for (int e = 0; e < n; ++e)
        a[g + i % 2 * 8][t * n + i / 2 * 4 * n + e] = Numbers::at(frame.a[i], e);
    for (int i = 0; i < kB; ++i)
      for (int e = 0; e < n; ++e)
        b[t * n + i * 4 * n + e][g] = Numbers::at(frame.b[i], e);
    for (int i = 0; i < 4; ++i)
      c[g + i / 2 * 8][2 * t + i % 2] = frame.c[i];
  }
  void multiply() {
    for (int i = 0; i < 16; ++i)
      for (int k = 0; k < K; ++k)
        for (int j = 0; j < 8; ++j)
          c[i][j] += a[i][k] * b[k][j];
  }
  void scatter(Frame &frame, int lane) const {
    for (int i = 0; i < 4; ++i)
      frame.d[i] = c[lane / 4 + i / 2 * 8][2 * (lane % 4) + i % 2];
  }

  static void run(void *own, const Site *site) {
    meet(Warp::kAll, site, own, [](Warp &warp) {
      Product product;
      for (int lane = 0; lane < 32; ++lane)
        product.gather(warp.frame<Frame>(lane), lane);
      product.multiply();
      for (int lane = 0; lane < 32; ++lane)
        product.scatter(warp.frame<Frame>(lane), lane);
    });
  }
};

} // namespace

#define NACRE_MMA(NAME, NUMBERS, K)                                                                                                        \
  extern "C" void simt_mma_m16n8k##K##_row_col_##NAME(void *frame, const Site *site) { Product<NUMBERS, K>::run(frame, site); }
NACRE_MMA(bf16, Pair<fromBf16>, 16)
NACRE_MMA(bf16, Pair<fromBf16>, 8)
NACRE_MMA(f32_f32, Pair<fromF16>, 16)
NACRE_MMA(f32_f32, Pair<fromF16>, 8)
NACRE_MMA(tf32, Single, 8)
NACRE_MMA(tf32, Single, 4)
