// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading. The header is parsed in place: names and metadata point into its one buffer.
#include "runtime/src/safetensors.h"
#include "runtime/src/file.h"
#include "runtime/src/json.h"
#include "runtime/src/safetensors_types.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 8
#define MAX_HEADER_BYTES 100000000 // the format's own limit

struct nacre_safetensors {
  nacre_file file;
  char *header;
  nacre_entry *entries; // by name, once open
  int64_t entry_count;
  int64_t entry_capacity;
  nacre_metadata *metadata;
  int64_t metadata_count;
  int64_t metadata_capacity;
  int64_t data_begin;
};

static nacre_status fail_format(const nacre_safetensors *st, nacre_error *error, const char *reason) {
  return nacre_fail(error, NACRE_ERR_FORMAT, "'%s' is not a valid safetensors file: %s", st->file.path, reason);
}

static nacre_status fail_entry(const nacre_safetensors *st, const char *name, nacre_error *error, const char *reason) {
  return nacre_fail(error, NACRE_ERR_FORMAT, "'%s' is not a valid safetensors file: tensor '%s' %s", st->file.path, name,
                    reason);
}

// Makes room for one more element.
static nacre_status make_room(void **array, int64_t count, int64_t *capacity, size_t element, nacre_error *error) {
  if (count < *capacity)
    return NACRE_OK;
  int64_t wanted = *capacity > 0 ? *capacity * 2 : 64;
  void *grown = realloc(*array, (size_t)wanted * element);
  if (grown == NULL)
    return nacre_fail_memory(error, wanted * (int64_t)element, "a file header");
  *array = grown;
  *capacity = wanted;
  return NACRE_OK;
}

static nacre_status read_header(nacre_safetensors *st, nacre_json *json, nacre_error *error) {
  unsigned char prefix[LENGTH_BYTES];
  uint64_t length = 0;
  if (st->file.bytes < LENGTH_BYTES)
    return fail_format(st, error, "it is shorter than 8 bytes");
  nacre_status status = nacre_file_read(&st->file, 0, prefix, LENGTH_BYTES, error);
  if (status != NACRE_OK)
    return status;
  for (int i = LENGTH_BYTES - 1; i >= 0; --i)
    length = length << 8 | prefix[i];
  if (length > MAX_HEADER_BYTES || length > (uint64_t)(st->file.bytes - LENGTH_BYTES))
    return fail_format(st, error, "its header length is beyond the end of the file");
  st->header = malloc((size_t)length + 1);
  if (st->header == NULL)
    return nacre_fail_memory(error, (int64_t)length, "a file header");
  st->data_begin = LENGTH_BYTES + (int64_t)length;
  *json = (nacre_json){st->header, st->header + length};
  return nacre_file_read(&st->file, LENGTH_BYTES, st->header, (int64_t)length, error);
}

static nacre_status parse_metadata(nacre_safetensors *st, nacre_json *json, nacre_error *error) {
  if (!nacre_json_take(json, '{'))
    return fail_format(st, error, "its metadata is not an object of strings");
  if (nacre_json_take(json, '}'))
    return NACRE_OK;
  do {
    char *key = NULL;
    char *value = NULL;
    if (!nacre_json_string(json, &key) || !nacre_json_take(json, ':') || !nacre_json_string(json, &value))
      return fail_format(st, error, "its metadata is not an object of strings");
    nacre_status status = make_room((void **)&st->metadata, st->metadata_count, &st->metadata_capacity,
                                    sizeof(nacre_metadata), error);
    if (status != NACRE_OK)
      return status;
    st->metadata[st->metadata_count++] = (nacre_metadata){key, value};
  } while (nacre_json_take(json, ','));
  return nacre_json_take(json, '}') ? NACRE_OK : fail_format(st, error, "its metadata is malformed");
}

