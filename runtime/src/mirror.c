// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copies between block and mirror are whole and finished when they return: they are rare (after a load, before a save), and no order
// between streams has to be kept.
#define _GNU_SOURCE // pthread_mutex_t
#include "runtime/src/mirror.h"
#include "runtime/src/parameters.h"
#include "runtime/src/status.h"

#include <stdlib.h>

static uint64_t newest_version(const nacre_parameters *parameters) { return __atomic_load_n(&parameters->version, __ATOMIC_ACQUIRE); }

// ---- life

void nacre_mirrors_initialize(nacre_mirrors *mirrors) {
  *mirrors = (nacre_mirrors){.first = NULL, .newest = NULL};
  pthread_mutex_init(&mirrors->lock, NULL); // without attributes it cannot fail
}

void nacre_mirrors_destroy(nacre_mirrors *mirrors) {
  while (mirrors->first != NULL) {
    nacre_mirror *mirror = mirrors->first;
    mirrors->first = mirror->next;
    nacre_mirror_destroy(mirror);
  }
  pthread_mutex_destroy(&mirrors->lock);
}

void nacre_mirror_destroy(nacre_mirror *mirror) {
  if (mirror->block != 0 && nacre_device_enter(mirror->device, NULL) == NACRE_OK) {
    (void)mirror->device->cuda->cuMemFree(mirror->block);
    nacre_device_leave(mirror->device);
  }
  nacre_device_close(mirror->device);
  free(mirror);
}

static nacre_status allocate_block(nacre_mirror *mirror, int64_t bytes, nacre_error *error) {
  if (bytes == 0)
    return NACRE_OK;
  nacre_status status = nacre_device_enter(mirror->device, error);
  if (status != NACRE_OK)
    return status;
  status = nacre_device_allocate(mirror->device, bytes, "the parameters", &mirror->block, error);
  nacre_device_leave(mirror->device);
  return status;
}

static nacre_mirror *create(const nacre_cuda *cuda, const nacre_model *model, const nacre_device_identity *identity, nacre_error *error) {
  nacre_mirror *mirror = calloc(1, sizeof *mirror);
  if (mirror == NULL) {
    nacre_fail_memory(error, (int64_t)sizeof *mirror, "parameters on a device");
    return NULL;
  }
  mirror->device = nacre_device_open(cuda, model, identity, error);
  if (mirror->device != NULL && allocate_block(mirror, model->parameter_bytes, error) == NACRE_OK)
    return mirror;
  nacre_mirror_destroy(mirror);
  return NULL;
}

nacre_mirror *nacre_mirror_on(nacre_parameters *parameters, const nacre_cuda *cuda, const nacre_model *model,
                              const nacre_device_identity *identity, nacre_error *error) {
  if (parameters == NULL)
    return create(cuda, model, identity, error);
  nacre_mirrors *mirrors = &parameters->mirrors;
  pthread_mutex_lock(&mirrors->lock);
  nacre_mirror *mirror = mirrors->first;
  while (mirror != NULL && mirror->device->identity.ordinal != identity->ordinal)
    mirror = mirror->next;
  if (mirror == NULL && (mirror = create(cuda, model, identity, error)) != NULL) {
    mirror->next = mirrors->first;
    mirrors->first = mirror;
  }
  pthread_mutex_unlock(&mirrors->lock);
  return mirror;
}

// ---- values; the lock is held

static nacre_status download(nacre_parameters *parameters, nacre_error *error) {
  nacre_mirrors *mirrors = &parameters->mirrors;
  const nacre_mirror *from = mirrors->newest;
  if (from == NULL)
    return NACRE_OK;
  nacre_status status = nacre_device_enter(from->device, error);
  if (status != NACRE_OK)
    return status;
  status = NACRE_CUDA(from->device->cuda, error, cuMemcpyDtoH, parameters->block.data, from->block, (size_t)parameters->block.bytes);
  nacre_device_leave(from->device);
  if (status == NACRE_OK)
    __atomic_store_n(&mirrors->newest, NULL, __ATOMIC_RELEASE);
  return status;
}

static nacre_status upload(const nacre_parameters *parameters, nacre_mirror *to, nacre_error *error) {
  uint64_t version = newest_version(parameters);
  to->version = 0;
  nacre_status status = nacre_device_enter(to->device, error);
  if (status != NACRE_OK)
    return status;
  status = nacre_device_upload(to->device, to->block, parameters->block.data, parameters->block.bytes, error);
  nacre_device_leave(to->device);
  to->version = status == NACRE_OK ? version : 0;
  return status;
}

// ---- values

nacre_status nacre_mirror_refresh(nacre_parameters *parameters, nacre_mirror *mirror, nacre_error *error) {
  nacre_status status = NACRE_OK;
  if (parameters == NULL || mirror->block == 0)
    return status;
  pthread_mutex_lock(&parameters->mirrors.lock);
  if (mirror->version != newest_version(parameters)) {
    status = download(parameters, error);
    if (status == NACRE_OK)
      status = upload(parameters, mirror, error);
  }
  pthread_mutex_unlock(&parameters->mirrors.lock);
  return status;
}

void nacre_mirror_stepped(nacre_parameters *parameters, nacre_mirror *mirror) {
  if (parameters == NULL || mirror->block == 0)
    return;
  pthread_mutex_lock(&parameters->mirrors.lock);
  mirror->version = __atomic_add_fetch(&parameters->version, 1, __ATOMIC_ACQ_REL);
  __atomic_store_n(&parameters->mirrors.newest, mirror, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&parameters->mirrors.lock);
}

void nacre_mirror_lost(nacre_parameters *parameters, nacre_mirror *mirror) {
  if (parameters == NULL || mirror->block == 0)
    return;
  pthread_mutex_lock(&parameters->mirrors.lock);
  mirror->version = 0;
  nacre_parameters_changed(parameters);
  pthread_mutex_unlock(&parameters->mirrors.lock);
}

nacre_status nacre_mirrors_fetch(nacre_parameters *parameters, nacre_error *error) {
  if (__atomic_load_n(&parameters->mirrors.newest, __ATOMIC_ACQUIRE) == NULL)
    return NACRE_OK;
  pthread_mutex_lock(&parameters->mirrors.lock);
  nacre_status status = download(parameters, error);
  pthread_mutex_unlock(&parameters->mirrors.lock);
  return status;
}
