// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading. The central directory at the end of the file is authoritative; of a local header only its length is used.
#include "runtime/src/npz.h"
#include "runtime/src/crc32.h"
#include "runtime/src/file.h"
#include "runtime/src/inflate.h"
#include "runtime/src/npy_data.h"
#include "runtime/src/status.h"

#include <stdlib.h>
#include <string.h>

#define END_BYTES 22
#define END64_BYTES 56
#define LOCATOR_BYTES 20
#define CENTRAL_BYTES 46
#define LOCAL_BYTES 30
#define MAX_COMMENT_BYTES 65535
#define MAX_EXPANSION 1032 // deflate cannot do more: 258 bytes from 2 bits

typedef struct npz_entry {
  char *name; // in the directory's memory, terminated in place of its ".npy"
  int64_t local_begin;
  int64_t stored_bytes;
  int64_t array_bytes;
  uint32_t crc;
  uint16_t method;
  uint16_t flags;
} npz_entry;

struct nacre_npz {
  nacre_file file;
  unsigned char *directory;
  npz_entry *entries;
  int64_t count;
};

typedef struct range {
  int64_t begin;
  int64_t bytes;
} range;

static nacre_status fail_format(const nacre_npz *npz, nacre_error *error, const char *reason) {
  return nacre_fail(error, NACRE_ERR_FORMAT, "'%s' is not a valid npz file: %s", npz->file.path, reason);
}

static nacre_status fail_entry(const nacre_npz *npz, const npz_entry *entry, nacre_error *error, const char *reason) {
  return nacre_fail(error, NACRE_ERR_FORMAT, "'%s' is not a valid npz file: array '%s' %s", npz->file.path, entry->name,
                    reason);
}

static uint64_t little_endian(const unsigned char *p, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i)
    value = value << 8 | p[i];
  return value;
}

static bool has_signature(const unsigned char *p, const char *signature) { return memcmp(p, signature, 4) == 0; }

// Whether [begin, begin + bytes) lies in a file of `limit` bytes, for unsigned values of any size.
static bool lies_within(uint64_t begin, uint64_t bytes, int64_t limit) {
  return begin <= (uint64_t)limit && bytes <= (uint64_t)limit - begin;
}

// ---- where the directory is

static nacre_status read_directory64(const nacre_npz *npz, int64_t end_begin, range *directory, nacre_error *error) {
  unsigned char locator[LOCATOR_BYTES];
  unsigned char end64[END64_BYTES];
  if (end_begin < LOCATOR_BYTES)
    return fail_format(npz, error, "its 64-bit directory is missing");
  nacre_status status = nacre_file_read(&npz->file, end_begin - LOCATOR_BYTES, locator, LOCATOR_BYTES, error);
  if (status != NACRE_OK)
    return status;
  uint64_t place = little_endian(locator + 8, 8);
  if (!has_signature(locator, "PK\x06\x07") || !lies_within(place, END64_BYTES, npz->file.bytes))
    return fail_format(npz, error, "its 64-bit directory is missing");
  status = nacre_file_read(&npz->file, (int64_t)place, end64, END64_BYTES, error);
  if (status != NACRE_OK)
    return status;
  uint64_t begin = little_endian(end64 + 48, 8);
  uint64_t bytes = little_endian(end64 + 40, 8);
  if (!has_signature(end64, "PK\x06\x06") || !lies_within(begin, bytes, npz->file.bytes))
    return fail_format(npz, error, "its directory lies outside the file");
  *directory = (range){(int64_t)begin, (int64_t)bytes};
  return NACRE_OK;
}

static nacre_status parse_end(const nacre_npz *npz, const unsigned char *end, int64_t end_begin, range *directory,
                              nacre_error *error) {
  uint64_t bytes = little_endian(end + 12, 4);
  uint64_t begin = little_endian(end + 16, 4);
  if (begin == 0xFFFFFFFF || bytes == 0xFFFFFFFF || little_endian(end + 10, 2) == 0xFFFF)
    return read_directory64(npz, end_begin, directory, error);
  if (!lies_within(begin, bytes, end_begin))
    return fail_format(npz, error, "its directory lies outside the file");
  *directory = (range){(int64_t)begin, (int64_t)bytes};
  return NACRE_OK;
}

// The end record is the last thing of the file but for a comment, whose length must agree.
static nacre_status find_directory(const nacre_npz *npz, range *directory, nacre_error *error) {
  int64_t tail_bytes = npz->file.bytes < END_BYTES + MAX_COMMENT_BYTES ? npz->file.bytes : END_BYTES + MAX_COMMENT_BYTES;
  int64_t tail_begin = npz->file.bytes - tail_bytes;
  if (tail_bytes < END_BYTES)
    return fail_format(npz, error, "it is too short for a zip archive");
  unsigned char *tail = malloc((size_t)tail_bytes);
  if (tail == NULL)
    return nacre_fail_memory(error, tail_bytes, "the end of an archive");
  nacre_status status = nacre_file_read(&npz->file, tail_begin, tail, tail_bytes, error);
  int64_t at = tail_bytes - END_BYTES;
  while (status == NACRE_OK && at >= 0 &&
         !(has_signature(tail + at, "PK\x05\x06") &&
           (int64_t)little_endian(tail + at + 20, 2) == tail_bytes - END_BYTES - at))
    --at;
  if (status == NACRE_OK && at < 0)
    status = fail_format(npz, error, "it has no zip directory");
  if (status == NACRE_OK)
    status = parse_end(npz, tail + at, tail_begin + at, directory, error);
  free(tail);
  return status;
}

