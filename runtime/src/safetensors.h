// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing safetensors files: 8 bytes of header length, a JSON header, then the tensors without gaps.
// A file is fully checked when it is opened: afterwards every entry lies inside the file and has the bytes its shape needs.
#ifndef NACRE_SRC_SAFETENSORS_H
#define NACRE_SRC_SAFETENSORS_H

#include "nacre/abi.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One tensor of a file. Owned by the nacre_safetensors, as is all text in it.
typedef struct nacre_entry {
  const char *name;
  const char *type_name; /* as in the file: "F32" */
  bool readable;         /* false: a type that nacre_dtype lacks; `dtype` means nothing then */
  nacre_dtype dtype;
  int32_t rank;
  int64_t shape[NACRE_MAX_RANK];
  int64_t begin; /* in the file, in bytes, not necessarily aligned */
  int64_t bytes;
} nacre_entry;

typedef struct nacre_metadata {
  const char *key;
  const char *value;
} nacre_metadata;

typedef struct nacre_safetensors nacre_safetensors;

/// Opens and checks a file; the caller closes it. `path` is borrowed until then.
/// Null with NACRE_ERR_FILE, NACRE_ERR_MEMORY or NACRE_ERR_FORMAT (truncated, over-long header, malformed JSON, negative,
/// overlapping or gaping offsets, sizes that overflow or do not match, duplicate names, more than NACRE_MAX_RANK axes).
nacre_safetensors *nacre_safetensors_open(const char *path, nacre_error *error);
void nacre_safetensors_close(nacre_safetensors *file);

int64_t nacre_safetensors_count(const nacre_safetensors *file);
/// Entries in order of name, 0 <= index < count.
const nacre_entry *nacre_safetensors_entry(const nacre_safetensors *file, int64_t index);
/// Null when there is none of that name.
const nacre_entry *nacre_safetensors_find(const nacre_safetensors *file, const char *name);
int64_t nacre_safetensors_metadata_count(const nacre_safetensors *file);
/// The pairs of `__metadata__` in the file's order, 0 <= index < count.
const nacre_metadata *nacre_safetensors_metadata(const nacre_safetensors *file, int64_t index);

/// Copies `bytes` bytes of the entry's data from its byte `first` on. NACRE_ERR_FILE; NACRE_ERR_FORMAT when the file shrank.
nacre_status nacre_safetensors_read(const nacre_safetensors *file, const nacre_entry *entry, int64_t first, int64_t bytes,
                                    void *target, nacre_error *error);

/// A tensor to be written; all borrowed.
typedef struct nacre_named_tensor {
  const char *name;
  nacre_tensor tensor;
} nacre_named_tensor;

/// Writes a file: temporary file, sync, rename. Tensors are laid out by falling element size, then by name, which aligns each;
/// the data begins at a multiple of 64. NACRE_ERR_FILE, NACRE_ERR_MEMORY; NACRE_ERR_VALUE on two tensors of one name or a
/// tensor whose size overflows. On failure an old file of that name is untouched.
nacre_status nacre_safetensors_write(const char *path, const nacre_named_tensor *tensors, int64_t tensor_count,
                                     const nacre_metadata *metadata, int64_t metadata_count, nacre_error *error);

/// The name of a type in these files: "F32", "BOOL", ...
const char *nacre_safetensors_type_name(nacre_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
