// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exported kernels against plain loops in f64; prints one line a kernel. Knows nothing of nacre but the generated headers.
#include "kernels_attention0.h"
#include "kernels_columns0.h"
#include "kernels_contract_fold0.h"
#include "kernels_gather0.h"
#include "kernels_rows0.h"
#include "mlp.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 283, T = 37, D = 70, N = 130, K = 8, H = 2, W = 16, C = 5, IDS = 11, THREADS = 3 };

static float x[B * D], w[D * N], bias[N], gain[D];
static double scores[B * N]; // x w + bias

static float draw(void) { return (float)rand() / (float)RAND_MAX - 0.5f; }

static void fill(float *values, size_t count) {
  for (size_t i = 0; i < count; ++i)
    values[i] = draw();
}

static void *scratch_of(int64_t bytes) { return bytes > 0 ? aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64) : NULL; }

static int is_close(double got, double wanted) { return fabs(got - wanted) <= 1e-4 * (1 + fabs(wanted)); }

static void report(const char *name, int good) {
  printf("%s %s\n", name, good ? "agrees" : "differs");
  if (!good)
    exit(1);
}

static void multiply(void) {
  for (int i = 0; i < B; ++i)
    for (int j = 0; j < N; ++j) {
      double sum = bias[j];
      for (int k = 0; k < D; ++k)
        sum += (double)x[i * D + k] * w[k * N + j];
      scores[i * N + j] = sum;
    }
}

static void check_mlp(void) {
  static float y[B * N];
  void *scratch = scratch_of(mlp_scratch_bytes());
  int good = mlp(B, x, w, bias, y, scratch) == 0;
  for (int i = 0; i < B * N; ++i)
    good &= is_close(y[i], scores[i] * 0.5 * (1 + erf(scores[i] / sqrt(2))));
  free(scratch);
  report("mlp", good);
}

static void check_limits(void) {
  float untouched = 7;
  void *scratch = scratch_of(mlp_scratch_bytes());
  int good = mlp(0, NULL, w, bias, &untouched, scratch) == 0 && mlp_tasks(0, 1) == 0;
  good &= mlp(-1, x, w, bias, &untouched, scratch) == 2 && mlp(301, x, w, bias, &untouched, scratch) == 2;
  good &= mlp_tasks(-1, 1) == -2 && mlp_task(5, 5, 1, 0, NULL, w, bias, &untouched, scratch) == 0;
  free(scratch);
  report("limits", good && untouched == 7);
}

static void check_norm(void) {
  static float y[B * D];
  int good = kernels_rows0(B, x, gain, y) == 0;
  for (int i = 0; i < B; ++i) {
    double squares = 0;
    for (int k = 0; k < D; ++k)
      squares += (double)x[i * D + k] * x[i * D + k];
    for (int k = 0; k < D; ++k)
      good &= is_close(y[i * D + k], x[i * D + k] / sqrt(squares / D + 1e-6) * gain[k]);
  }
  report("norm", good);
}

/// The k best by plain selection. Neighbours may swap where rounding decides, so values are compared, and that indices lead to them.
static int is_best(const double *row, const float *values, const int32_t *indices) {
  double left[N];
  double kept = 0;
  double best = 0;
  for (int j = 0; j < N; ++j)
    left[j] = row[j] > 0 ? row[j] : 0;
  for (int i = 0; i < K; ++i) {
    int at = 0;
    for (int j = 0; j < N; ++j)
      at = left[j] > left[at] ? j : at;
    best += left[at];
    left[at] = -1;
    if (indices[i] >= 0 && indices[i] < N && !is_close(values[i], row[indices[i]]))
      return 0;
    kept += values[i];
  }
  return is_close(kept, best);
}

static float fold_values[B * K], task_values[B * K];
static int32_t fold_indices[B * K], task_indices[B * K];