// ---- what the directory says

// The 64-bit values that replace those of the directory that read 0xFFFFFFFF, in this order.
static bool apply_extra64(const unsigned char *extra, int64_t extra_bytes, uint64_t *values[3]) {
  while (extra_bytes >= 4) {
    int64_t kind = (int64_t)little_endian(extra, 2);
    int64_t bytes = (int64_t)little_endian(extra + 2, 2);
    if (bytes > extra_bytes - 4)
      return false;
    const unsigned char *p = extra + 4;
    for (int i = 0; i < 3 && kind == 1; ++i) {
      if (*values[i] != 0xFFFFFFFF)
        continue;
      if (p + 8 > extra + 4 + bytes)
        return false;
      *values[i] = little_endian(p, 8);
      p += 8;
    }
    extra += 4 + bytes;
    extra_bytes -= 4 + bytes;
  }
  return true;
}

static bool parse_sizes(const nacre_npz *npz, const unsigned char *p, const unsigned char *extra, int64_t extra_bytes,
                        npz_entry *entry) {
  uint64_t array_bytes = little_endian(p + 24, 4);
  uint64_t stored_bytes = little_endian(p + 20, 4);
  uint64_t local_begin = little_endian(p + 42, 4);
  uint64_t *values[3] = {&array_bytes, &stored_bytes, &local_begin};
  if (!apply_extra64(extra, extra_bytes, values) || !lies_within(local_begin, stored_bytes, npz->file.bytes) ||
      array_bytes > INT64_MAX)
    return false;
  entry->array_bytes = (int64_t)array_bytes;
  entry->stored_bytes = (int64_t)stored_bytes;
  entry->local_begin = (int64_t)local_begin;
  entry->crc = (uint32_t)little_endian(p + 16, 4);
  entry->method = (uint16_t)little_endian(p + 10, 2);
  entry->flags = (uint16_t)little_endian(p + 8, 2);
  return true;
}

// Ends the name before its ".npy", inside the directory's memory. False for an entry that is no array.
static bool take_name(unsigned char *name, int64_t bytes, npz_entry *entry) {
  if (bytes < 4 || memcmp(name + bytes - 4, ".npy", 4) != 0 || memchr(name, '\0', (size_t)bytes) != NULL)
    return false;
  name[bytes - 4] = '\0';
  entry->name = (char *)name;
  return true;
}

static nacre_status parse_directory(nacre_npz *npz, int64_t bytes, nacre_error *error) {
  for (int64_t at = 0; at < bytes;) {
    unsigned char *p = npz->directory + at;
    if (bytes - at < CENTRAL_BYTES || !has_signature(p, "PK\x01\x02"))
      return fail_format(npz, error, "its directory is malformed");
    int64_t name_bytes = (int64_t)little_endian(p + 28, 2);
    int64_t extra_bytes = (int64_t)little_endian(p + 30, 2);
    int64_t total = CENTRAL_BYTES + name_bytes + extra_bytes + (int64_t)little_endian(p + 32, 2);
    npz_entry *entry = &npz->entries[npz->count];
    if (total > bytes - at)
      return fail_format(npz, error, "its directory is malformed");
    if (!parse_sizes(npz, p, p + CENTRAL_BYTES + name_bytes, extra_bytes, entry))
      return fail_format(npz, error, "an entry lies outside the file");
    if (take_name(p + CENTRAL_BYTES, name_bytes, entry))
      ++npz->count;
    at += total;
  }
  return NACRE_OK;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const npz_entry *)a)->name, ((const npz_entry *)b)->name);
}

static int compare_directory_order(const void *a, const void *b) {
  const char *x = ((const npz_entry *)a)->name;
  const char *y = ((const npz_entry *)b)->name;
  return x < y ? -1 : x > y;
}

static nacre_status check_names(nacre_npz *npz, nacre_error *error) {
  if (npz->count == 0)
    return NACRE_OK;
  qsort(npz->entries, (size_t)npz->count, sizeof *npz->entries, compare_names);
  for (int64_t i = 1; i < npz->count; ++i)
    if (compare_names(&npz->entries[i - 1], &npz->entries[i]) == 0)
      return fail_entry(npz, &npz->entries[i], error, "occurs twice");
  qsort(npz->entries, (size_t)npz->count, sizeof *npz->entries, compare_directory_order);
  return NACRE_OK;
}

