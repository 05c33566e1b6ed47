// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loading and saving parameters. Loading fills a second block and copies it over when every tensor has been read, so a file
// that is wrong, or that fails half way, changes nothing.
#include "runtime/src/parameters.h"
#include "runtime/src/safetensors.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_ELEMENTS 16384 // 128 KiB of the widest type: a read is long, and its conversion stays in the cache

typedef struct loading {
  const nacre_safetensors *file;
  const char *path;
  const char *part; // an imported model whose parameters alone are read, from its own file; null: all
  bool optimizer;   // the optimiser's tensors as well
  char *raw;    // [CHUNK_ELEMENTS] of the widest type
  char *ready;  // [CHUNK_ELEMENTS] of 4 bytes
  nacre_error *error;
} loading;

// Where a parameter's values come from.
typedef struct origin {
  const nacre_entry *entry;
  bool transposed;
} origin;

static bool is_saved(const nacre_parameter *parameter, bool optimizer) {
  return parameter->role != NACRE_OPTIMIZER || optimizer;
}

// The name of a parameter within a part, "MiniLM.wq" -> "wq"; null when it is outside.
static const char *name_within(const nacre_parameter *parameter, const char *part) {
  size_t length = strlen(part);
  bool inside = strncmp(parameter->name, part, length) == 0 && parameter->name[length] == '.';
  return inside ? parameter->name + length + 1 : NULL;
}

static bool is_wanted(const loading *job, const nacre_parameter *parameter) {
  return is_saved(parameter, job->optimizer) && (job->part == NULL || name_within(parameter, job->part) != NULL);
}

static nacre_status find_origin(const loading *job, const nacre_parameter *parameter, origin *from) {
  const char *name = job->part != NULL ? name_within(parameter, job->part) : parameter->name;
  *from = (origin){nacre_safetensors_find(job->file, name), false};
  if (from->entry == NULL && parameter->source != NULL)
    *from = (origin){nacre_safetensors_find(job->file, parameter->source), parameter->source_transposed != 0};
  if (from->entry != NULL)
    return NACRE_OK;
  if (parameter->source == NULL)
    return nacre_fail(job->error, NACRE_ERR_NAME, "'%s' lacks parameter '%s'", job->path, parameter->name);
  return nacre_fail(job->error, NACRE_ERR_NAME, "'%s' lacks parameter '%s', also by its source name '%s'", job->path,
                    parameter->name, parameter->source);
}

// A transposed matrix lies in the file with its two axes exchanged.
static void expected_shape(const nacre_parameter *parameter, bool transposed, int64_t shape[NACRE_MAX_RANK]) {
  memcpy(shape, parameter->shape, NACRE_MAX_RANK * sizeof shape[0]);
  if (transposed) {
    shape[0] = parameter->shape[1];
    shape[1] = parameter->shape[0];
  }
}

static nacre_status check_shape(const loading *job, const nacre_parameter *parameter, const origin *from) {
  int64_t shape[NACRE_MAX_RANK];
  char expected[192];
  char got[192];
  const nacre_entry *entry = from->entry;
  expected_shape(parameter, from->transposed, shape);
  if (entry->rank == parameter->rank && memcmp(shape, entry->shape, (size_t)entry->rank * sizeof shape[0]) == 0)
    return NACRE_OK;
  return nacre_fail(job->error, NACRE_ERR_SHAPE, "'%s': tensor '%s' for parameter '%s': expected shape %s, but got %s",
                    job->path, entry->name, parameter->name,
                    nacre_shape_text(parameter->rank, shape, expected, sizeof expected),
                    nacre_shape_text(entry->rank, entry->shape, got, sizeof got));
}

static nacre_status check_type(const loading *job, const nacre_parameter *parameter, const nacre_entry *entry) {
  bool is_float = parameter->dtype == NACRE_F32;
  if (entry->readable && nacre_dtype_is_float(entry->dtype) == is_float)
    return NACRE_OK;
  return nacre_fail(job->error, NACRE_ERR_VALUE, "'%s': tensor '%s' for parameter '%s': expected %s, but got %s", job->path,
                    entry->name, parameter->name, is_float ? "a float type" : "an integer type", entry->type_name);
}

static nacre_status locate(const loading *job, const nacre_parameter *parameter, origin *from) {
  nacre_status status = find_origin(job, parameter, from);
  if (status == NACRE_OK && from->transposed && parameter->rank != 2)
    return nacre_fail(job->error, NACRE_ERR_SHAPE, "parameter '%s' is not a matrix and cannot be loaded transposed",
                      parameter->name);
  if (status == NACRE_OK)
    status = check_shape(job, parameter, from);
  return status == NACRE_OK ? check_type(job, parameter, from->entry) : status;
}

// Puts `count` values that begin at element `first` of the file's order to their places. All are 4 bytes wide.
static void place(const nacre_parameter *parameter, bool transposed, char *target, int64_t first, int64_t count,
                  const char *values) {
  if (!transposed) {
    memcpy(target + first * 4, values, (size_t)count * 4);
    return;
  }
  const int64_t rows = parameter->shape[0]; // the columns of the file
  const int64_t columns = parameter->shape[1];
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = (first + i) % rows;
    int64_t column = (first + i) / rows;
    memcpy(target + (row * columns + column) * 4, values + i * 4, 4);
  }
}

