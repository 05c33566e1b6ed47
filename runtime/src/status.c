// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// A cut in the middle of a UTF-8 sequence would make the message invalid: drop the incomplete last character.
static void drop_partial_character(char *text) {
  size_t length = strlen(text);
  size_t start = length;
  while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
    --start;
  if (start == 0)
    return;
  unsigned char lead = (unsigned char)text[start - 1];
  size_t wanted = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (length - start < wanted)
    text[start - 1] = '\0';
}

static void replace_control_characters(char *text) {
  for (; *text != '\0'; ++text)
    if ((unsigned char)*text < 0x20 || *text == 0x7F)
      *text = '?';
}

nacre_status nacre_fail(nacre_error *error, nacre_status status, const char *format, ...) {
  if (error == NULL)
    return status;
  error->status = status;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof error->message)
    drop_partial_character(error->message);
  replace_control_characters(error->message);
  return status;
}

nacre_status nacre_fail_memory(nacre_error *error, int64_t bytes, const char *purpose) {
  return nacre_fail(error, NACRE_ERR_MEMORY, "cannot allocate %lld bytes for %s", (long long)bytes, purpose);
}

const char *nacre_status_name(nacre_status status) {
  switch (status) {
  case NACRE_OK: return "ok";
  case NACRE_ERR_SHAPE: return "shape";
  case NACRE_ERR_VALUE: return "value";
  case NACRE_ERR_NAME: return "name";
  case NACRE_ERR_MEMORY: return "memory";
  case NACRE_ERR_FILE: return "file";
  case NACRE_ERR_FORMAT: return "format";
  case NACRE_ERR_DEVICE: return "device";
  case NACRE_ERR_NONFINITE: return "nonfinite";
  case NACRE_ERR_ABI: return "abi";
  }
  return "unknown";
}
