// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/device_choice.h"
#include "runtime/src/status.h"

#include <stdlib.h>
#include <string.h>

#define MOST_DEVICES 1000 // more than a machine holds; three digits at most

// The number behind "cuda:", or -1 when it is none.
static int32_t ordinal_of(const char *digits) {
  int32_t value = 0;
  if (*digits == '\0')
    return -1;
  for (; *digits != '\0'; ++digits) {
    if (*digits < '0' || *digits > '9' || value >= MOST_DEVICES / 10)
      return -1;
    value = value * 10 + (*digits - '0');
  }
  return value;
}

static bool parse(const char *text, const nacre_model *model, nacre_device_choice *choice) {
  *choice = (nacre_device_choice){.cuda = strcmp(text, "cpu") != 0, .insists = true, .ordinal = -1};
  if (strcmp(text, "auto") == 0)
    *choice = (nacre_device_choice){.cuda = model->device != NULL, .insists = false, .ordinal = -1};
  else if (strncmp(text, "cuda:", 5) == 0)
    return (choice->ordinal = ordinal_of(text + 5)) >= 0;
  else
    return !choice->cuda || strcmp(text, "cuda") == 0;
  return true;
}

nacre_status nacre_choose_device(const nacre_model *model, const char *wanted, nacre_device_choice *choice, nacre_error *error) {
  if (wanted == NULL || wanted[0] == '\0')
    wanted = getenv("NACRE_DEVICE");
  if (wanted == NULL || wanted[0] == '\0')
    wanted = "auto";
  if (!parse(wanted, model, choice))
    return nacre_fail(error, NACRE_ERR_VALUE, "expected a device 'cpu', 'cuda', 'cuda:N' or 'auto', but got '%s'", wanted);
  if (choice->cuda && model->device == NULL)
    return nacre_fail(error, NACRE_ERR_DEVICE, "the library of model '%s' has no code for CUDA devices; compile it with --target=nvptx",
                      model->name);
  return NACRE_OK;
}
