// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/device_graphs.h"

#include <string.h>

static void forget(nacre_device_graph *graph, const nacre_cuda *cuda) {
  if (graph->executable != NULL)
    (void)cuda->cuGraphExecDestroy(graph->executable);
  *graph = (nacre_device_graph){0};
}

nacre_device_graph *nacre_graph_of(nacre_device_graphs *graphs, const nacre_cuda *cuda, int32_t function, const int64_t *dims,
                                   int32_t dim_count, int *seen) {
  nacre_device_graph key = {.used = ++graphs->clock, .function = function};
  nacre_device_graph *oldest = &graphs->items[0];
  if (dim_count > 0)
    memcpy(key.dims, dims, (size_t)dim_count * sizeof dims[0]);
  for (int32_t i = 0; i < NACRE_MAX_GRAPHS; ++i) {
    nacre_device_graph *graph = &graphs->items[i];
    *seen = graph->used != 0 && graph->function == function && memcmp(graph->dims, key.dims, sizeof key.dims) == 0;
    if (*seen) {
      graph->used = key.used;
      return graph;
    }
    oldest = graph->used < oldest->used ? graph : oldest;
  }
  forget(oldest, cuda);
  *oldest = key;
  return oldest;
}

void nacre_graphs_clear(nacre_device_graphs *graphs, const nacre_cuda *cuda) {
  for (int32_t i = 0; i < NACRE_MAX_GRAPHS; ++i)
    forget(&graphs->items[i], cuda);
}
