// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Special registers, and what costs nothing here: fences, pauses, register hints. (One thread runs at a time, and it sees all that the
// others wrote.)
#include "test/simt/executor/Block.h"

using namespace nacre::simt;

#define NACRE_REGISTER(NAME, VALUE)                                                                                                        \
  extern "C" void simt_read_ptx_sreg_##NAME(uint32_t *result, const Site *) {                                                              \
    Block &block = *running;                                                                                                               \
    Thread &thread = block.current();                                                                                                      \
    (void)thread;                                                                                                                          \
    *result = VALUE;                                                                                                                       \
  }
#define NACRE_REGISTER3(NAME, DIM) NACRE_REGISTER(NAME##_x, (DIM).x) NACRE_REGISTER(NAME##_y, (DIM).y) NACRE_REGISTER(NAME##_z, (DIM).z)
NACRE_REGISTER3(tid, thread.id)
NACRE_REGISTER3(ntid, block.launch().block)
NACRE_REGISTER3(ctaid, block.place())
NACRE_REGISTER3(nctaid, block.launch().grid)
NACRE_REGISTER(laneid, thread.lane)
NACRE_REGISTER(warpid, thread.index / 32)
NACRE_REGISTER(warpsize, 32)
NACRE_REGISTER(lanemask_eq, 1u << thread.lane)
NACRE_REGISTER(lanemask_lt, (1u << thread.lane) - 1)
NACRE_REGISTER(lanemask_le, (2u << thread.lane) - 1)
NACRE_REGISTER(lanemask_ge, ~((1u << thread.lane) - 1))
NACRE_REGISTER(lanemask_gt, ~((2u << thread.lane) - 1))

#define NACRE_NOTHING(NAME)                                                                                                                \
  extern "C" void simt_##NAME(void *, const Site *) {}
NACRE_NOTHING(membar_cta)
NACRE_NOTHING(membar_gl)
NACRE_NOTHING(membar_sys)
NACRE_NOTHING(fence_sc_cluster)
NACRE_NOTHING(fence_proxy_async)
NACRE_NOTHING(fence_proxy_async_shared_cta)
NACRE_NOTHING(fence_mbarrier_init_release_cluster)
NACRE_NOTHING(nanosleep)
NACRE_NOTHING(setmaxnreg_inc_sync_aligned_u32)
NACRE_NOTHING(setmaxnreg_dec_sync_aligned_u32)
NACRE_NOTHING(prefetch_tensormap_p0)
