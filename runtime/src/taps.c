// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An intervention walks the picked part of a value and its operand together; broadcast axes of the operand have stride 0.
#include "runtime/src/taps.h"
#include "runtime/src/size.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <stdbool.h>
#include <string.h>

typedef long long wide; // for printing

static const char *const action_names[] = {"read", "set", "add", "scale", "clamp", "mask"};

const nacre_tap *nacre_find_tap(const nacre_model *model, int32_t function, int64_t index) {
  for (uint32_t i = 0; i < model->tap_count; ++i)
    if (model->taps[i].function == function && model->taps[i].index == index)
      return &model->taps[i];
  return NULL;
}

int32_t nacre_tap_index(const nacre_model *model, int32_t function, const char *name) {
  for (uint32_t i = 0; i < model->tap_count; ++i)
    if (model->taps[i].function == function && strcmp(model->taps[i].name, name) == 0)
      return model->taps[i].index;
  return -1;
}

// ---- checks

static nacre_status fail_tap(const nacre_binding *call, const nacre_tap_list *taps, int32_t index) {
  int32_t count = 0;
  for (uint32_t i = 0; i < call->model->tap_count; ++i)
    count += call->model->taps[i].function == taps->function;
  const char *name = call->function->name;
  const char *step = call->model->training.function;
  if (step != NULL && strcmp(name, step) == 0)
    return nacre_fail(call->error, NACRE_ERR_NAME, "%s: a training step has no taps; tap its loss function instead", name);
  if (count == 0)
    return nacre_fail(call->error, NACRE_ERR_NAME, "%s: there is no tap %d: the function has none, or was compiled without taps",
                      name, index);
  return nacre_fail(call->error, NACRE_ERR_NAME, "%s: there is no tap %d, expected 0 to %d", name, index, count - 1);
}

// The shape at these dims without the picked axes. Returns its rank, or -1 when an extent overflows.
static int32_t rest_shape(const nacre_model *model, const nacre_tap *tap, const int64_t *dims, uint32_t picked, int64_t *shape) {
  int32_t rank = 0;
  for (int32_t axis = 0; axis < tap->rank; ++axis) {
    int64_t size = 0;
    if (!nacre_size_evaluate(&tap->shape[axis], dims, model->dim_count, &size))
      return -1;
    if ((picked >> axis & 1) == 0)
      shape[rank++] = size;
  }
  return rank;
}

static nacre_status check_picked(const nacre_binding *call, const nacre_tap *tap, const int64_t *dims,
                                 const nacre_intervention *item) {
  if (item->picked >> tap->rank != 0)
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: tap '%s' has %d axes, but an intervention picks on others",
                      call->function->name, tap->name, tap->rank);
  for (int32_t axis = 0; axis < tap->rank; ++axis) {
    int64_t size = 0;
    bool fits = nacre_size_evaluate(&tap->shape[axis], dims, call->model->dim_count, &size);
    if ((item->picked >> axis & 1) != 0 && (!fits || item->at[axis] < 0 || item->at[axis] >= size))
      return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: tap '%s' axis %d has %lld entries, but an intervention picks %lld",
                        call->function->name, tap->name, axis, (wide)size, (wide)item->at[axis]);
  }
  return NACRE_OK;
}

static bool broadcasts_to(const nacre_tensor *operand, int32_t rank, const int64_t *shape) {
  if (operand->rank > rank)
    return false;
  for (int32_t axis = 0; axis < operand->rank; ++axis) {
    int64_t size = operand->shape[axis];
    if (size != 1 && size != shape[rank - operand->rank + axis])
      return false;
  }
  return true;
}

static bool has_shape(const nacre_tensor *operand, int32_t rank, const int64_t *shape) {
  return operand->rank == rank && (rank == 0 || memcmp(operand->shape, shape, (size_t)rank * sizeof shape[0]) == 0);
}

