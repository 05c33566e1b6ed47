// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _POSIX_C_SOURCE 200809L // pread, fsync, strerror_r
#include "runtime/src/file.h"
#include "runtime/src/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES (1 << 30) // one read or write call moves at most 2 GiB

static nacre_status fail_errno(nacre_error *error, const char *what, const char *path) {
  char reason[128] = "unknown reason";
  strerror_r(errno, reason, sizeof reason);
  return nacre_fail(error, NACRE_ERR_FILE, "cannot %s '%s': %s", what, path, reason);
}

nacre_status nacre_file_open(nacre_file *file, const char *path, nacre_error *error) {
  struct stat facts;
  file->path = path;
  // O_NONBLOCK: opening a pipe must not wait for its writer; it changes nothing for regular files.
  file->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file->descriptor < 0)
    return fail_errno(error, "open", path);
  if (fstat(file->descriptor, &facts) == 0 && S_ISREG(facts.st_mode)) {
    file->bytes = (int64_t)facts.st_size;
    return NACRE_OK;
  }
  nacre_file_close(file);
  return nacre_fail(error, NACRE_ERR_FILE, "'%s' is not a regular file", path);
}

nacre_status nacre_file_read(const nacre_file *file, int64_t offset, void *target, int64_t bytes, nacre_error *error) {
  char *to = target;
  while (bytes > 0) {
    size_t piece = bytes < PIECE_BYTES ? (size_t)bytes : PIECE_BYTES;
    ssize_t got = pread(file->descriptor, to, piece, (off_t)offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail_errno(error, "read", file->path);
    if (got == 0)
      return nacre_fail(error, NACRE_ERR_FORMAT, "'%s' ends early, at byte %lld", file->path, (long long)offset);
    to += got;
    offset += got;
    bytes -= got;
  }
  return NACRE_OK;
}

void nacre_file_close(nacre_file *file) {
  if (file->descriptor >= 0)
    close(file->descriptor);
  file->descriptor = -1;
}

static char *copy_text(const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = malloc(bytes);
  return copy != NULL ? memcpy(copy, text, bytes) : NULL;
}

// A new file, or -1 with errno. Names with a counter, since another process may be saving to the same path.
static int create_temporary(const char *path, mode_t mode, char *temporary, size_t size) {
  int descriptor = -1;
  for (int attempt = 0; attempt < 100 && descriptor < 0; ++attempt) {
    snprintf(temporary, size, "%s.tmp-%ld-%d", path, (long)getpid(), attempt);
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor < 0 && errno != EEXIST)
      break;
  }
  return descriptor;
}

static void forget(nacre_new_file *file) {
  free(file->path);
  free(file->temporary);
  *file = (nacre_new_file){.descriptor = -1};
}

nacre_status nacre_new_file_open(nacre_new_file *file, const char *path, nacre_error *error) {
  struct stat old;
  bool exists = stat(path, &old) == 0;
  *file = (nacre_new_file){.descriptor = -1};
  // Renaming over a device or a pipe would destroy it.
  if (exists && !S_ISREG(old.st_mode))
    return nacre_fail(error, NACRE_ERR_FILE, "cannot write '%s': it is not a regular file", path);
  size_t size = strlen(path) + 48;
  file->path = copy_text(path);
  file->temporary = malloc(size);
  if (file->path == NULL || file->temporary == NULL) {
    forget(file);
    return nacre_fail_memory(error, (int64_t)size, "a file name");
  }
  file->descriptor = create_temporary(path, exists ? old.st_mode & 0777 : 0666, file->temporary, size);
  if (file->descriptor >= 0)
    return NACRE_OK;
  nacre_status status = fail_errno(error, "write", path);
  forget(file);
  return status;
}

nacre_status nacre_new_file_write(nacre_new_file *file, const void *data, int64_t bytes, nacre_error *error) {
  const char *from = data;
  while (bytes > 0) {
    size_t piece = bytes < PIECE_BYTES ? (size_t)bytes : PIECE_BYTES;
    ssize_t put = write(file->descriptor, from, piece);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return fail_errno(error, "write", file->path);
    from += put;
    bytes -= put;
  }
  return NACRE_OK;
}

// The rename survives a power failure only when the folder is synced; some file systems cannot, which is no error of ours.
static void sync_folder(char *path) {
  char *slash = strrchr(path, '/');
  if (slash != NULL)
    slash[slash == path ? 1 : 0] = '\0';
  int folder = open(slash != NULL ? path : ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  if (folder < 0)
    return;
  fsync(folder);
  close(folder);
}

nacre_status nacre_new_file_commit(nacre_new_file *file, nacre_error *error) {
  bool synced = fsync(file->descriptor) == 0 || errno == EINVAL;
  if (!synced || rename(file->temporary, file->path) != 0) {
    nacre_status status = fail_errno(error, "write", file->path);
    nacre_new_file_discard(file);
    return status;
  }
  close(file->descriptor);
  sync_folder(file->path);
  forget(file);
  return NACRE_OK;
}

void nacre_new_file_discard(nacre_new_file *file) {
  if (file->path == NULL)
    return;
  close(file->descriptor);
  unlink(file->temporary);
  forget(file);
}