static nacre_status load(nacre_npz *npz, nacre_error *error) {
  range directory = {0, 0};
  nacre_status status = find_directory(npz, &directory, error);
  if (status != NACRE_OK)
    return status;
  size_t most = (size_t)(directory.bytes / CENTRAL_BYTES) + 1;
  npz->directory = malloc((size_t)directory.bytes + 1);
  npz->entries = calloc(most, sizeof *npz->entries);
  if (npz->directory == NULL || npz->entries == NULL)
    return nacre_fail_memory(error, directory.bytes, "the directory of an archive");
  status = nacre_file_read(&npz->file, directory.begin, npz->directory, directory.bytes, error);
  if (status == NACRE_OK)
    status = parse_directory(npz, directory.bytes, error);
  return status == NACRE_OK ? check_names(npz, error) : status;
}

nacre_npz *nacre_npz_open(const char *path, nacre_error *error) {
  nacre_npz *npz = calloc(1, sizeof *npz);
  if (npz == NULL) {
    nacre_fail_memory(error, (int64_t)sizeof *npz, "an archive");
    return NULL;
  }
  nacre_status status = nacre_file_open(&npz->file, path, error);
  if (status == NACRE_OK)
    status = load(npz, error);
  if (status == NACRE_OK)
    return npz;
  nacre_npz_close(npz);
  return NULL;
}

void nacre_npz_close(nacre_npz *npz) {
  if (npz == NULL)
    return;
  nacre_file_close(&npz->file);
  free(npz->directory);
  free(npz->entries);
  free(npz);
}

int64_t nacre_npz_count(const nacre_npz *npz) { return npz->count; }

const char *nacre_npz_name(const nacre_npz *npz, int64_t index) { return npz->entries[index].name; }

int64_t nacre_npz_find(const nacre_npz *npz, const char *name) {
  for (int64_t i = 0; i < npz->count; ++i)
    if (strcmp(npz->entries[i].name, name) == 0)
      return i;
  return -1;
}

// ---- arrays

static nacre_status find_data(const nacre_npz *npz, const npz_entry *entry, int64_t *begin, nacre_error *error) {
  unsigned char local[LOCAL_BYTES];
  if (entry->local_begin > npz->file.bytes - LOCAL_BYTES)
    return fail_entry(npz, entry, error, "lies outside the file");
  nacre_status status = nacre_file_read(&npz->file, entry->local_begin, local, LOCAL_BYTES, error);
  if (status != NACRE_OK)
    return status;
  if (!has_signature(local, "PK\x03\x04"))
    return fail_entry(npz, entry, error, "has no local header");
  *begin = entry->local_begin + LOCAL_BYTES + (int64_t)little_endian(local + 26, 2) + (int64_t)little_endian(local + 28, 2);
  if (*begin > npz->file.bytes || entry->stored_bytes > npz->file.bytes - *begin)
    return fail_entry(npz, entry, error, "lies outside the file");
  return NACRE_OK;
}

// Fills `content` with the entry as it was before compression. `stored` has room for a compressed one.
static nacre_status read_content(const nacre_npz *npz, const npz_entry *entry, int64_t begin, char *stored, char *content,
                                 nacre_error *error) {
  bool deflated = entry->method == 8;
  nacre_status status = nacre_file_read(&npz->file, begin, deflated ? stored : content, entry->stored_bytes, error);
  if (status != NACRE_OK)
    return status;
  if (deflated && !nacre_inflate(stored, (size_t)entry->stored_bytes, content, (size_t)entry->array_bytes))
    return fail_entry(npz, entry, error, "is not a valid deflate stream");
  if (nacre_crc32(0, content, entry->array_bytes) != entry->crc)
    return fail_entry(npz, entry, error, "does not have its checksum");
  return NACRE_OK;
}

static nacre_status check_method(const nacre_npz *npz, const npz_entry *entry, nacre_error *error) {
  if ((entry->flags & 1) != 0)
    return fail_entry(npz, entry, error, "is encrypted");
  if (entry->method != 0 && entry->method != 8)
    return fail_entry(npz, entry, error, "is neither stored nor deflated");
  bool possible = entry->method == 0 ? entry->array_bytes == entry->stored_bytes
                                     : entry->array_bytes / MAX_EXPANSION <= entry->stored_bytes;
  return possible ? NACRE_OK : fail_entry(npz, entry, error, "has a size that its data cannot have");
}

nacre_status nacre_npz_read(const nacre_npz *npz, int64_t index, nacre_tensor *tensor, nacre_error *error) {
  const npz_entry *entry = &npz->entries[index];
  int64_t begin = 0;
  nacre_status status = check_method(npz, entry, error);
  if (status == NACRE_OK)
    status = find_data(npz, entry, &begin, error);
  if (status != NACRE_OK)
    return status;
  char *stored = malloc(entry->method == 8 ? (size_t)entry->stored_bytes + 1 : 1);
  char *content = malloc((size_t)entry->array_bytes + 1);
  if (stored == NULL || content == NULL)
    status = nacre_fail_memory(error, entry->array_bytes, "an array");
  if (status == NACRE_OK)
    status = read_content(npz, entry, begin, stored, content, error);
  free(stored);
  if (status == NACRE_OK)
    return nacre_npy_adopt(content, entry->array_bytes, entry->name, tensor, error);
  free(content);
  return status;
}
