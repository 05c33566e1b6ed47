/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * An encoder whose depth and width are chosen at the call. Prints one line for each thing that holds, ends with 1 at the first that
 * does not. */
#include "exits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, TOKENS = 5 };

static const int32_t ids[ROWS][TOKENS] = {{1, 2, 3, 4, 5}, {7, 7, 0, 19, 2}, {3, 0, 0, 0, 0}};
static const int32_t lengths[ROWS] = {5, 3, 1};

static void check(int holds, const char *what) {
  printf("%s %s\n", holds ? "ok" : "FAILED", what);
  if (!holds) exit(1);
}

static void choose(nacre_context *context) {
  nacre_error error;
  float small[ROWS][4], narrow[ROWS][4], whole[ROWS][8], deep[ROWS][8], two[ROWS][8];
  check(exits_encode_at(context, ROWS, TOKENS, ids[0], lengths, 1, 4, small[0], &error) == NACRE_OK, "depth 1, width 4");
  check(exits_one_of_four(context, ROWS, TOKENS, ids[0], lengths, narrow[0], &error) == NACRE_OK && memcmp(small, narrow, sizeof small) == 0,
        "has the bits of the model of one layer and four columns");
  check(exits_encode_at(context, ROWS, TOKENS, ids[0], lengths, 3, 8, whole[0], &error) == NACRE_OK, "depth 3, width 8");
  check(exits_three_of_eight(context, ROWS, TOKENS, ids[0], lengths, deep[0], &error) == NACRE_OK && memcmp(whole, deep, sizeof deep) == 0,
        "has the bits of the whole model");
  check(exits_encode_at(context, ROWS, TOKENS, ids[0], lengths, 2, 8, two[0], &error) == NACRE_OK && memcmp(whole, two, sizeof two) != 0,
        "depth 2 differs");
  check(exits_encode_at(context, ROWS, TOKENS, ids[0], lengths, 4, 8, two[0], &error) == NACRE_ERR_VALUE, "depth 4 is refused");
  check(exits_encode_at(context, ROWS, TOKENS, ids[0], lengths, 2, 5, two[0], &error) == NACRE_ERR_VALUE, "width 5 is refused");
}

/* A tap in a layer that is not run reads nothing. */
static void skip(nacre_context *context) {
  nacre_error error;
  float out[ROWS][8], seen[3][ROWS][TOKENS][8];
  const int32_t taps[3] = {EXITS_ENCODE_AT_TAP_BLOCKS_0_MLP, EXITS_ENCODE_AT_TAP_BLOCKS_1_MLP, EXITS_ENCODE_AT_TAP_BLOCKS_2_MLP};
  nacre_intervention reads[3];
  memset(reads, 0, sizeof reads);
  for (int i = 0; i < 3; ++i) {
    nacre_tensor operand = {seen[i], NACRE_F32, 3, {ROWS, TOKENS, 8}};
    reads[i].tap = taps[i];
    reads[i].operand = operand;
    seen[i][0][0][0] = NAN;
  }
  check(exits_encode_at_tapped(context, ROWS, TOKENS, ids[0], lengths, 2, 8, out[0], reads, 3, &error) == NACRE_OK, "depth 2, watched");
  check(isfinite(seen[0][0][0][0]) && isfinite(seen[1][0][0][0]) && isnan(seen[2][0][0][0]), "layers after the depth are not run");
}

int main(void) {
  nacre_error error;
  nacre_parameters *parameters = exits_parameters_create(&error);
  check(parameters != NULL && exits_parameters_init(parameters, 1, &error) == NACRE_OK, "parameters");
  nacre_context *context = exits_context_create(parameters, NULL, &error);
  check(context != NULL, "a context");
  choose(context);
  skip(context);
  exits_context_destroy(context);
  exits_parameters_destroy(parameters);
  printf("all holds\n");
  return 0;
}
