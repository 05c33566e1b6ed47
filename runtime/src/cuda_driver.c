// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE // RTLD_LOCAL beside POSIX threads
#include "runtime/src/cuda_driver.h"
#include "runtime/src/status.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST_DRIVER 12000 // CUDA 12.0, driver 525: the first that takes PTX ISA 8.0, which the compiler writes

enum { OUT_OF_MEMORY = 2 };

// What helps, by the driver's number of the error.
static const struct hint {
  int result;
  const char *text;
} hints[] = {
    {OUT_OF_MEMORY, "give the context smaller max_dims, or free memory of the device"},
    {3, "a process that was forked after the driver was in use cannot use it: start it afresh"},
    {100, "look whether nvidia-smi lists a device and whether CUDA_VISIBLE_DEVICES hides it"},
    {101, "nvidia-smi lists the devices that there are"},
    {209, "compile the model for this device"},
    {218, "the library is damaged, or the driver is too old for it"},
    {222, "the library's code is newer than this driver: install a newer driver"},
    {700, "the device's memory is lost to this process: start it afresh"},
    {701, "the device has fewer registers or less shared memory than the code was compiled for"},
    {719, "the device's memory is lost to this process: start it afresh"},
    {802, "the system is still starting its devices: try again later"},
    {803, "the driver's library and its kernel module are of different versions: restart the machine"},
    {999, "look at the system's log (dmesg) for a fault of the driver"},
};

static const char *hint_for(int result) {
  for (size_t i = 0; i < sizeof hints / sizeof hints[0]; ++i)
    if (hints[i].result == result)
      return hints[i].text;
  return NULL;
}

nacre_status nacre_cuda_check(const nacre_cuda *driver, int result, const char *what, nacre_error *error) {
  if (result == 0)
    return NACRE_OK;
  const char *name = NULL;
  const char *text = NULL;
  if (driver->cuGetErrorName(result, &name) != 0 || name == NULL)
    name = "an error without a name";
  if (driver->cuGetErrorString(result, &text) != 0 || text == NULL)
    text = "no description";
  const char *hint = hint_for(result);
  return nacre_fail(error, result == OUT_OF_MEMORY ? NACRE_ERR_MEMORY : NACRE_ERR_DEVICE, "%s: %s (%s)%s%s", what, name, text,
                    hint != NULL ? "; " : "", hint != NULL ? hint : "");
}

// In the order of the members of nacre_cuda, which are all pointers to functions. ISO C has no cast to them: they are copied.
static const char *const symbols[] = {
#define SYMBOL(member, symbol, parameters) symbol,
    NACRE_CUDA_FUNCTIONS(SYMBOL)
#undef SYMBOL
};
_Static_assert(sizeof(nacre_cuda) == sizeof symbols / sizeof symbols[0] * sizeof(void *), "one address a function");

nacre_status nacre_cuda_load(nacre_cuda *driver, const char *library, nacre_error *error) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL)
    return nacre_fail(error, NACRE_ERR_DEVICE, "no CUDA driver (%s)", dlerror());
  for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; ++i) {
    void *address = dlsym(handle, symbols[i]);
    if (address == NULL) {
      dlclose(handle);
      return nacre_fail(error, NACRE_ERR_DEVICE, "the CUDA driver '%s' has no %s; install a newer driver", library, symbols[i]);
    }
    memcpy((char *)driver + i * sizeof address, &address, sizeof address);
  }
  return NACRE_OK;
}

static nacre_status initialize(const nacre_cuda *driver, nacre_error *error) {
  int version = 0;
  nacre_status status = NACRE_CUDA(driver, error, cuInit, 0);
  if (status == NACRE_OK)
    status = NACRE_CUDA(driver, error, cuDriverGetVersion, &version);
  if (status == NACRE_OK && version < OLDEST_DRIVER)
    status = nacre_fail(error, NACRE_ERR_DEVICE, "the CUDA driver is for CUDA %d.%d, expected at least %d.0; install driver 525 or later",
                        version / 1000, version % 1000 / 10, OLDEST_DRIVER / 1000);
  return status;
}

const nacre_cuda *nacre_cuda_driver(nacre_error *error) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static nacre_cuda driver;
  static bool loaded, ready;
  pthread_mutex_lock(&lock);
  if (!loaded) {
    const char *named = getenv("NACRE_LIBCUDA");
    loaded = nacre_cuda_load(&driver, named != NULL && named[0] != '\0' ? named : "libcuda.so.1", error) == NACRE_OK;
  }
  if (loaded && !ready)
    ready = initialize(&driver, error) == NACRE_OK;
  const nacre_cuda *result = ready ? &driver : NULL;
  pthread_mutex_unlock(&lock);
  return result;
}