static nacre_status read_chunk(const loading *job, const nacre_parameter *parameter, const origin *from, int64_t first,
                               int64_t count, char *target) {
  int64_t width = nacre_dtype_bytes(from->entry->dtype);
  nacre_status status =
      nacre_safetensors_read(job->file, from->entry, first * width, count * width, job->raw, job->error);
  if (status != NACRE_OK)
    return status;
  int64_t bad = nacre_convert(from->entry->dtype, job->raw, count, parameter->dtype, job->ready);
  if (bad >= 0)
    return nacre_fail(job->error, NACRE_ERR_VALUE, "'%s': tensor '%s': the value at position %lld does not fit in i32",
                      job->path, from->entry->name, (long long)(first + bad));
  place(parameter, from->transposed, target, first, count, job->ready);
  return NACRE_OK;
}

static nacre_status read_tensor(const loading *job, const nacre_parameter *parameter, const origin *from, char *target) {
  int64_t total = 0;
  nacre_status status = NACRE_OK;
  nacre_element_count(parameter->rank, parameter->shape, &total);
  for (int64_t first = 0; first < total && status == NACRE_OK; first += CHUNK_ELEMENTS) {
    int64_t count = total - first < CHUNK_ELEMENTS ? total - first : CHUNK_ELEMENTS;
    status = read_chunk(job, parameter, from, first, count, target);
  }
  return status;
}

// Fills `staged`, or with null only checks names, shapes and types.
static nacre_status read_all(const loading *job, const nacre_model *model, char *staged) {
  nacre_status status = NACRE_OK;
  for (int32_t i = 0; i < model->parameter_count && status == NACRE_OK; ++i) {
    const nacre_parameter *parameter = &model->parameters[i];
    origin from = {NULL, false};
    if (!is_wanted(job, parameter))
      continue;
    status = locate(job, parameter, &from);
    if (status == NACRE_OK && staged != NULL)
      status = read_tensor(job, parameter, &from, staged + parameter->offset_bytes);
  }
  return status;
}

static void publish(nacre_parameters *parameters, const loading *job, const char *staged) {
  for (int32_t i = 0; i < parameters->model->parameter_count; ++i) {
    const nacre_parameter *parameter = &parameters->model->parameters[i];
    nacre_tensor view = nacre_parameter_view(parameters, parameter);
    int64_t bytes = 0;
    if (is_wanted(job, parameter) && nacre_tensor_bytes(&view, &bytes))
      memcpy(view.data, staged + parameter->offset_bytes, (size_t)bytes);
  }
  nacre_parameters_changed(parameters);
}

static nacre_status load_checked(nacre_parameters *parameters, const loading *job) {
  nacre_arena staged;
  nacre_status status = nacre_arena_reserve(&staged, parameters->block.bytes, job->error);
  if (status == NACRE_OK)
    status = read_all(job, parameters->model, staged.data);
  bool replaces_all = job->part == NULL && job->optimizer; // a lost device must not keep anybody from resuming
  if (status == NACRE_OK && !replaces_all)
    status = nacre_mirrors_fetch(parameters, job->error);
  if (status == NACRE_OK)
    publish(parameters, job, staged.data);
  nacre_arena_release(&staged);
  return status;
}

static nacre_status load(nacre_parameters *parameters, const char *path, const char *part, bool optimizer, nacre_error *error) {
  nacre_error own = {NACRE_OK, ""}; // a failed open says its status through an error alone
  nacre_error *report = error != NULL ? error : &own;
  nacre_safetensors *file = nacre_safetensors_open(path, report);
  if (file == NULL)
    return report->status;
  int64_t bytes = (int64_t)CHUNK_ELEMENTS * (8 + 4);
  char *chunks = malloc((size_t)bytes);
  loading job = {file, path, part, optimizer, chunks, chunks + (size_t)CHUNK_ELEMENTS * 8, report};
  nacre_status status = chunks != NULL ? NACRE_OK : nacre_fail_memory(report, bytes, "reading a file");
  if (status == NACRE_OK)
    status = read_all(&job, parameters->model, NULL);
  if (status == NACRE_OK)
    status = load_checked(parameters, &job);
  free(chunks);
  nacre_safetensors_close(file);
  return status;
}

nacre_status nacre_parameters_load(nacre_parameters *parameters, const char *path, uint32_t flags, nacre_error *error) {
  return load(parameters, path, NULL, (flags & NACRE_LOAD_OPTIMIZER) != 0, error);
}

nacre_status nacre_parameters_load_part(nacre_parameters *parameters, const char *part, const char *path, nacre_error *error) {
  for (int32_t i = 0; i < parameters->model->parameter_count; ++i)
    if (name_within(&parameters->model->parameters[i], part) != NULL)
      return load(parameters, path, part, false, error);
  return nacre_fail(error, NACRE_ERR_NAME, "model '%s' has no parameters of a part '%s'", parameters->model->name, part);
}

nacre_status nacre_parameters_save(const nacre_parameters *parameters, const char *path, uint32_t flags,
                                   nacre_error *error) {
  const nacre_model *model = parameters->model;
  const nacre_metadata metadata[] = {{"format", "pt"}, {"model", model->name}}; // "pt": other readers ask for it
  int64_t count = 0;
  nacre_status status = nacre_mirrors_fetch((nacre_parameters *)parameters, error); // what it holds stays the same
  if (status != NACRE_OK)
    return status;
  nacre_named_tensor *items = malloc(((size_t)model->parameter_count + 1) * sizeof *items);
  if (items == NULL)
    return nacre_fail_memory(error, model->parameter_count * (int64_t)sizeof *items, "a list of tensors");
  for (int32_t i = 0; i < model->parameter_count; ++i) {
    const nacre_parameter *parameter = &model->parameters[i];
    if (is_saved(parameter, (flags & NACRE_SAVE_OPTIMIZER) != 0))
      items[count++] = (nacre_named_tensor){parameter->name, nacre_parameter_view(parameters, parameter)};
  }
  status = nacre_safetensors_write(path, items, count, metadata, 2, error);
  free(items);
  return status;
}
