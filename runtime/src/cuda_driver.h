// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The CUDA driver as a table of functions, had by dlopen when a device is first asked for. No header of CUDA is needed to build this,
// and nothing of CUDA is linked: without a driver the same library runs on the CPU.
//
// Handles (contexts, modules, functions, streams, events, graphs) are `void *`, devices `int`, results `int` (0 = success).
#ifndef NACRE_SRC_CUDA_DRIVER_H
#define NACRE_SRC_CUDA_DRIVER_H

#include "nacre/abi.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// An address in device memory (CUdeviceptr); 0: none.
typedef uint64_t nacre_cuda_address;

// X(member, symbol, parameters). Where the symbol ends in _v2, the name without it is the 32-bit interface of CUDA 3.
#define NACRE_CUDA_FUNCTIONS(X)                                                                                                      \
  X(cuInit, "cuInit", (unsigned flags))                                                                                              \
  X(cuDriverGetVersion, "cuDriverGetVersion", (int *version))                                                                        \
  X(cuGetErrorName, "cuGetErrorName", (int result, const char **name))                                                               \
  X(cuGetErrorString, "cuGetErrorString", (int result, const char **text))                                                           \
  X(cuDeviceGetCount, "cuDeviceGetCount", (int *count))                                                                              \
  X(cuDeviceGet, "cuDeviceGet", (int *device, int ordinal))                                                                          \
  X(cuDeviceGetName, "cuDeviceGetName", (char *name, int size, int device))                                                          \
  X(cuDeviceGetAttribute, "cuDeviceGetAttribute", (int *value, int attribute, int device))                                           \
  X(cuDeviceTotalMem, "cuDeviceTotalMem_v2", (size_t *bytes, int device))                                                            \
  X(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", (void **context, int device))                                              \
  X(cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", (int device))                                                         \
  X(cuCtxPushCurrent, "cuCtxPushCurrent_v2", (void *context))                                                                        \
  X(cuCtxPopCurrent, "cuCtxPopCurrent_v2", (void **context))                                                                         \
  X(cuModuleLoadDataEx, "cuModuleLoadDataEx", (void **module, const void *image, unsigned count, int *options, void **values))       \
  X(cuModuleUnload, "cuModuleUnload", (void *module))                                                                                \
  X(cuModuleGetFunction, "cuModuleGetFunction", (void **function, void *module, const char *name))                                   \
  X(cuFuncSetAttribute, "cuFuncSetAttribute", (void *function, int attribute, int value))                                            \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessor, "cuOccupancyMaxActiveBlocksPerMultiprocessor",                                      \
    (int *blocks, void *function, int threads, size_t shared_bytes))                                                                 \
  X(cuMemAlloc, "cuMemAlloc_v2", (nacre_cuda_address *address, size_t bytes))                                                        \
  X(cuMemFree, "cuMemFree_v2", (nacre_cuda_address address))                                                                         \
  X(cuMemAllocHost, "cuMemAllocHost_v2", (void **data, size_t bytes))                                                                \
  X(cuMemFreeHost, "cuMemFreeHost", (void *data))                                                                                    \
  X(cuMemcpyHtoD, "cuMemcpyHtoD_v2", (nacre_cuda_address to, const void *from, size_t bytes))                                        \
  X(cuMemcpyDtoH, "cuMemcpyDtoH_v2", (void *to, nacre_cuda_address from, size_t bytes))                                              \
  X(cuMemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2", (nacre_cuda_address to, const void *from, size_t bytes, void *stream))                \
  X(cuMemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2", (void *to, nacre_cuda_address from, size_t bytes, void *stream))                      \
  X(cuStreamCreate, "cuStreamCreate", (void **stream, unsigned flags))                                                               \
  X(cuStreamDestroy, "cuStreamDestroy_v2", (void *stream))                                                                           \
  X(cuStreamSynchronize, "cuStreamSynchronize", (void *stream))                                                                      \
  X(cuEventCreate, "cuEventCreate", (void **event, unsigned flags))                                                                  \
  X(cuEventDestroy, "cuEventDestroy_v2", (void *event))                                                                              \
  X(cuEventRecord, "cuEventRecord", (void *event, void *stream))                                                                     \
  X(cuEventSynchronize, "cuEventSynchronize", (void *event))                                                                         \
  X(cuLaunchKernel, "cuLaunchKernel",                                                                                                \
    (void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,        \
     unsigned shared_bytes, void *stream, void **parameters, void **extra))                                                          \
  X(cuStreamBeginCapture, "cuStreamBeginCapture_v2", (void *stream, int mode))                                                       \
  X(cuStreamEndCapture, "cuStreamEndCapture", (void *stream, void **graph))                                                          \
  X(cuGraphInstantiate, "cuGraphInstantiateWithFlags", (void **executable, void *graph, unsigned long long flags))                   \
  X(cuGraphLaunch, "cuGraphLaunch", (void *executable, void *stream))                                                                \
  X(cuGraphDestroy, "cuGraphDestroy", (void *graph))                                                                                 \
  X(cuGraphExecDestroy, "cuGraphExecDestroy", (void *executable))

typedef struct nacre_cuda {
#define NACRE_CUDA_MEMBER(member, symbol, parameters) int(*member) parameters;
  NACRE_CUDA_FUNCTIONS(NACRE_CUDA_MEMBER)
#undef NACRE_CUDA_MEMBER
} nacre_cuda;

/// The driver of this process, opened and initialised by the first caller that succeeds; it stays open, for a driver cannot be ended
/// safely. The environment's NACRE_LIBCUDA names another library than libcuda.so.1. Any thread may call.
/// Null with NACRE_ERR_DEVICE when there is none, when it is too old for the code that nacre writes, or when it sees no device.
const nacre_cuda *nacre_cuda_driver(nacre_error *error);

/// Fills `driver` from a library by the name that dlopen takes. NACRE_ERR_DEVICE when it cannot be opened or lacks a function.
nacre_status nacre_cuda_load(nacre_cuda *driver, const char *library, nacre_error *error);

/// NACRE_OK for result 0; else fails with "<what>: <the driver's name of the error> (<its words>)" and, where one is likely, a hint:
/// NACRE_ERR_MEMORY when the device is out of memory, NACRE_ERR_DEVICE for all else.
nacre_status nacre_cuda_check(const nacre_cuda *driver, int result, const char *what, nacre_error *error);

/// Calls one function of the driver: `status = NACRE_CUDA(driver, error, cuMemAlloc, &address, bytes)`.
#define NACRE_CUDA(driver, error, function, ...) \
  nacre_cuda_check(driver, (driver)->function(__VA_ARGS__), #function, error)

#ifdef __cplusplus
}
#endif
#endif
