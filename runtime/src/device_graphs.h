// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recorded calls: one graph a function and set of dims, few at a time, the least recently used one first out.
#ifndef NACRE_SRC_DEVICE_GRAPHS_H
#define NACRE_SRC_DEVICE_GRAPHS_H

#include "runtime/src/cuda_driver.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NACRE_MAX_GRAPHS 8 // a training has two sets of dims a function (the last batch is shorter); a graph is some KB a launch

typedef struct nacre_device_graph {
  uint64_t used;    /* by the clock below; 0: the place is free */
  int32_t function;
  int64_t dims[NACRE_MAX_DIMS];
  void *executable; /* null: the call was seen once, and is recorded when it comes again */
} nacre_device_graph;

/// Starts as {0}.
typedef struct nacre_device_graphs {
  uint64_t clock;
  nacre_device_graph items[NACRE_MAX_GRAPHS];
} nacre_device_graphs;

/// The place of a call: `*seen` says whether it was made before. A new call takes the place of the one that was used least recently.
nacre_device_graph *nacre_graph_of(nacre_device_graphs *graphs, const nacre_cuda *cuda, int32_t function, const int64_t *dims,
                                   int32_t dim_count, int *seen);
void nacre_graphs_clear(nacre_device_graphs *graphs, const nacre_cuda *cuda);

#ifdef __cplusplus
}
#endif
#endif
