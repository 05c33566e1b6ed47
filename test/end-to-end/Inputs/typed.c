/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Calls two compiled models through their generated headers: training steps, calls from two threads, errors as values.
 * Prints one line for each thing that holds and ends with 1 at the first that does not. */
#include "tiny.h"
#include "twin.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40 };

static float points[ROWS][3];
static int32_t classes[ROWS];

static void check(int holds, const char *what) {
  printf("%s %s\n", holds ? "ok" : "FAILED", what);
  if (!holds) exit(1);
}

/* Two classes of points around (+-1, +-1, +-1), from a small linear congruential generator. */
static void make_data(void) {
  uint32_t state = 1;
  for (int i = 0; i < ROWS; ++i) {
    classes[i] = i % 2;
    for (int k = 0; k < 3; ++k) {
      state = state * 1664525u + 1013904223u;
      points[i][k] = (classes[i] ? 1.0f : -1.0f) + (float)(state >> 8) / (1 << 24) - 0.5f;
    }
  }
}

static void train(nacre_context *context) {
  nacre_error error;
  float first = 0, last = 0;
  for (int step = 1; step <= 60; ++step) {
    check(tiny_loss_step(context, ROWS, points[0], classes, 0.02f, (float)step, &last, &error) == NACRE_OK, "step");
    if (step == 1) first = last;
  }
  check(last < 0.5f * first, "training steps lower the loss");
}

static void refuse(nacre_context *context, nacre_parameters *parameters) {
  nacre_error error;
  nacre_tensor weight;
  float loss, before, nan_points[3] = {0, NAN, 0}, big[51 * 3] = {0}, out[51 * 4];
  int32_t wrong[1] = {2}, right[1] = {1};
  check(tiny_parameters_get(parameters, "w", &weight, &error) == NACRE_OK, "a parameter by name");
  before = *(float *)weight.data;
  check(tiny_encode(context, 51, big, out, &error) == NACRE_ERR_SHAPE, "a dim above its bound is refused");
  check(tiny_loss(context, 1, points[0], wrong, &loss, &error) == NACRE_ERR_VALUE, "a label out of range is refused");
  check(tiny_loss_step(context, 1, nan_points, right, 0.02f, 61, &loss, &error) == NACRE_ERR_NONFINITE, "a loss that is not finite is refused");
  check(*(float *)weight.data == before, "and has changed no parameter");
  check(tiny_predict(context, 1, points[0], 3, wrong, NULL) == NACRE_ERR_VALUE, "a width that is no choice is refused");
  check(tiny_parameters_get(parameters, "v", &weight, NULL) == NACRE_ERR_NAME, "an unknown name is refused");
}

/* What one thread computes with a context of its own: every batch size, again and again. */
typedef struct job {
  nacre_parameters *parameters;
  float whole[ROWS][4];
  int agrees;
} job;

static void *compute(void *argument) {
  job *mine = argument;
  nacre_options options = {.threads = 1};
  nacre_context *context = tiny_context_create(mine->parameters, &options, NULL);
  mine->agrees = context != NULL && tiny_encode(context, ROWS, points[0], mine->whole[0], NULL) == NACRE_OK;
  for (int rows = 0; rows <= ROWS && mine->agrees; ++rows) {
    float part[ROWS][4];
    mine->agrees = tiny_encode(context, rows, points[ROWS - rows], part[0], NULL) == NACRE_OK &&
                   memcmp(part, mine->whole[ROWS - rows], (size_t)rows * sizeof part[0]) == 0;
  }
  if (context) tiny_context_destroy(context);
  return NULL;
}

static void run_two_threads(nacre_parameters *parameters) {
  static job jobs[2];
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) {
    jobs[i].parameters = parameters;
    check(pthread_create(&threads[i], NULL, compute, &jobs[i]) == 0, "a thread");
  }
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  check(jobs[0].agrees && jobs[1].agrees, "every batch size gives the same rows");
  check(memcmp(jobs[0].whole, jobs[1].whole, sizeof jobs[0].whole) == 0, "two threads get the same bits");
}

static void run_twin(void) {
  nacre_parameters *parameters = twin_parameters_create(NULL);
  check(parameters && twin_parameters_init(parameters, 0, NULL) == NACRE_OK, "another model in the same process");
  nacre_context *context = twin_context_create(parameters, NULL, NULL);
  float x[2] = {1, 2}, z[3];
  check(context && twin_encode(context, 1, x, z, NULL) == NACRE_OK && z[0] == 3 && z[2] == 3, "and its own function of the same name");
  nacre_error error;
  check(tiny_context_create(parameters, NULL, &error) == NULL, "parameters of another model are refused");
  twin_context_destroy(context);
  twin_parameters_destroy(parameters);
}

static void save_and_load(nacre_parameters *parameters, const char *path) {
  nacre_tensor a, b;
  nacre_parameters *copy = tiny_parameters_create(NULL);
  check(copy != NULL, "a second parameter block");
  check(tiny_parameters_save(parameters, path, NACRE_SAVE_OPTIMIZER, NULL) == NACRE_OK, "save");
  check(tiny_parameters_load(copy, path, NACRE_LOAD_OPTIMIZER, NULL) == NACRE_OK, "load");
  check(tiny_parameters_get(parameters, "head", &a, NULL) == NACRE_OK && tiny_parameters_get(copy, "head", &b, NULL) == NACRE_OK &&
            memcmp(a.data, b.data, 8 * sizeof(float)) == 0,
        "what was saved is what is loaded");
  tiny_parameters_destroy(copy);
}

int main(int count, char **arguments) {
  nacre_error error;
  make_data();
  nacre_parameters *parameters = tiny_parameters_create(&error);
  check(count == 2 && parameters && tiny_parameters_init(parameters, 1, &error) == NACRE_OK, "parameters");
  nacre_context *context = tiny_context_create(parameters, NULL, &error);
  check(context != NULL, "context");
  train(context);
  refuse(context, parameters);
  tiny_context_destroy(context);
  run_two_threads(parameters);
  run_twin();
  save_and_load(parameters, arguments[1]);
  tiny_parameters_destroy(parameters);
  puts("all holds");
  return 0;
}
