// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Draws the initial values of parameters. A value depends on (seed, position of the parameter, element) alone.
#include "runtime/src/parameters.h"
#include "runtime/src/philox.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <math.h>

static void fill_constant(nacre_tensor view, int64_t count, double value) {
  for (int64_t i = 0; i < count; ++i) {
    if (view.dtype == NACRE_I32)
      ((int32_t *)view.data)[i] = (int32_t)value;
    else
      ((float *)view.data)[i] = (float)value;
  }
}

static void fill_normal(const nacre_stream *stream, float *values, int64_t count, double deviation) {
  double draws[2];
  for (int64_t i = 0; i < count; ++i) {
    if (i % 2 == 0)
      nacre_draw_normal(stream, (uint64_t)(i / 2), draws);
    values[i] = (float)(deviation * draws[i % 2]);
  }
}

// In [-limit, limit): a draw is a multiple of 2^-24 and the limit is an f32, so that rounding cannot reach the end.
static void fill_uniform(const nacre_stream *stream, float *values, int64_t count, float limit) {
  double draws[4];
  for (int64_t i = 0; i < count; ++i) {
    if (i % 4 == 0)
      nacre_draw_uniform(stream, (uint64_t)(i / 4), draws);
    values[i] = (float)((2.0 * draws[i % 4] - 1.0) * (double)limit);
  }
}

static int64_t last_axis(const nacre_parameter *parameter) {
  return parameter->rank > 0 ? parameter->shape[parameter->rank - 1] : 1;
}

// The product of all axes but the last.
static double fan_in(const nacre_parameter *parameter) {
  double product = 1.0;
  for (int32_t axis = 0; axis + 1 < parameter->rank; ++axis)
    product *= (double)parameter->shape[axis];
  return product;
}

static void scale_row(float *row, int64_t width) {
  double sum = 0.0;
  for (int64_t i = 0; i < width; ++i)
    sum += (double)row[i] * (double)row[i];
  double factor = sum > 0.0 ? 1.0 / sqrt(sum) : 0.0;
  for (int64_t i = 0; i < width; ++i)
    row[i] = (float)((double)row[i] * factor);
}

static void fill_unit_rows(const nacre_stream *stream, float *values, int64_t count, int64_t width) {
  fill_normal(stream, values, count, 1.0);
  for (int64_t row = 0; row < count; row += width)
    scale_row(values + row, width);
}

static void fill_transposed(nacre_tensor from, float *values, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      values[i * columns + j] = ((const float *)from.data)[j * rows + i];
}

static void draw(const nacre_parameter *parameter, nacre_tensor view, const nacre_stream *stream) {
  int64_t count = 0;
  double value = parameter->init_value;
  if (!nacre_element_count(parameter->rank, parameter->shape, &count) || count == 0)
    return;
  switch ((nacre_init_kind)parameter->init) {
  case NACRE_INIT_ZEROS: fill_constant(view, count, 0.0); break;
  case NACRE_INIT_ONES: fill_constant(view, count, 1.0); break;
  case NACRE_INIT_CONSTANT: fill_constant(view, count, value); break;
  case NACRE_INIT_NORMAL: fill_normal(stream, view.data, count, value); break;
  case NACRE_INIT_UNIFORM: fill_uniform(stream, view.data, count, (float)value); break;
  case NACRE_INIT_KAIMING: fill_normal(stream, view.data, count, sqrt(2.0 / fan_in(parameter))); break;
  case NACRE_INIT_XAVIER:
    fill_uniform(stream, view.data, count, (float)sqrt(6.0 / (fan_in(parameter) + (double)last_axis(parameter))));
    break;
  case NACRE_INIT_UNIT_ROWS: fill_unit_rows(stream, view.data, count, last_axis(parameter)); break;
  case NACRE_INIT_TRANSPOSE: break; // once all others are drawn
  }
}

static nacre_status check_initializer(const nacre_parameter *parameter, nacre_error *error) {
  if (parameter->init < NACRE_INIT_ZEROS || parameter->init > NACRE_INIT_TRANSPOSE)
    return nacre_fail(error, NACRE_ERR_VALUE, "parameter '%s' has an unknown initialiser", parameter->name);
  if (parameter->dtype == NACRE_I32 && parameter->init > NACRE_INIT_CONSTANT)
    return nacre_fail(error, NACRE_ERR_VALUE, "parameter '%s' is i32 and cannot be drawn at random", parameter->name);
  return NACRE_OK;
}

// The parameter that another one's initial values come from, or null when it does not fit.
static const nacre_parameter *source_of(const nacre_model *model, const nacre_parameter *parameter) {
  double number = parameter->init_value;
  if (!(number >= 0 && number < (double)model->parameter_count))
    return NULL;
  const nacre_parameter *from = &model->parameters[(int32_t)number];
  int fits = from->init != NACRE_INIT_TRANSPOSE && from->dtype == NACRE_F32 && parameter->dtype == NACRE_F32 && from->rank == 2 &&
             parameter->rank == 2 && from->shape[0] == parameter->shape[1] && from->shape[1] == parameter->shape[0];
  return fits ? from : NULL;
}

nacre_status nacre_parameters_init(nacre_parameters *parameters, uint64_t seed, nacre_error *error) {
  const nacre_model *model = parameters->model;
  for (int32_t i = 0; i < model->parameter_count; ++i) {
    nacre_status status = check_initializer(&model->parameters[i], error);
    if (status != NACRE_OK)
      return status;
    if (model->parameters[i].init == NACRE_INIT_TRANSPOSE && !source_of(model, &model->parameters[i]))
      return nacre_fail(error, NACRE_ERR_VALUE, "parameter '%s' starts as the transpose of one that does not fit", model->parameters[i].name);
  }
  for (int32_t i = 0; i < model->parameter_count; ++i) {
    const nacre_stream stream = {.seed = seed, .step = 0, .site = (uint32_t)i};
    draw(&model->parameters[i], nacre_parameter_view(parameters, &model->parameters[i]), &stream);
  }
  for (int32_t i = 0; i < model->parameter_count; ++i) {
    const nacre_parameter *parameter = &model->parameters[i];
    if (parameter->init == NACRE_INIT_TRANSPOSE)
      fill_transposed(nacre_parameter_view(parameters, source_of(model, parameter)), nacre_parameter_view(parameters, parameter).data,
                      parameter->shape[0], parameter->shape[1]);
  }
  nacre_parameters_changed(parameters);
  return NACRE_OK;
}
