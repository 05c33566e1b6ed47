// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/device_find.h"
#include "runtime/src/status.h"

#include <stdio.h>

enum { ATTRIBUTE_MAJOR = 75, ATTRIBUTE_MINOR = 76 };

bool nacre_image_fits(const nacre_device_image *image, const nacre_device_identity *device) {
  bool same = device->major == image->major && device->minor == image->minor;
  bool later = device->major > image->major || (device->major == image->major && device->minor > image->minor);
  return same || (later && image->exact == 0);
}

// "9.0, 8.0 or later"
static const char *capabilities(const nacre_device_code *code, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (int32_t i = 0; i < code->image_count && used < size; ++i) {
    const nacre_device_image *image = &code->images[i];
    used += (size_t)snprintf(text + used, size - used, "%s%d.%d%s", i == 0 ? "" : ", ", image->major, image->minor,
                             image->exact != 0 ? "" : " or later");
  }
  return text;
}

static nacre_status check_fits(const nacre_device_code *code, const nacre_device_identity *device, nacre_error *error) {
  char list[128];
  for (int32_t i = 0; i < code->image_count; ++i)
    if (nacre_image_fits(&code->images[i], device))
      return NACRE_OK;
  return nacre_fail(error, NACRE_ERR_DEVICE, "cuda:%d %s has compute capability %d.%d, but the library has code for %s", device->ordinal,
                    device->name, device->major, device->minor, capabilities(code, list, sizeof list));
}

static nacre_status identify(const nacre_cuda *cuda, int32_t ordinal, nacre_device_identity *device, nacre_error *error) {
  *device = (nacre_device_identity){.ordinal = ordinal};
  nacre_status status = NACRE_CUDA(cuda, error, cuDeviceGet, &device->handle, ordinal);
  if (status == NACRE_OK)
    status = NACRE_CUDA(cuda, error, cuDeviceGetName, device->name, (int)sizeof device->name, device->handle);
  if (status == NACRE_OK)
    status = NACRE_CUDA(cuda, error, cuDeviceGetAttribute, &device->major, ATTRIBUTE_MAJOR, device->handle);
  if (status == NACRE_OK)
    status = NACRE_CUDA(cuda, error, cuDeviceGetAttribute, &device->minor, ATTRIBUTE_MINOR, device->handle);
  return status;
}

static nacre_status try_device(const nacre_cuda *cuda, const nacre_device_code *code, int32_t ordinal, nacre_device_identity *found,
                               nacre_error *error) {
  nacre_status status = identify(cuda, ordinal, found, error);
  return status == NACRE_OK ? check_fits(code, found, error) : status;
}

nacre_status nacre_find_device(const nacre_cuda *cuda, const nacre_device_code *code, int32_t ordinal, nacre_device_identity *found,
                               nacre_error *error) {
  int count = 0;
  nacre_status status = NACRE_CUDA(cuda, error, cuDeviceGetCount, &count);
  if (status != NACRE_OK)
    return status;
  if (count <= 0 || ordinal >= count)
    return nacre_fail(error, NACRE_ERR_DEVICE, "there is no device cuda:%d, the driver sees %d; CUDA_VISIBLE_DEVICES may hide some",
                      ordinal < 0 ? 0 : ordinal, count);
  status = try_device(cuda, code, ordinal < 0 ? 0 : ordinal, found, error);
  for (int32_t next = 1; ordinal < 0 && status != NACRE_OK && next < count; ++next)
    if (try_device(cuda, code, next, found, NULL) == NACRE_OK)
      return NACRE_OK;
  return status;
}
