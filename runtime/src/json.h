// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A strict scanner for JSON text in memory, driven by the caller. It unescapes strings in place and never allocates.
// Invariant: nothing before `text` or at and after `end` is touched, whatever the text holds.
#ifndef NACRE_SRC_JSON_H
#define NACRE_SRC_JSON_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The text still to be read. After a false from any function the rest is meaningless.
typedef struct nacre_json {
  char *text;
  char *end;
} nacre_json;

/// Skips white space and then `expected`; false, nothing but white space skipped, when another character follows.
bool nacre_json_take(nacre_json *json, char expected);
/// True when only white space is left.
bool nacre_json_at_end(nacre_json *json);
/// A string, as null-terminated UTF-8 inside the text. False on invalid UTF-8, bad escapes, control characters and U+0000.
bool nacre_json_string(nacre_json *json, char **string);
/// A whole number 0 <= value < 2^63 without sign, fraction or exponent.
bool nacre_json_natural(nacre_json *json, int64_t *value);
/// Skips any value, at most 32 levels deep.
bool nacre_json_skip(nacre_json *json);

#ifdef __cplusplus
}
#endif
#endif
