// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/buffer.h"
#include "runtime/src/file.h"
#include "runtime/src/safetensors.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 8
#define DATA_ALIGNMENT 64

static void add_string(nacre_buffer *header, const char *text) {
  nacre_buffer_add_text(header, "\"");
  for (; *text != '\0'; ++text) {
    char escape[8];
    if ((unsigned char)*text < 0x20)
      snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*text);
    else
      snprintf(escape, sizeof escape, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    nacre_buffer_add_text(header, escape);
  }
  nacre_buffer_add_text(header, "\"");
}

static void add_metadata(nacre_buffer *header, const nacre_metadata *metadata, int64_t count) {
  nacre_buffer_add_text(header, "\"__metadata__\":{");
  for (int64_t i = 0; i < count; ++i) {
    nacre_buffer_add_text(header, i == 0 ? "" : ",");
    add_string(header, metadata[i].key);
    nacre_buffer_add_text(header, ":");
    add_string(header, metadata[i].value);
  }
  nacre_buffer_add_text(header, "}");
}

static void add_tensor(nacre_buffer *header, const nacre_named_tensor *item, int64_t begin, int64_t end) {
  add_string(header, item->name);
  nacre_buffer_add_text(header, ":{\"dtype\":");
  add_string(header, nacre_safetensors_type_name(item->tensor.dtype));
  nacre_buffer_add_text(header, ",\"shape\":[");
  for (int32_t axis = 0; axis < item->tensor.rank; ++axis) {
    nacre_buffer_add_text(header, axis == 0 ? "" : ",");
    nacre_buffer_add_integer(header, item->tensor.shape[axis]);
  }
  nacre_buffer_add_text(header, "],\"data_offsets\":[");
  nacre_buffer_add_integer(header, begin);
  nacre_buffer_add_text(header, ",");
  nacre_buffer_add_integer(header, end);
  nacre_buffer_add_text(header, "]}");
}

static int compare_items(const void *a, const void *b) {
  const nacre_named_tensor *x = *(const nacre_named_tensor *const *)a;
  const nacre_named_tensor *y = *(const nacre_named_tensor *const *)b;
  int64_t x_bytes = nacre_dtype_bytes(x->tensor.dtype);
  int64_t y_bytes = nacre_dtype_bytes(y->tensor.dtype);
  if (x_bytes != y_bytes)
    return x_bytes > y_bytes ? -1 : 1;
  return strcmp(x->name, y->name);
}

static int compare_item_names(const void *a, const void *b) {
  return strcmp((*(const nacre_named_tensor *const *)a)->name, (*(const nacre_named_tensor *const *)b)->name);
}

static nacre_status check_items(const nacre_named_tensor **order, int64_t count, nacre_error *error) {
  qsort(order, (size_t)count, sizeof *order, compare_item_names);
  for (int64_t i = 0, bytes = 0; i < count; ++i) {
    if (!nacre_tensor_bytes(&order[i]->tensor, &bytes))
      return nacre_fail(error, NACRE_ERR_VALUE, "tensor '%s' has no valid shape and type", order[i]->name);
    if (strcmp(order[i]->name, "__metadata__") == 0)
      return nacre_fail(error, NACRE_ERR_VALUE, "a safetensors file cannot hold a tensor named '__metadata__'");
    if (i > 0 && strcmp(order[i - 1]->name, order[i]->name) == 0)
      return nacre_fail(error, NACRE_ERR_VALUE, "two tensors are named '%s'", order[i]->name);
  }
  return NACRE_OK;
}

// The complete head of the file: length, JSON, spaces up to the alignment.
static nacre_status build_head(nacre_buffer *head, const nacre_named_tensor **order, int64_t count,
                               const nacre_metadata *metadata, int64_t metadata_count, nacre_error *error) {
  int64_t begin = 0;
  nacre_buffer_add_little_endian(head, 0, LENGTH_BYTES);
  nacre_buffer_add_text(head, "{");
  if (metadata_count > 0)
    add_metadata(head, metadata, metadata_count);
  for (int64_t i = 0; i < count; ++i) {
    int64_t end = 0;
    if (!nacre_tensor_bytes(&order[i]->tensor, &end) || __builtin_add_overflow(begin, end, &end))
      return nacre_fail(error, NACRE_ERR_VALUE, "the tensors together are too large for a file");
    nacre_buffer_add_text(head, i > 0 || metadata_count > 0 ? "," : "");
    add_tensor(head, order[i], begin, end);
    begin = end;
  }
  nacre_buffer_add_text(head, "}");
  nacre_buffer_align(head, 0, DATA_ALIGNMENT, ' ');
  if (head->failed)
    return nacre_fail_memory(error, (int64_t)head->size, "a file header");
  for (int i = 0; i < LENGTH_BYTES; ++i)
    head->data[i] = (char)((uint64_t)(head->size - LENGTH_BYTES) >> (8 * i));
  return NACRE_OK;
}

static nacre_status write_file(const char *path, const nacre_buffer *head, const nacre_named_tensor **order, int64_t count,
                               nacre_error *error) {
  nacre_new_file file;
  nacre_status status = nacre_new_file_open(&file, path, error);
  if (status != NACRE_OK)
    return status;
  status = nacre_new_file_write(&file, head->data, (int64_t)head->size, error);
  for (int64_t i = 0; i < count && status == NACRE_OK; ++i) {
    int64_t bytes = 0;
    nacre_tensor_bytes(&order[i]->tensor, &bytes);
    status = nacre_new_file_write(&file, order[i]->tensor.data, bytes, error);
  }
  if (status == NACRE_OK)
    status = nacre_new_file_commit(&file, error);
  nacre_new_file_discard(&file);
  return status;
}

nacre_status nacre_safetensors_write(const char *path, const nacre_named_tensor *tensors, int64_t tensor_count,
                                     const nacre_metadata *metadata, int64_t metadata_count, nacre_error *error) {
  nacre_buffer head = {0};
  const nacre_named_tensor **order = malloc(((size_t)tensor_count + 1) * sizeof *order);
  if (order == NULL)
    return nacre_fail_memory(error, tensor_count * (int64_t)sizeof *order, "a list of tensors");
  for (int64_t i = 0; i < tensor_count; ++i)
    order[i] = &tensors[i];
  nacre_status status = check_items(order, tensor_count, error);
  qsort(order, (size_t)tensor_count, sizeof *order, compare_items);
  if (status == NACRE_OK)
    status = build_head(&head, order, tensor_count, metadata, metadata_count, error);
  if (status == NACRE_OK)
    status = write_file(path, &head, order, tensor_count, error);
  nacre_buffer_free(&head);
  free(order);
  return status;
}
