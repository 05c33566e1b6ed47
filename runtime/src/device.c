// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/device.h"
#include "runtime/src/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH_SHARE 32 // of the device's memory, for the scratch of a context's workers; 4 GB of an H200; not measured
#define STATIC_SHARED_BYTES 49152 // what a block gets without asking
#define LOG_BYTES 4096

enum {
  ATTRIBUTE_MULTIPROCESSORS = 16,
  FUNCTION_DYNAMIC_SHARED_BYTES = 8,
  JIT_ERROR_LOG = 5,
  JIT_ERROR_LOG_BYTES = 6,
  RESULT_INVALID_IMAGE = 200,
  RESULT_NO_BINARY = 209,
  RESULT_UNSUPPORTED_PTX = 222
};

nacre_status nacre_device_enter(const nacre_device *device, nacre_error *error) {
  return NACRE_CUDA(device->cuda, error, cuCtxPushCurrent, device->context);
}

void nacre_device_leave(const nacre_device *device) {
  void *popped = NULL;
  (void)device->cuda->cuCtxPopCurrent(&popped); // fails only where entering has failed
}

nacre_status nacre_device_allocate(const nacre_device *device, int64_t bytes, const char *purpose, nacre_cuda_address *address,
                                   nacre_error *error) {
  nacre_error why = {NACRE_OK, ""};
  *address = 0;
  nacre_status status = NACRE_CUDA(device->cuda, &why, cuMemAlloc, address, (size_t)bytes);
  if (status != NACRE_OK)
    return nacre_fail(error, status, "cannot allocate %lld bytes of device memory for %s: %s", (long long)bytes, purpose, why.message);
  return NACRE_OK;
}

nacre_status nacre_device_upload(const nacre_device *device, nacre_cuda_address to, const void *from, int64_t bytes, nacre_error *error) {
  nacre_status status = NACRE_CUDA(device->cuda, error, cuMemcpyHtoD, to, from, (size_t)bytes);
  if (status != NACRE_OK)
    return status;
  // From pageable memory the copy returns when its source may be changed; streams that do not wait for the default one could overtake it.
  return NACRE_CUDA(device->cuda, error, cuStreamSynchronize, NULL);
}

// ---- the module

// What the driver's compiler wrote, as one line behind the driver's error.
static nacre_status fail_with_log(const nacre_error *why, char *log, nacre_error *error) {
  for (char *c = log; *c != '\0'; ++c)
    *c = *c == '\n' ? ' ' : *c;
  return nacre_fail(error, why->status, "%s%s%s", why->message, log[0] != '\0' ? ": " : "", log);
}

static nacre_status load_image(nacre_device *device, const nacre_device_image *image, int *result, nacre_error *error) {
  char log[LOG_BYTES] = "";
  int options[] = {JIT_ERROR_LOG, JIT_ERROR_LOG_BYTES};
  void *values[] = {log, (void *)(uintptr_t)(sizeof log - 1)};
  nacre_error why = {NACRE_OK, ""};
  *result = device->cuda->cuModuleLoadDataEx(&device->module, image->data, 2, options, values);
  if (nacre_cuda_check(device->cuda, *result, "cuModuleLoadDataEx", &why) == NACRE_OK)
    return NACRE_OK;
  device->module = NULL;
  return fail_with_log(&why, log, error);
}

// An image of a newer compiler than the driver's may be refused where another one of the table is taken.
static bool try_another(int result) {
  return result == RESULT_INVALID_IMAGE || result == RESULT_NO_BINARY || result == RESULT_UNSUPPORTED_PTX;
}

static nacre_status load_module(nacre_device *device, nacre_error *error) {
  const nacre_device_code *code = device->model->device;
  nacre_status status = nacre_fail(error, NACRE_ERR_DEVICE, "the library has no code for this device");
  int result = RESULT_NO_BINARY;
  for (int32_t i = 0; i < code->image_count && status != NACRE_OK && try_another(result); ++i)
    if (nacre_image_fits(&code->images[i], &device->identity))
      status = load_image(device, &code->images[i], &result, error);
  return status;
}

// ---- the kernels

// A call of the driver about one kernel, whose name the sentence holds.
static nacre_status check_kernel(const nacre_device *device, const nacre_device_kernel *kernel, int result, const char *what,
                                 nacre_error *error) {
  char text[192];
  snprintf(text, sizeof text, "%s of kernel '%s'", what, kernel->name);
  return nacre_cuda_check(device->cuda, result, text, error);
}

static nacre_status count_blocks(const nacre_device *device, const nacre_device_kernel *kernel, void *function, int64_t *blocks,
                                 nacre_error *error) {
  int multiprocessors = 0;
  int each = 0;
  nacre_status status =
      NACRE_CUDA(device->cuda, error, cuDeviceGetAttribute, &multiprocessors, ATTRIBUTE_MULTIPROCESSORS, device->identity.handle);
  if (status == NACRE_OK)
    status = check_kernel(device, kernel,
                          device->cuda->cuOccupancyMaxActiveBlocksPerMultiprocessor(&each, function, kernel->threads,
                                                                                    (size_t)kernel->shared_bytes),
                          "cuOccupancyMaxActiveBlocksPerMultiprocessor", error);
  *blocks = (int64_t)multiprocessors * each;
  return status;
}