static void check_encode(void) {
  void *scratch = scratch_of(kernels_contract_fold0_scratch_bytes());
  int good = kernels_contract_fold0(B, x, w, bias, fold_values, fold_indices, scratch) == 0;
  for (int i = 0; i < B; ++i)
    good &= is_best(scores + i * N, fold_values + i * K, fold_indices + i * K);
  free(scratch);
  report("encode", good);
}

/// Worker `number` takes every THREADS-th task.
static void *encode_share(void *number) {
  void *scratch = scratch_of(kernels_contract_fold0_scratch_bytes());
  int64_t tasks = kernels_contract_fold0_tasks(B, THREADS);
  for (int64_t task = *(int *)number; task < tasks; task += THREADS)
    if (kernels_contract_fold0_task(task, task + 1, THREADS, B, x, w, bias, task_values, task_indices, scratch) != 0)
      exit(1);
  free(scratch);
  return NULL;
}

static void check_threads(void) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    numbers[i] = i;
    pthread_create(&threads[i], NULL, encode_share, &numbers[i]);
  }
  for (int i = 0; i < THREADS; ++i)
    pthread_join(threads[i], NULL);
  int good = kernels_contract_fold0_tasks(B, THREADS) >= THREADS;
  good &= memcmp(fold_values, task_values, sizeof fold_values) == 0 && memcmp(fold_indices, task_indices, sizeof fold_indices) == 0;
  report("threads", good);
}

static void attend_row(const float *q, const float *k, const float *v, int last, double *out) {
  double weights[T];
  double sum = 0;
  for (int t = 0; t <= last; ++t) {
    double score = 0;
    for (int c = 0; c < W; ++c)
      score += (double)q[c] * k[t * W + c];
    sum += weights[t] = exp(score / sqrt(W));
  }
  for (int c = 0; c < W; ++c) {
    out[c] = 0;
    for (int t = 0; t <= last; ++t)
      out[c] += weights[t] / sum * v[t * W + c];
  }
}

static void check_attend(void) {
  enum { BATCH = 3, ROWS = BATCH * H * T };
  static float q[ROWS * W], k[ROWS * W], v[ROWS * W], y[ROWS * W], log_sums[ROWS];
  fill(q, ROWS * W), fill(k, ROWS * W), fill(v, ROWS * W);
  void *scratch = scratch_of(kernels_attention0_scratch_bytes());
  int good = kernels_attention0(BATCH, T, q, k, v, y, log_sums, scratch) == 0;
  for (int row = 0; row < ROWS; ++row) {
    double out[W];
    int head = row / T * T;
    attend_row(q + row * W, k + head * W, v + head * W, row - head, out);
    for (int c = 0; c < W; ++c)
      good &= is_close(y[row * W + c], out[c]);
  }
  free(scratch);
  report("attend", good);
}

static void check_columns(void) {
  enum { BATCH = 3 };
  static float in[BATCH * T * C], y[BATCH * C];
  fill(in, BATCH * T * C);
  int good = kernels_columns0(BATCH, T, in, y) == 0;
  for (int b = 0; b < BATCH; ++b)
    for (int c = 0; c < C; ++c) {
      double sum = 0;
      for (int t = 0; t < T; ++t)
        sum += in[(b * T + t) * C + c];
      good &= is_close(y[b * C + c], sum);
    }
  report("columns", good);
}

static void check_look(void) {
  static float table[IDS * C], y[B * C];
  static int32_t ids[B];
  int good = 1;
  fill(table, IDS * C);
  for (int i = 0; i < B; ++i)
    ids[i] = rand() % IDS;
  good &= kernels_gather0(B, table, ids, y) == 0;
  for (int i = 0; i < B * C; ++i)
    good &= y[i] == table[ids[i / C] * C + i % C];
  report("look", good);
}

int main(void) {
  fill(x, B * D), fill(w, D * N), fill(bias, N), fill(gain, D);
  multiply();
  printf("level %s\n", mlp_level());
  check_mlp();
  check_limits();
  check_norm();
  check_encode();
  check_threads();
  check_attend();
  check_columns();
  check_look();
  return 0;
}
