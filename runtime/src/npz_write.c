// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An archive of stored entries: local header, npy header, data for each array, then the directory.
#include "runtime/src/buffer.h"
#include "runtime/src/crc32.h"
#include "runtime/src/file.h"
#include "runtime/src/npy_header.h"
#include "runtime/src/npz.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <string.h>

#define MAX_ARCHIVE_BYTES INT64_C(0xFFFFFFFE) // of the 32-bit zip format
#define MAX_ENTRIES 0xFFFE
#define DATE_1980 0x21 // 1 January 1980, the first that zip knows: equal arrays give equal files

typedef struct writing {
  nacre_new_file file;
  nacre_buffer directory;
  int64_t written;
  const char *path;
  nacre_error *error;
} writing;

static nacre_status fail_value(const writing *job, const char *name, const char *reason) {
  return nacre_fail(job->error, NACRE_ERR_VALUE, "cannot write array '%s' to '%s': %s", name, job->path, reason);
}

static nacre_status append(writing *job, const void *data, int64_t bytes) {
  job->written += bytes;
  return nacre_new_file_write(&job->file, data, bytes, job->error);
}

// The fields that the local header and the directory have in common, from "version needed" on.
static void add_facts(nacre_buffer *to, uint32_t crc, int64_t bytes, size_t name_bytes) {
  nacre_buffer_add_little_endian(to, 20, 2);     // version 2.0
  nacre_buffer_add_little_endian(to, 0x0800, 2); // names are UTF-8
  nacre_buffer_add_little_endian(to, 0, 2);      // stored
  nacre_buffer_add_little_endian(to, 0, 2);      // midnight
  nacre_buffer_add_little_endian(to, DATE_1980, 2);
  nacre_buffer_add_little_endian(to, crc, 4);
  nacre_buffer_add_little_endian(to, (uint64_t)bytes, 4);
  nacre_buffer_add_little_endian(to, (uint64_t)bytes, 4);
  nacre_buffer_add_little_endian(to, name_bytes, 2);
  nacre_buffer_add_little_endian(to, 0, 2); // no extra field
}

static void add_name(nacre_buffer *to, const char *name) {
  nacre_buffer_add_text(to, name);
  nacre_buffer_add_text(to, ".npy");
}

static void add_directory_entry(nacre_buffer *to, const char *name, uint32_t crc, int64_t bytes, int64_t local_begin) {
  nacre_buffer_add(to, "PK\1\2", 4);
  nacre_buffer_add_little_endian(to, 20, 2);
  add_facts(to, crc, bytes, strlen(name) + 4);
  nacre_buffer_add_little_endian(to, 0, 2 + 2 + 2); // no comment, disk 0, no internal attributes
  nacre_buffer_add_little_endian(to, UINT64_C(0100644) << 16, 4);
  nacre_buffer_add_little_endian(to, (uint64_t)local_begin, 4);
  add_name(to, name);
}

static void add_end(nacre_buffer *to, int64_t count, int64_t directory_begin) {
  uint64_t directory_bytes = to->size;
  nacre_buffer_add(to, "PK\5\6", 4);
  nacre_buffer_add_little_endian(to, 0, 4);
  nacre_buffer_add_little_endian(to, (uint64_t)count, 2);
  nacre_buffer_add_little_endian(to, (uint64_t)count, 2);
  nacre_buffer_add_little_endian(to, directory_bytes, 4);
  nacre_buffer_add_little_endian(to, (uint64_t)directory_begin, 4);
  nacre_buffer_add_little_endian(to, 0, 2);
}

static nacre_status write_array(writing *job, const char *name, const nacre_tensor *tensor, int64_t bytes,
                                const nacre_buffer *npy, nacre_buffer *local) {
  int64_t content_bytes = (int64_t)npy->size + bytes;
  int64_t local_begin = job->written;
  uint32_t crc = nacre_crc32(nacre_crc32(0, npy->data, (int64_t)npy->size), tensor->data, bytes);
  nacre_buffer_add(local, "PK\3\4", 4);
  add_facts(local, crc, content_bytes, strlen(name) + 4);
  add_name(local, name);
  add_directory_entry(&job->directory, name, crc, content_bytes, local_begin);
  if (local->failed || job->directory.failed)
    return nacre_fail_memory(job->error, (int64_t)job->directory.size, "a file header");
  nacre_status status = append(job, local->data, (int64_t)local->size);
  if (status == NACRE_OK)
    status = append(job, npy->data, (int64_t)npy->size);
  return status == NACRE_OK ? append(job, tensor->data, bytes) : status;
}

// What an array of this name may hold, with room kept for its two headers and the end record.
static int64_t room_left(const writing *job, const char *name, size_t header_bytes) {
  int64_t beside = (int64_t)(header_bytes + job->directory.size + 2 * strlen(name)) + 1024;
  return MAX_ARCHIVE_BYTES - job->written - beside;
}

static nacre_status write_entry(writing *job, const char *name, const nacre_tensor *tensor) {
  nacre_buffer npy = {0};
  nacre_buffer local = {0};
  int64_t bytes = 0;
  nacre_status status = NACRE_OK;
  if (!nacre_tensor_bytes(tensor, &bytes) || !nacre_npy_build_header(tensor, &npy))
    status = fail_value(job, name, "it has no shape and type that npy files know");
  else if (strlen(name) > UINT16_MAX - 4)
    status = fail_value(job, name, "its name is too long");
  else if (bytes > room_left(job, name, npy.size))
    status = fail_value(job, name, "archives of 4 GiB or more are not written");
  else
    status = write_array(job, name, tensor, bytes, &npy, &local);
  nacre_buffer_free(&npy);
  nacre_buffer_free(&local);
  return status;
}

static nacre_status check_names(const writing *job, const char *const *names, int64_t count) {
  if (count > MAX_ENTRIES)
    return nacre_fail(job->error, NACRE_ERR_VALUE, "cannot write more than %d arrays to '%s'", MAX_ENTRIES, job->path);
  for (int64_t i = 0; i < count; ++i)
    for (int64_t j = 0; j < i; ++j)
      if (strcmp(names[i], names[j]) == 0)
        return fail_value(job, names[i], "the name occurs twice");
  return NACRE_OK;
}

static nacre_status write_all(writing *job, const char *const *names, const nacre_tensor *tensors, int64_t count) {
  nacre_status status = NACRE_OK;
  for (int64_t i = 0; i < count && status == NACRE_OK; ++i)
    status = write_entry(job, names[i], &tensors[i]);
  if (status != NACRE_OK)
    return status;
  add_end(&job->directory, count, job->written);
  if (job->directory.failed)
    return nacre_fail_memory(job->error, (int64_t)job->directory.size, "a file header");
  status = append(job, job->directory.data, (int64_t)job->directory.size);
  return status == NACRE_OK ? nacre_new_file_commit(&job->file, job->error) : status;
}

nacre_status nacre_npz_write(const char *path, const char *const *names, const nacre_tensor *tensors, int64_t count,
                             nacre_error *error) {
  writing job = {.path = path, .error = error};
  nacre_status status = check_names(&job, names, count);
  if (status == NACRE_OK)
    status = nacre_new_file_open(&job.file, path, error);
  if (status != NACRE_OK)
    return status;
  status = write_all(&job, names, tensors, count);
  nacre_new_file_discard(&job.file);
  nacre_buffer_free(&job.directory);
  return status;
}
