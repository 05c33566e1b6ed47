// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/npy.h"
#include "runtime/src/file.h"
#include "runtime/src/npy_data.h"
#include "runtime/src/npy_header.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <stdlib.h>
#include <string.h>

static nacre_status fail_format(const char *name, const char *reason, nacre_error *error) {
  return nacre_fail(error, NACRE_ERR_FORMAT, "'%s' is not a valid npy file: %s", name, reason);
}

static nacre_status check_length(const nacre_npy_layout *layout, int64_t bytes, const char *name, nacre_error *error) {
  int64_t there = bytes - layout->data_begin;
  if (layout->data_bytes > there)
    return fail_format(name, "it ends before its last element", error);
  return layout->data_bytes < there ? fail_format(name, "bytes follow its last element", error) : NACRE_OK;
}

static nacre_status parse_layout(const char *content, int64_t bytes, const char *name, nacre_npy_layout *layout,
                                 nacre_error *error) {
  int64_t header_bytes = bytes < NACRE_NPY_PREFIX_BYTES ? -1 : nacre_npy_header_bytes(content);
  if (header_bytes < 0 || header_bytes > bytes)
    return fail_format(name, "it does not begin with an npy header", error);
  nacre_status status = nacre_npy_parse_header(content, header_bytes, name, layout, error);
  return status == NACRE_OK ? check_length(layout, bytes, name, error) : status;
}

static char *allocate(int64_t bytes, nacre_error *error) {
  char *memory = malloc(bytes > 0 ? (size_t)bytes : 1);
  if (memory == NULL)
    nacre_fail_memory(error, bytes, "an array");
  return memory;
}

// Copies element by element; `index` counts through the C order while `from` follows the Fortran order.
static void reorder(const nacre_npy_layout *layout, const char *fortran, char *c_order) {
  int64_t width = nacre_dtype_bytes(layout->dtype);
  int64_t strides[NACRE_MAX_RANK];
  int64_t index[NACRE_MAX_RANK] = {0};
  int64_t stride = width;
  int64_t from = 0;
  for (int32_t axis = 0; axis < layout->rank; ++axis) {
    strides[axis] = stride;
    stride *= layout->shape[axis];
  }
  for (int64_t to = 0; to < layout->data_bytes; to += width) {
    memcpy(c_order + to, fortran + from, (size_t)width);
    int32_t axis = layout->rank - 1;
    for (; axis >= 0 && ++index[axis] == layout->shape[axis]; --axis) {
      from -= strides[axis] * (layout->shape[axis] - 1);
      index[axis] = 0;
    }
    from += axis >= 0 ? strides[axis] : 0;
  }
}

// Puts the data into C order at the start of memory of its own; null when there is none.
static char *extract(const nacre_npy_layout *layout, char *content, nacre_error *error) {
  const char *data = content + layout->data_begin;
  if (!layout->fortran_order || layout->rank < 2)
    return memmove(content, data, (size_t)layout->data_bytes);
  char *ordered = allocate(layout->data_bytes, error);
  if (ordered != NULL)
    reorder(layout, data, ordered);
  free(content);
  return ordered;
}

nacre_status nacre_npy_adopt(char *content, int64_t bytes, const char *name, nacre_tensor *tensor, nacre_error *error) {
  nacre_npy_layout layout = {0};
  nacre_status status = parse_layout(content, bytes, name, &layout, error);
  if (status != NACRE_OK) {
    free(content);
    return status;
  }
  char *data = extract(&layout, content, error);
  if (data == NULL)
    return NACRE_ERR_MEMORY;
  *tensor = (nacre_tensor){.data = data, .dtype = layout.dtype, .rank = layout.rank};
  memcpy(tensor->shape, layout.shape, sizeof tensor->shape);
  return NACRE_OK;
}

static nacre_status read_open_file(const nacre_file *file, const char *path, nacre_tensor *tensor, nacre_error *error) {
  char *content = allocate(file->bytes, error);
  if (content == NULL)
    return NACRE_ERR_MEMORY;
  nacre_status status = nacre_file_read(file, 0, content, file->bytes, error);
  if (status == NACRE_OK)
    return nacre_npy_adopt(content, file->bytes, path, tensor, error);
  free(content);
  return status;
}

nacre_status nacre_npy_read(const char *path, nacre_tensor *tensor, nacre_error *error) {
  nacre_file file;
  nacre_status status = nacre_file_open(&file, path, error);
  if (status != NACRE_OK)
    return status;
  status = read_open_file(&file, path, tensor, error);
  nacre_file_close(&file);
  return status;
}

static nacre_status write_content(const char *path, const nacre_buffer *header, const void *data, int64_t bytes,
                                  nacre_error *error) {
  nacre_new_file file;
  nacre_status status = nacre_new_file_open(&file, path, error);
  if (status != NACRE_OK)
    return status;
  status = nacre_new_file_write(&file, header->data, (int64_t)header->size, error);
  if (status == NACRE_OK)
    status = nacre_new_file_write(&file, data, bytes, error);
  if (status == NACRE_OK)
    status = nacre_new_file_commit(&file, error);
  nacre_new_file_discard(&file);
  return status;
}

nacre_status nacre_npy_write(const char *path, const nacre_tensor *tensor, nacre_error *error) {
  nacre_buffer header = {0};
  int64_t bytes = 0;
  nacre_status status = NACRE_OK;
  if (!nacre_tensor_bytes(tensor, &bytes))
    return nacre_fail(error, NACRE_ERR_VALUE, "cannot write '%s': the array has no valid shape and type", path);
  if (nacre_npy_build_header(tensor, &header))
    status = write_content(path, &header, tensor->data, bytes, error);
  else if (header.failed)
    status = nacre_fail_memory(error, (int64_t)header.size, "a file header");
  else
    status = nacre_fail(error, NACRE_ERR_VALUE, "cannot write '%s': npy files have no type %s", path,
                        nacre_dtype_name(tensor->dtype));
  nacre_buffer_free(&header);
  return status;
}

void nacre_array_free(nacre_tensor *tensor) {
  free(tensor->data);
  *tensor = (nacre_tensor){0};
}
