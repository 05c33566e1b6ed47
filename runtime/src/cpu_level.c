// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/cpu_level.h"
#include "runtime/src/cpu_supports.h"
#include "runtime/src/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_native(const char *level) { return strcmp(level, "native") == 0; }

static const char *level_list(const nacre_model *model, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (int32_t i = 0; i < model->level_count && used < size; ++i)
    used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", model->levels[i].name);
  return text;
}

static const nacre_level *named_level(const nacre_model *model, const char *name, nacre_error *error) {
  char list[128];
  for (int32_t i = 0; i < model->level_count; ++i) {
    if (strcmp(model->levels[i].name, name) != 0)
      continue;
    if (nacre_cpu_supports(name))
      return &model->levels[i];
    nacre_fail(error, NACRE_ERR_DEVICE, "this machine does not support the CPU level '%s'", name);
    return NULL;
  }
  nacre_fail(error, NACRE_ERR_DEVICE, "the library has no CPU level '%s', only %s", name,
             level_list(model, list, sizeof list));
  return NULL;
}

static const nacre_level *best_level(const nacre_model *model, nacre_error *error) {
  char list[128];
  for (int32_t i = model->level_count - 1; i >= 0; --i) {
    const char *name = model->levels[i].name;
    if (nacre_cpu_supports(name) && (!is_native(name) || model->level_count == 1))
      return &model->levels[i];
  }
  nacre_fail(error, NACRE_ERR_DEVICE, "this machine supports none of the library's CPU levels (%s)",
             level_list(model, list, sizeof list));
  return NULL;
}

const nacre_level *nacre_choose_level(const nacre_model *model, const char *wanted, nacre_error *error) {
  if (wanted == NULL)
    wanted = getenv("NACRE_CPU");
  if (wanted == NULL || wanted[0] == '\0')
    return best_level(model, error);
  return named_level(model, wanted, error);
}
