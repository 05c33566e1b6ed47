// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing npz files: zip archives of npy files, stored or deflated. A name here is without its ".npy".
#ifndef NACRE_SRC_NPZ_H
#define NACRE_SRC_NPZ_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nacre_npz nacre_npz;

/// Opens an archive and reads its directory; the caller closes it. `path` is borrowed until then. Entries that are no npy
/// files are passed over. Null with NACRE_ERR_FILE, NACRE_ERR_MEMORY or NACRE_ERR_FORMAT (no zip, truncated, ranges outside
/// the file, two arrays of one name).
nacre_npz *nacre_npz_open(const char *path, nacre_error *error);
void nacre_npz_close(nacre_npz *npz);

int64_t nacre_npz_count(const nacre_npz *npz);
/// The name of an array, 0 <= index < count, in the archive's order; owned by the archive.
const char *nacre_npz_name(const nacre_npz *npz, int64_t index);
/// The position of the array of that name, or -1.
int64_t nacre_npz_find(const nacre_npz *npz, const char *name);
/// Reads an array into `tensor`; the caller gives the data back with nacre_array_free (npy.h). On failure `tensor` is left
/// alone. NACRE_ERR_FILE, NACRE_ERR_MEMORY; NACRE_ERR_FORMAT also for a wrong checksum, encryption or another compression.
nacre_status nacre_npz_read(const nacre_npz *npz, int64_t index, nacre_tensor *tensor, nacre_error *error);

/// Writes `count` arrays, stored, in the given order: temporary file, sync, rename. The same arrays give the same bytes.
/// NACRE_ERR_FILE, NACRE_ERR_MEMORY; NACRE_ERR_VALUE for bf16, two arrays of one name, or an archive of 4 GiB or more.
/// On failure an old file of that name is untouched.
nacre_status nacre_npz_write(const char *path, const char *const *names, const nacre_tensor *tensors, int64_t count,
                             nacre_error *error);

#ifdef __cplusplus
}
#endif
#endif
