/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Reads and changes values inside a compiled model, with its library and its header alone.
 * Prints one line for each thing that holds and ends with 1 at the first that does not. */
#include "tapped.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3 };

static const float points[ROWS][4] = {{1, 2, 3, 4}, {-1, 0, 1, 0}, {0.5f, 0.25f, 0, -2}};

static void check(int holds, const char *what) {
  printf("%s %s\n", holds ? "ok" : "FAILED", what);
  if (!holds) exit(1);
}

static nacre_intervention intervention(int32_t tap, int32_t action, float *data, int32_t rank, int64_t rows, int64_t columns) {
  nacre_intervention item;
  memset(&item, 0, sizeof item);
  item.tap = tap;
  item.action = action;
  item.operand.data = data;
  item.operand.dtype = NACRE_F32;
  item.operand.rank = rank;
  item.operand.shape[0] = rank == 1 ? columns : rows;
  item.operand.shape[1] = columns;
  return item;
}

static void patch(nacre_context *context) {
  nacre_error error;
  float plain[ROWS][3], same[ROWS][3], other[ROWS][3], mlp[ROWS][4], zero = 0, nine = 9, after[ROWS][4];
  check(tapped_encode(context, ROWS, points[0], plain[0], &error) == NACRE_OK, "a call");
  check(tapped_encode_tapped(context, ROWS, points[0], same[0], NULL, 0, &error) == NACRE_OK && memcmp(plain, same, sizeof plain) == 0,
        "an empty list changes nothing");
  nacre_intervention read = intervention(TAPPED_ENCODE_TAP_BLOCKS_0_MLP, NACRE_TAP_READ, mlp[0], 2, ROWS, 4);
  check(tapped_encode_tapped(context, ROWS, points[0], same[0], &read, 1, &error) == NACRE_OK && memcmp(plain, same, sizeof plain) == 0,
        "reading changes nothing");
  nacre_intervention list[] = {
      intervention(TAPPED_ENCODE_TAP_BLOCKS_0_MLP, NACRE_TAP_SET, &zero, 0, 0, 0),
      intervention(TAPPED_ENCODE_TAP_BLOCKS_0_MLP, NACRE_TAP_SET, &nine, 0, 0, 0),
      intervention(TAPPED_ENCODE_TAP_BLOCKS_0_MLP, NACRE_TAP_READ, after[0], 2, ROWS, 4),
  };
  list[1].picked = 2; /* axis 1 */
  list[1].at[1] = 3;
  check(tapped_encode_tapped(context, ROWS, points[0], other[0], list, 3, &error) == NACRE_OK && memcmp(plain, other, sizeof plain) != 0,
        "an ablated layer changes what follows");
  check(after[1][0] == 0 && after[1][3] == 9, "one entry of every row is set");
  nacre_intervention back = intervention(TAPPED_ENCODE_TAP_BLOCKS_0_MLP, NACRE_TAP_SET, mlp[0], 2, ROWS, 4);
  check(tapped_encode_tapped(context, ROWS, points[0], same[0], &back, 1, &error) == NACRE_OK && memcmp(plain, same, sizeof plain) == 0,
        "the value of another run patched in gives that run's result");
}

static void refuse(nacre_context *context) {
  nacre_error error;
  float out[ROWS][3], value = 1, pair[2] = {2, 1}, many[8] = {0}, rate = 0.1f, loss;
  int32_t classes[ROWS] = {0};
  nacre_intervention item = intervention(17, NACRE_TAP_SET, &value, 0, 0, 0);
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_NAME, "an unknown tap is refused");
  item = intervention(TAPPED_ENCODE_TAP_H, 6, &value, 0, 0, 0);
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_VALUE, "an unknown action is refused");
  item = intervention(TAPPED_ENCODE_TAP_H, NACRE_TAP_ADD, many, 2, 2, 4);
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_SHAPE, "a wrong shape is refused");
  item = intervention(TAPPED_ENCODE_TAP_H, NACRE_TAP_READ, many, 1, 0, 4);
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_SHAPE, "a read into another shape is refused");
  item = intervention(TAPPED_ENCODE_TAP_H, NACRE_TAP_CLAMP, pair, 1, 0, 2);
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_VALUE, "limits the wrong way round are refused");
  item = intervention(TAPPED_ENCODE_TAP_H, NACRE_TAP_SET, NULL, 0, 0, 0);
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_VALUE, "an operand without data is refused");
  item = intervention(TAPPED_ENCODE_TAP_H, NACRE_TAP_SET, &value, 0, 0, 0);
  item.picked = 4;
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_VALUE, "an axis too far is refused");
  item.picked = 1;
  item.at[0] = ROWS;
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], &item, 1, &error) == NACRE_ERR_VALUE, "an entry too far is refused");
  check(tapped_encode_tapped(context, ROWS, points[0], out[0], NULL, 1, &error) == NACRE_ERR_VALUE, "a list that is not there is refused");

  const nacre_model *model = tapped_model();
  int32_t step = model->api->function_index(model, "loss_step");
  const int64_t dims[] = {ROWS};
  float number = 1;
  void *inputs[] = {(void *)points, classes, &rate, &number}, *outputs[] = {&loss};
  item = intervention(0, NACRE_TAP_SET, &value, 0, 0, 0);
  check(model->api->call_typed_tapped(context, step, dims, inputs, outputs, &item, 1, &error) == NACRE_ERR_NAME &&
            strcmp(error.message, "loss_step: a training step has no taps; tap its loss function instead") == 0,
        "a training step has no taps");
  check(model->api->tap_index(model, model->api->function_index(model, "encode"), "blocks.1.mlp") == TAPPED_ENCODE_TAP_BLOCKS_1_MLP,
        "a tap by name");
}

int main(void) {
  nacre_error error;
  nacre_parameters *parameters = tapped_parameters_create(&error);
  check(parameters != NULL && tapped_parameters_init(parameters, 1, &error) == NACRE_OK, "parameters");
  nacre_context *context = tapped_context_create(parameters, NULL, &error);
  check(context != NULL, "a context");
  patch(context);
  refuse(context);
  tapped_context_destroy(context);
  tapped_parameters_destroy(parameters);
  printf("all holds\n");
  return 0;
}
