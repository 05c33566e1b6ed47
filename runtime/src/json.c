// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/json.h"

#include <stddef.h>
#include <string.h>

#define MAX_DEPTH 32

static void skip_space(nacre_json *json) {
  while (json->text < json->end &&
         (*json->text == ' ' || *json->text == '\t' || *json->text == '\n' || *json->text == '\r'))
    ++json->text;
}

bool nacre_json_take(nacre_json *json, char expected) {
  skip_space(json);
  if (json->text == json->end || *json->text != expected)
    return false;
  ++json->text;
  return true;
}

bool nacre_json_at_end(nacre_json *json) {
  skip_space(json);
  return json->text == json->end;
}

static bool hex_digit(char c, uint32_t *value) {
  if (c >= '0' && c <= '9')
    *value = (uint32_t)(c - '0');
  else if (c >= 'a' && c <= 'f')
    *value = (uint32_t)(c - 'a' + 10);
  else if (c >= 'A' && c <= 'F')
    *value = (uint32_t)(c - 'A' + 10);
  else
    return false;
  return true;
}

// The four digits after "\u".
static bool hex_unit(nacre_json *json, uint32_t *unit) {
  *unit = 0;
  for (int i = 0; i < 4; ++i) {
    uint32_t digit = 0;
    if (json->text == json->end || !hex_digit(*json->text++, &digit))
      return false;
    *unit = *unit << 4 | digit;
  }
  return true;
}

// A code point, of one unit or of a surrogate pair.
static bool hex_code_point(nacre_json *json, uint32_t *code) {
  uint32_t low = 0;
  if (!hex_unit(json, code) || *code == 0 || (*code >= 0xDC00 && *code < 0xE000))
    return false;
  if (*code < 0xD800 || *code >= 0xE000)
    return true;
  if (json->end - json->text < 2 || json->text[0] != '\\' || json->text[1] != 'u')
    return false;
  json->text += 2;
  if (!hex_unit(json, &low) || low < 0xDC00 || low >= 0xE000)
    return false;
  *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
  return true;
}

// Never longer than the escape it replaces: 3 bytes for 6, 4 bytes for 12.
static char *put_utf8(char *to, uint32_t code) {
  if (code < 0x80) {
    *to++ = (char)code;
    return to;
  }
  int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
  *to++ = (char)(lead[tail] | code >> (6 * tail));
  while (tail-- > 0)
    *to++ = (char)(0x80 | (code >> (6 * tail) & 0x3F));
  return to;
}

static bool take_escape(nacre_json *json, char **to) {
  static const char escapes[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  uint32_t code = 0;
  if (json->text == json->end)
    return false;
  char c = *json->text++;
  if (c == 'u') {
    if (!hex_code_point(json, &code))
      return false;
    *to = put_utf8(*to, code);
    return true;
  }
  const char *found = c == '\0' ? NULL : strchr(escapes, c);
  if (found == NULL)
    return false;
  *(*to)++ = meanings[found - escapes];
  return true;
}

// One character of valid UTF-8 (no overlong form, no surrogate, at most U+10FFFF), copied as it is.
static bool take_utf8(nacre_json *json, char **to) {
  uint32_t lead = (unsigned char)*json->text;
  int tail = lead < 0x80 ? 0 : lead < 0xC2 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : -1;
  if (tail < 0 || json->end - json->text <= tail)
    return false;
  uint32_t code = tail == 0 ? lead : lead & (0x3Fu >> tail);
  for (int i = 1; i <= tail; ++i) {
    uint32_t byte = (unsigned char)json->text[i];
    if ((byte & 0xC0) != 0x80)
      return false;
    code = code << 6 | (byte & 0x3F);
  }
  static const uint32_t least[] = {0x20, 0x80, 0x800, 0x10000};
  if (code < least[tail] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return false;
  memmove(*to, json->text, (size_t)tail + 1);
  *to += tail + 1;
  json->text += tail + 1;
  return true;
}

bool nacre_json_string(nacre_json *json, char **string) {
  if (!nacre_json_take(json, '"'))
    return false;
  char *to = json->text;
  *string = to;
  while (json->text < json->end && *json->text != '"') {
    bool escape = *json->text == '\\';
    json->text += escape ? 1 : 0;
    if (!(escape ? take_escape(json, &to) : take_utf8(json, &to)))
      return false;
  }
  if (json->text == json->end)
    return false;
  ++json->text;
  *to = '\0'; // at the latest where the closing quote was
  return true;
}

static bool is_digit(const nacre_json *json) { return json->text < json->end && *json->text >= '0' && *json->text <= '9'; }

bool nacre_json_natural(nacre_json *json, int64_t *value) {
  skip_space(json);
  const char *start = json->text;
  *value = 0;
  for (; is_digit(json); ++json->text)
    if (__builtin_mul_overflow(*value, (int64_t)10, value) || __builtin_add_overflow(*value, *json->text - '0', value))
      return false;
  bool leading_zero = json->text - start > 1 && *start == '0';
  bool goes_on = json->text < json->end && (*json->text == '.' || *json->text == 'e' || *json->text == 'E');
  return json->text > start && !leading_zero && !goes_on;
}

static bool skip_digits(nacre_json *json) {
  if (!is_digit(json))
    return false;
  while (is_digit(json))
    ++json->text;
  return true;
}

static bool take_one_of(nacre_json *json, char a, char b) {
  if (json->text == json->end || (*json->text != a && *json->text != b))
    return false;
  ++json->text;
  return true;
}

static bool skip_number(nacre_json *json) {
  take_one_of(json, '-', '-');
  bool zero = take_one_of(json, '0', '0');
  if (!zero && !skip_digits(json))
    return false;
  if (take_one_of(json, '.', '.') && !skip_digits(json))
    return false;
  if (!take_one_of(json, 'e', 'E'))
    return true;
  take_one_of(json, '+', '-');
  return skip_digits(json);
}

static bool skip_word(nacre_json *json, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(json->end - json->text) < length || memcmp(json->text, word, length) != 0)
    return false;
  json->text += length;
  return true;
}

static bool skip_value(nacre_json *json, int depth);

static bool skip_member(nacre_json *json, bool named, int depth) {
  char *name = NULL;
  if (named && (!nacre_json_string(json, &name) || !nacre_json_take(json, ':')))
    return false;
  return skip_value(json, depth + 1);
}

static bool skip_members(nacre_json *json, bool named, int depth) {
  char close = named ? '}' : ']';
  if (nacre_json_take(json, close))
    return true;
  do {
    if (!skip_member(json, named, depth))
      return false;
  } while (nacre_json_take(json, ','));
  return nacre_json_take(json, close);
}

static bool skip_value(nacre_json *json, int depth) {
  char *string = NULL;
  skip_space(json);
  if (depth > MAX_DEPTH || json->text == json->end)
    return false;
  switch (*json->text) {
  case '{': ++json->text; return skip_members(json, true, depth);
  case '[': ++json->text; return skip_members(json, false, depth);
  case '"': return nacre_json_string(json, &string);
  case 't': return skip_word(json, "true");
  case 'f': return skip_word(json, "false");
  case 'n': return skip_word(json, "null");
  default: return skip_number(json);
  }
}

bool nacre_json_skip(nacre_json *json) { return skip_value(json, 1); }