// A list of at most `limit` whole numbers; the count, or -1.
static int32_t parse_naturals(nacre_json *json, int64_t *values, int32_t limit) {
  int32_t count = 0;
  if (!nacre_json_take(json, '['))
    return -1;
  if (nacre_json_take(json, ']'))
    return 0;
  do {
    if (count == limit || !nacre_json_natural(json, &values[count++]))
      return -1;
  } while (nacre_json_take(json, ','));
  return nacre_json_take(json, ']') ? count : -1;
}

// One of the three things known of a tensor, or something newer that is passed over. Sets a bit of `seen`.
static const char *parse_field(nacre_json *json, nacre_entry *entry, int64_t range[2], unsigned *seen) {
  char *key = NULL;
  unsigned bit = 0;
  if (!nacre_json_string(json, &key) || !nacre_json_take(json, ':'))
    return "has a malformed description";
  if (strcmp(key, "dtype") == 0) {
    char *type_name = NULL;
    bit = 1;
    if (!nacre_json_string(json, &type_name))
      return "has a malformed dtype";
    entry->type_name = type_name;
  } else if (strcmp(key, "shape") == 0) {
    bit = 2;
    entry->rank = parse_naturals(json, entry->shape, NACRE_MAX_RANK);
    if (entry->rank < 0)
      return "has a malformed shape, a negative size or more than 8 axes";
  } else if (strcmp(key, "data_offsets") == 0) {
    bit = 4;
    if (parse_naturals(json, range, 2) != 2)
      return "has malformed or negative offsets";
  } else if (!nacre_json_skip(json)) {
    return "has a malformed description";
  }
  if ((*seen & bit) != 0)
    return "has a field twice";
  *seen |= bit;
  return NULL;
}

static const char *check_entry(const nacre_safetensors *st, nacre_entry *entry, const int64_t range[2]) {
  nacre_stored_type type = nacre_find_stored_type(entry->type_name);
  int64_t count = 0;
  int64_t bytes = 0;
  entry->readable = type.dtype >= 0;
  entry->dtype = entry->readable ? (nacre_dtype)type.dtype : NACRE_F32;
  if (range[0] > range[1] || range[1] > st->file.bytes - st->data_begin)
    return "lies beyond the end of the file";
  entry->begin = st->data_begin + range[0];
  entry->bytes = range[1] - range[0];
  if (!nacre_element_count(entry->rank, entry->shape, &count) || __builtin_mul_overflow(count, type.bytes, &bytes))
    return "has a shape whose size overflows";
  if (type.bytes > 0 && bytes != entry->bytes)
    return "has offsets that do not match its dtype and shape";
  return NULL;
}

static const char *parse_entry(const nacre_safetensors *st, nacre_json *json, nacre_entry *entry) {
  int64_t range[2] = {0, 0};
  unsigned seen = 0;
  if (!nacre_json_take(json, '{'))
    return "has no description";
  do {
    const char *problem = parse_field(json, entry, range, &seen);
    if (problem != NULL)
      return problem;
  } while (nacre_json_take(json, ','));
  if (!nacre_json_take(json, '}') || seen != 7)
    return "lacks its dtype, shape or offsets";
  return check_entry(st, entry, range);
}

static nacre_status parse_member(nacre_safetensors *st, nacre_json *json, nacre_error *error) {
  char *name = NULL;
  if (!nacre_json_string(json, &name) || !nacre_json_take(json, ':'))
    return fail_format(st, error, "its header is malformed");
  if (strcmp(name, "__metadata__") == 0)
    return parse_metadata(st, json, error);
  nacre_status status =
      make_room((void **)&st->entries, st->entry_count, &st->entry_capacity, sizeof(nacre_entry), error);
  if (status != NACRE_OK)
    return status;
  nacre_entry entry = {.name = name};
  const char *problem = parse_entry(st, json, &entry);
  if (problem != NULL)
    return fail_entry(st, name, error, problem);
  st->entries[st->entry_count++] = entry;
  return NACRE_OK;
}