static nacre_status check_operand(const nacre_binding *call, const nacre_tap *tap, const int64_t *dims,
                                  const nacre_intervention *item) {
  const nacre_tensor *operand = &item->operand;
  const char *action = action_names[item->action];
  nacre_dtype dtype = item->action == NACRE_TAP_READ ? tap->dtype : NACRE_F32;
  int64_t bytes = 0;
  if (operand->dtype != dtype)
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: %s at tap '%s' has an operand of %s, expected %s", call->function->name,
                      action, tap->name, nacre_dtype_name(operand->dtype), nacre_dtype_name(dtype));
  if (!nacre_tensor_bytes(operand, &bytes) || (bytes > 0 && operand->data == NULL) || !nacre_tensor_is_aligned(operand))
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: the operand of %s at tap '%s' has no data, or it is not aligned",
                      call->function->name, action, tap->name);
  const int64_t pair[1] = {2};
  int64_t rest[NACRE_MAX_RANK];
  int32_t rank = rest_shape(call->model, tap, dims, item->picked, rest);
  bool fits = rank >= 0 && (item->action == NACRE_TAP_READ    ? has_shape(operand, rank, rest)
                            : item->action == NACRE_TAP_CLAMP ? has_shape(operand, 1, pair)
                                                              : broadcasts_to(operand, rank, rest));
  char expected[128];
  char got[128];
  if (!fits)
    return nacre_fail(call->error, NACRE_ERR_SHAPE, "%s: %s at tap '%s' has an operand of shape %s, expected %s%s",
                      call->function->name, action, tap->name,
                      nacre_shape_text(operand->rank, operand->shape, got, sizeof got),
                      item->action == NACRE_TAP_READ || item->action == NACRE_TAP_CLAMP ? "" : "one that broadcasts to ",
                      item->action == NACRE_TAP_CLAMP ? nacre_shape_text(1, pair, expected, sizeof expected)
                      : rank >= 0                     ? nacre_shape_text(rank, rest, expected, sizeof expected)
                                                      : "a smaller one");
  const float *limits = operand->data;
  if (item->action == NACRE_TAP_CLAMP && !(limits[0] <= limits[1]))
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: clamp at tap '%s' is from %g to %g, expected increasing limits",
                      call->function->name, tap->name, (double)limits[0], (double)limits[1]);
  return NACRE_OK;
}

static nacre_status check_intervention(const nacre_binding *call, const int64_t *dims, const nacre_tap_list *taps,
                                       const nacre_intervention *item) {
  const nacre_tap *tap = nacre_find_tap(call->model, taps->function, item->tap);
  if (tap == NULL)
    return fail_tap(call, taps, item->tap);
  if (item->action < NACRE_TAP_READ || item->action > NACRE_TAP_MASK)
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: tap '%s' has no action %d, expected 0 to %d", call->function->name,
                      tap->name, item->action, NACRE_TAP_MASK);
  if (tap->dtype != NACRE_F32 && item->action != NACRE_TAP_READ)
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: tap '%s' holds %s, which can only be read", call->function->name,
                      tap->name, nacre_dtype_name(tap->dtype));
  nacre_status status = check_picked(call, tap, dims, item);
  return status == NACRE_OK ? check_operand(call, tap, dims, item) : status;
}

nacre_status nacre_check_interventions(const nacre_binding *call, const int64_t *dims, const nacre_tap_list *taps) {
  if (taps->count < 0 || (taps->count > 0 && taps->items == NULL))
    return nacre_fail(call->error, NACRE_ERR_VALUE, "%s: expected a list of interventions, but got none or a negative count",
                      call->function->name);
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < taps->count && status == NACRE_OK; ++i)
    status = check_intervention(call, dims, taps, &taps->items[i]);
  return status;
}

// ---- inside the call

// The picked part of a value beside its operand: one axis more than needed, so that there is always a last one.
typedef struct walk {
  int32_t rank;
  int64_t size[NACRE_MAX_RANK + 1];
  int64_t stride[NACRE_MAX_RANK + 1];
  int64_t operand_stride[NACRE_MAX_RANK + 1];
  int64_t offset;
} walk;