// At least one block, whatever its scratch.
static int64_t bounded_blocks(int64_t blocks, int64_t block_scratch_bytes, int64_t most_bytes) {
  if (block_scratch_bytes > 0 && blocks > most_bytes / block_scratch_bytes)
    blocks = most_bytes / block_scratch_bytes;
  return blocks > 0 ? blocks : 1;
}

static nacre_status prepare_kernel(nacre_device *device, int32_t position, int64_t most_scratch_bytes, nacre_error *error) {
  const nacre_cuda *cuda = device->cuda;
  const nacre_device_kernel *kernel = &device->model->device->kernels[position];
  nacre_device_entry *entry = &device->entries[position];
  nacre_status status = check_kernel(device, kernel, cuda->cuModuleGetFunction(&entry->function, device->module, kernel->name),
                                     "cuModuleGetFunction", error);
  if (status == NACRE_OK && kernel->shared_bytes > STATIC_SHARED_BYTES)
    status = check_kernel(device, kernel, cuda->cuFuncSetAttribute(entry->function, FUNCTION_DYNAMIC_SHARED_BYTES, kernel->shared_bytes),
                          "cuFuncSetAttribute", error);
  if (status == NACRE_OK)
    status = count_blocks(device, kernel, entry->function, &entry->max_blocks, error);
  if (status != NACRE_OK)
    return status;
  int64_t block_bytes = kernel->workers * kernel->scratch_bytes;
  entry->max_blocks = bounded_blocks(entry->max_blocks, block_bytes, most_scratch_bytes);
  int64_t bytes = entry->max_blocks * block_bytes;
  device->scratch_bytes = bytes > device->scratch_bytes ? bytes : device->scratch_bytes;
  return NACRE_OK;
}

static nacre_status prepare_kernels(nacre_device *device, nacre_error *error) {
  size_t memory_bytes = 0;
  nacre_status status = NACRE_CUDA(device->cuda, error, cuDeviceTotalMem, &memory_bytes, device->identity.handle);
  for (int32_t i = 0; i < device->model->device->kernel_count && status == NACRE_OK; ++i)
    status = prepare_kernel(device, i, (int64_t)(memory_bytes / SCRATCH_SHARE), error);
  return status;
}

static nacre_status load_tables(nacre_device *device, nacre_error *error) {
  const nacre_device_code *code = device->model->device;
  int64_t bytes = code->table_count * (int64_t)sizeof code->tables[0];
  if (bytes == 0)
    return NACRE_OK;
  nacre_status status = nacre_device_allocate(device, bytes, "constant tables", &device->tables, error);
  return status == NACRE_OK ? nacre_device_upload(device, device->tables, code->tables, bytes, error) : status;
}

// ---- open and close

static nacre_status load(nacre_device *device, nacre_error *error) {
  nacre_status status = nacre_device_enter(device, error);
  if (status != NACRE_OK)
    return status;
  status = load_module(device, error);
  if (status == NACRE_OK)
    status = prepare_kernels(device, error);
  if (status == NACRE_OK)
    status = load_tables(device, error);
  nacre_device_leave(device);
  return status;
}

nacre_device *nacre_device_open(const nacre_cuda *cuda, const nacre_model *model, const nacre_device_identity *identity,
                                nacre_error *error) {
  size_t bytes = sizeof(nacre_device) + (size_t)model->device->kernel_count * sizeof(nacre_device_entry);
  nacre_device *device = calloc(1, bytes);
  if (device == NULL) {
    nacre_fail_memory(error, (int64_t)bytes, "a device");
    return NULL;
  }
  device->cuda = cuda;
  device->model = model;
  device->identity = *identity;
  nacre_status status = NACRE_CUDA(cuda, error, cuDevicePrimaryCtxRetain, &device->context, identity->handle);
  if (status != NACRE_OK)
    device->context = NULL;
  if (status == NACRE_OK && load(device, error) == NACRE_OK)
    return device;
  nacre_device_close(device);
  return NULL;
}

void nacre_device_close(nacre_device *device) {
  if (device == NULL)
    return;
  if (device->context != NULL && nacre_device_enter(device, NULL) == NACRE_OK) {
    if (device->tables != 0)
      (void)device->cuda->cuMemFree(device->tables);
    if (device->module != NULL)
      (void)device->cuda->cuModuleUnload(device->module);
    nacre_device_leave(device);
  }
  if (device->context != NULL)
    (void)device->cuda->cuDevicePrimaryCtxRelease(device->identity.handle);
  free(device);
}