static nacre_status parse_header(nacre_safetensors *st, nacre_json *json, nacre_error *error) {
  if (!nacre_json_take(json, '{'))
    return fail_format(st, error, "its header is not a JSON object");
  if (!nacre_json_take(json, '}')) {
    do {
      nacre_status status = parse_member(st, json, error);
      if (status != NACRE_OK)
        return status;
    } while (nacre_json_take(json, ','));
    if (!nacre_json_take(json, '}'))
      return fail_format(st, error, "its header is malformed");
  }
  return nacre_json_at_end(json) ? NACRE_OK : fail_format(st, error, "text follows its header");
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const nacre_entry *)a)->name, ((const nacre_entry *)b)->name);
}

static int compare_places(const void *a, const void *b) {
  const nacre_entry *x = a;
  const nacre_entry *y = b;
  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static void sort_entries(nacre_safetensors *st, int (*compare)(const void *, const void *)) {
  if (st->entry_count > 0)
    qsort(st->entries, (size_t)st->entry_count, sizeof(nacre_entry), compare);
}

// The tensors must cover the data without a gap: what lies between them would be hidden from every reader.
static nacre_status check_places(nacre_safetensors *st, nacre_error *error) {
  int64_t end = st->data_begin;
  sort_entries(st, compare_places);
  for (int64_t i = 0; i < st->entry_count; ++i) {
    const nacre_entry *entry = &st->entries[i];
    if (entry->begin < end)
      return fail_entry(st, entry->name, error, "overlaps another tensor");
    if (entry->begin > end)
      return fail_entry(st, entry->name, error, "follows a gap that belongs to no tensor");
    end += entry->bytes;
  }
  return end == st->file.bytes ? NACRE_OK : fail_format(st, error, "bytes follow its last tensor");
}

static nacre_status sort_by_name(nacre_safetensors *st, nacre_error *error) {
  sort_entries(st, compare_names);
  for (int64_t i = 1; i < st->entry_count; ++i)
    if (compare_names(&st->entries[i - 1], &st->entries[i]) == 0)
      return fail_entry(st, st->entries[i].name, error, "occurs twice");
  return NACRE_OK;
}

static nacre_status load(nacre_safetensors *st, nacre_error *error) {
  nacre_json json = {NULL, NULL};
  nacre_status status = read_header(st, &json, error);
  if (status == NACRE_OK)
    status = parse_header(st, &json, error);
  if (status == NACRE_OK)
    status = check_places(st, error);
  return status == NACRE_OK ? sort_by_name(st, error) : status;
}

nacre_safetensors *nacre_safetensors_open(const char *path, nacre_error *error) {
  nacre_safetensors *st = calloc(1, sizeof *st);
  if (st == NULL) {
    nacre_fail_memory(error, (int64_t)sizeof *st, "a file");
    return NULL;
  }
  nacre_status status = nacre_file_open(&st->file, path, error);
  if (status == NACRE_OK)
    status = load(st, error);
  if (status == NACRE_OK)
    return st;
  nacre_safetensors_close(st);
  return NULL;
}

void nacre_safetensors_close(nacre_safetensors *file) {
  if (file == NULL)
    return;
  nacre_file_close(&file->file);
  free(file->header);
  free(file->entries);
  free(file->metadata);
  free(file);
}

int64_t nacre_safetensors_count(const nacre_safetensors *file) { return file->entry_count; }

const nacre_entry *nacre_safetensors_entry(const nacre_safetensors *file, int64_t index) { return &file->entries[index]; }

const nacre_entry *nacre_safetensors_find(const nacre_safetensors *file, const char *name) {
  const nacre_entry wanted = {.name = name};
  if (file->entry_count == 0)
    return NULL;
  return bsearch(&wanted, file->entries, (size_t)file->entry_count, sizeof wanted, compare_names);
}

int64_t nacre_safetensors_metadata_count(const nacre_safetensors *file) { return file->metadata_count; }

const nacre_metadata *nacre_safetensors_metadata(const nacre_safetensors *file, int64_t index) {
  return &file->metadata[index];
}

nacre_status nacre_safetensors_read(const nacre_safetensors *file, const nacre_entry *entry, int64_t first, int64_t bytes,
                                    void *target, nacre_error *error) {
  return nacre_file_read(&file->file, entry->begin + first, target, bytes, error);
}