static walk walk_of(const nacre_model *model, const nacre_tap *tap, const int64_t *dims, const nacre_intervention *item) {
  walk w = {.rank = 1, .size = {1}};
  int64_t extents[NACRE_MAX_RANK];
  int64_t stride = 1;
  for (int32_t axis = tap->rank - 1; axis >= 0; --axis) {
    (void)nacre_size_evaluate(&tap->shape[axis], dims, model->dim_count, &extents[axis]);
    w.offset += (item->picked >> axis & 1) != 0 ? item->at[axis] * stride : 0;
    stride *= extents[axis];
  }
  stride = 1;
  for (int32_t axis = 0; axis < tap->rank; ++axis)
    stride *= extents[axis];
  for (int32_t axis = 0; axis < tap->rank; ++axis) {
    stride = extents[axis] > 0 ? stride / extents[axis] : 0;
    if ((item->picked >> axis & 1) != 0)
      continue;
    w.size[w.rank] = extents[axis];
    w.stride[w.rank++] = stride;
  }
  const nacre_tensor *operand = &item->operand;
  int64_t operand_stride = 1;
  for (int32_t axis = operand->rank - 1; axis >= 0 && item->action != NACRE_TAP_CLAMP; --axis) {
    w.operand_stride[w.rank - operand->rank + axis] = operand->shape[axis] == 1 ? 0 : operand_stride;
    operand_stride *= operand->shape[axis];
  }
  return w;
}

static float clamped(float x, float least, float most) {
  x = x < least ? least : x;
  return x > most ? most : x;
}

// One run along the last axis. A read copies four bytes, whatever they mean.
static void apply_row(int32_t action, float *x, int64_t stride, float *operand, int64_t operand_stride, int64_t count) {
  for (int64_t i = 0; i < count; ++i, x += stride, operand += operand_stride)
    switch (action) {
    case NACRE_TAP_READ: memcpy(operand, x, sizeof *x); break;
    case NACRE_TAP_SET: *x = *operand; break;
    case NACRE_TAP_ADD: *x += *operand; break;
    case NACRE_TAP_SCALE: *x *= *operand; break;
    case NACRE_TAP_CLAMP: *x = clamped(*x, operand[0], operand[1]); break;
    case NACRE_TAP_MASK: *x = *operand != 0 ? *x : 0; break;
    default: break;
    }
}

static void apply(const walk *w, int32_t axis, int32_t action, float *x, float *operand) {
  if (axis == w->rank - 1) {
    apply_row(action, x, w->stride[axis], operand, w->operand_stride[axis], w->size[axis]);
    return;
  }
  for (int64_t i = 0; i < w->size[axis]; ++i)
    apply(w, axis + 1, action, x + i * w->stride[axis], operand + i * w->operand_stride[axis]);
}

void nacre_apply_taps(const nacre_frame *frame, int64_t index, void *data) {
  const nacre_tap_list *taps = frame->taps;
  for (int32_t i = 0; taps != NULL && i < taps->count; ++i) {
    const nacre_intervention *item = &taps->items[i];
    if (item->tap != index)
      continue;
    walk w = walk_of(taps->model, nacre_find_tap(taps->model, taps->function, index), frame->dims, item);
    apply(&w, 0, item->action, (float *)data + w.offset, item->operand.data);
  }
}

nacre_tap_use nacre_use_of_tap(const nacre_tap_list *taps, int64_t index) {
  nacre_tap_use use = {false, false};
  for (int32_t i = 0; taps != NULL && i < taps->count; ++i) {
    use.reads |= taps->items[i].tap == index;
    use.writes |= taps->items[i].tap == index && taps->items[i].action != NACRE_TAP_READ;
  }
  return use;
}

int64_t nacre_tap_bytes(const nacre_model *model, const nacre_tap *tap, const int64_t *dims) {
  nacre_tensor value = {.dtype = tap->dtype, .rank = tap->rank};
  int64_t bytes = 0;
  bool fits = true;
  for (int32_t axis = 0; axis < tap->rank; ++axis)
    fits &= nacre_size_evaluate(&tap->shape[axis], dims, model->dim_count, &value.shape[axis]);
  return fits && nacre_tensor_bytes(&value, &bytes) ? bytes : -1;
}
