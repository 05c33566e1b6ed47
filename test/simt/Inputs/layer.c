// Calls the exported kernel as a project with a CUDA context of its own would: integer values, so that the result is exact.
#include "layer.h"

#include <stdio.h>
#include <stdlib.h>

extern int cuInit(unsigned flags);
extern int cuDeviceGet(int *device, int ordinal);
extern int cuDevicePrimaryCtxRetain(void **context, int device);
extern int cuCtxSetCurrent(void *context);
extern int cuCtxSynchronize(void);
extern int cuMemAlloc_v2(uint64_t *address, size_t bytes);
extern int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes);
extern int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes);

enum { Depth = 70, Columns = 130, MostRows = 77 };

static void check(int status, const char *what) {
  if (status == 0)
    return;
  printf("%s: status %d\n", what, status);
  exit(1);
}

static uint64_t upload(const float *values, size_t count) {
  uint64_t address = 0;
  check(cuMemAlloc_v2(&address, count * sizeof *values), "alloc");
  check(cuMemcpyHtoD_v2(address, values, count * sizeof *values), "upload");
  return address;
}

static float expected(const float *x, const float *w, const float *bias, int row, int column) {
  float sum = bias[column];
  for (int k = 0; k < Depth; ++k)
    sum += x[row * Depth + k] * w[k * Columns + column];
  return sum > 0 ? sum : 0;
}

int main(void) {
  static float x[MostRows * Depth], w[Depth * Columns], bias[Columns], result[MostRows * Columns];
  for (int i = 0; i < MostRows * Depth; ++i)
    x[i] = (float)(i * 7 % 11 - 5);
  for (int i = 0; i < Depth * Columns; ++i)
    w[i] = (float)(i * 5 % 13 - 6);
  for (int i = 0; i < Columns; ++i)
    bias[i] = (float)(i % 3);
  void *context = NULL;
  int device = 0;
  check(cuInit(0), "init");
  check(cuDeviceGet(&device, 0), "device");
  check(cuDevicePrimaryCtxRetain(&context, device), "context");
  check(cuCtxSetCurrent(context), "context");
  layer_kernel kernel;
  check(layer_load(&kernel, 3), "load");
  uint64_t on_device[] = {upload(x, MostRows * Depth), upload(w, Depth * Columns), upload(bias, Columns), upload(result, MostRows * Columns)};
  const int rows[] = {0, 1, 33, MostRows};
  for (int i = 0; i < 4; ++i) {
    check(layer_launch(&kernel, NULL, rows[i], on_device[0], on_device[1], on_device[2], on_device[3]), "launch");
    check(cuCtxSynchronize(), "synchronize");
    check(cuMemcpyDtoH_v2(result, on_device[3], sizeof result), "download");
    for (int row = 0; row < rows[i]; ++row)
      for (int column = 0; column < Columns; ++column)
        if (result[row * Columns + column] != expected(x, w, bias, row, column)) {
          printf("row %d, column %d: expected %g, but got %g\n", row, column, expected(x, w, bias, row, column), result[row * Columns + column]);
          return 1;
        }
    printf("%d rows: equal\n", rows[i]);
  }
  printf("more rows than the bound: status %d\n", layer_launch(&kernel, NULL, 301, on_device[0], on_device[1], on_device[2], on_device[3]));
  layer_unload(&kernel);
  return 0;
}
