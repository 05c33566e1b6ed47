// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The block itself: create, destroy, get, set. Drawing lies in initialize.c, files in checkpoint.c.
#include "runtime/src/parameters.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <stdlib.h>
#include <string.h>

nacre_status nacre_check_abi(const nacre_model *model, nacre_error *error) {
  if (model->abi_version != NACRE_ABI_VERSION)
    return nacre_fail(error, NACRE_ERR_ABI, "expected a library of interface version %d, but got version %u",
                      NACRE_ABI_VERSION, (unsigned)model->abi_version);
  if (model->dim_count < 0 || model->dim_count > NACRE_MAX_DIMS)
    return nacre_fail(error, NACRE_ERR_ABI, "the library has %d dims, more than %d", model->dim_count, NACRE_MAX_DIMS);
  return NACRE_OK;
}

nacre_tensor nacre_parameter_view(const nacre_parameters *parameters, const nacre_parameter *parameter) {
  nacre_tensor view = {.data = parameters->block.data + parameter->offset_bytes,
                       .dtype = parameter->dtype,
                       .rank = parameter->rank};
  memcpy(view.shape, parameter->shape, sizeof view.shape);
  return view;
}

nacre_parameters *nacre_parameters_create(const nacre_model *model, nacre_error *error) {
  if (nacre_check_abi(model, error) != NACRE_OK)
    return NULL;
  nacre_parameters *parameters = malloc(sizeof *parameters);
  if (parameters == NULL) {
    nacre_fail_memory(error, (int64_t)sizeof *parameters, "the parameters");
    return NULL;
  }
  *parameters = (nacre_parameters){.model = model, .version = 1, .packed = nacre_packed_create(model, error)};
  nacre_mirrors_initialize(&parameters->mirrors);
  if (parameters->packed != NULL && nacre_arena_reserve(&parameters->block, model->parameter_bytes, error) == NACRE_OK)
    return parameters;
  nacre_parameters_destroy(parameters);
  return NULL;
}

void nacre_parameters_destroy(nacre_parameters *parameters) {
  if (parameters == NULL)
    return;
  if (parameters->packed != NULL)
    nacre_packed_destroy(parameters->packed, parameters->model);
  nacre_mirrors_destroy(&parameters->mirrors);
  nacre_arena_release(&parameters->block);
  free(parameters);
}

void nacre_parameters_changed(nacre_parameters *parameters) {
  __atomic_store_n(&parameters->mirrors.newest, NULL, __ATOMIC_RELEASE);
  __atomic_fetch_add(&parameters->version, 1, __ATOMIC_RELEASE);
}

static const nacre_parameter *find(const nacre_model *model, const char *name, nacre_error *error) {
  for (int32_t i = 0; i < model->parameter_count; ++i)
    if (strcmp(model->parameters[i].name, name) == 0)
      return &model->parameters[i];
  nacre_fail(error, NACRE_ERR_NAME, "model '%s' has no parameter '%s'", model->name, name);
  return NULL;
}

nacre_status nacre_parameters_get(nacre_parameters *parameters, const char *name, nacre_tensor *view, nacre_error *error) {
  const nacre_parameter *parameter = find(parameters->model, name, error);
  if (parameter == NULL)
    return NACRE_ERR_NAME;
  nacre_status status = nacre_mirrors_fetch(parameters, error);
  if (status != NACRE_OK)
    return status;
  *view = nacre_parameter_view(parameters, parameter);
  nacre_parameters_changed(parameters); // the caller may write through it
  return NACRE_OK;
}

static nacre_status check_same_form(const nacre_tensor *view, const char *name, const nacre_tensor *value,
                                    nacre_error *error) {
  char expected[192];
  char got[192];
  if (value->dtype != view->dtype)
    return nacre_fail(error, NACRE_ERR_VALUE, "parameter '%s' is %s, but got values of type %s", name,
                      nacre_dtype_name(view->dtype), nacre_dtype_name(value->dtype));
  bool same = value->rank == view->rank &&
              memcmp(value->shape, view->shape, (size_t)view->rank * sizeof view->shape[0]) == 0;
  if (same)
    return NACRE_OK;
  int32_t rank = value->rank < 0 ? 0 : value->rank > NACRE_MAX_RANK ? NACRE_MAX_RANK : value->rank;
  return nacre_fail(error, NACRE_ERR_SHAPE, "parameter '%s' has shape %s, but got %s", name,
                    nacre_shape_text(view->rank, view->shape, expected, sizeof expected),
                    nacre_shape_text(rank, value->shape, got, sizeof got));
}

nacre_status nacre_parameters_set(nacre_parameters *parameters, const char *name, const nacre_tensor *value,
                                  nacre_error *error) {
  nacre_tensor view;
  int64_t bytes = 0;
  nacre_status status = nacre_parameters_get(parameters, name, &view, error);
  if (status == NACRE_OK)
    status = check_same_form(&view, name, value, error);
  if (status != NACRE_OK || !nacre_tensor_bytes(&view, &bytes) || bytes == 0)
    return status;
  if (value->data == NULL)
    return nacre_fail(error, NACRE_ERR_VALUE, "the values for parameter '%s' are null", name);
  memmove(view.data, value->data, (size_t)bytes);
  return NACRE_OK;
}
