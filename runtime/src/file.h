// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files: positioned reads of a regular file, and new files that appear under their name only when they are complete.
// Reads copy by pread: a file that shrinks while it is open gives an error, where a mapping would kill the process.
#ifndef NACRE_SRC_FILE_H
#define NACRE_SRC_FILE_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/// An open file. `path` is borrowed from the caller of nacre_file_open and must outlive it.
typedef struct nacre_file {
  int descriptor;
  int64_t bytes; /* the size when it was opened */
  const char *path;
} nacre_file;

/// Opens a regular file for reading. NACRE_ERR_FILE.
nacre_status nacre_file_open(nacre_file *file, const char *path, nacre_error *error);
/// Copies bytes [offset, offset + bytes) to `target`. NACRE_ERR_FILE on a read error, NACRE_ERR_FORMAT when the file ends before.
nacre_status nacre_file_read(const nacre_file *file, int64_t offset, void *target, int64_t bytes, nacre_error *error);
void nacre_file_close(nacre_file *file);

/// A file that is being written under a temporary name in the folder of `path`. Ends by commit or discard, whichever comes
/// first; discard after commit does nothing.
typedef struct nacre_new_file {
  int descriptor;
  char *path;      /* owned; null when there is nothing to end */
  char *temporary; /* owned */
} nacre_new_file;

/// NACRE_ERR_FILE when the folder refuses a file, or `path` exists and is no regular file; NACRE_ERR_MEMORY.
nacre_status nacre_new_file_open(nacre_new_file *file, const char *path, nacre_error *error);
/// Appends. NACRE_ERR_FILE.
nacre_status nacre_new_file_write(nacre_new_file *file, const void *data, int64_t bytes, nacre_error *error);
/// Syncs, renames to `path`, syncs the folder. On NACRE_ERR_FILE the temporary file is gone and an old file is untouched.
nacre_status nacre_new_file_commit(nacre_new_file *file, nacre_error *error);
/// Removes the temporary file.
void nacre_new_file_discard(nacre_new_file *file);

#ifdef __cplusplus
}
#endif
#endif
