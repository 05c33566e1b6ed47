// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/npy_header.h"
#include "runtime/src/status.h"
#include "runtime/src/tensor.h"

#include <string.h>

static const char magic[] = "\x93NUMPY";
#define MAGIC_BYTES 6
#define MAX_DICTIONARY_BYTES (1 << 20) // a shape of 8 axes needs a few hundred

typedef struct npy_type {
  const char *name;
  nacre_dtype dtype;
} npy_type;

static const npy_type types[] = {{"<f4", NACRE_F32}, {"<i4", NACRE_I32}, {"<f8", NACRE_F64},
                                 {"<i8", NACRE_I64}, {"<f2", NACRE_F16}, {"|u1", NACRE_U8},
                                 {"|i1", NACRE_I8},  {"<i2", NACRE_I16}, {"|b1", NACRE_BOOL}};

int64_t nacre_npy_header_bytes(const void *prefix) {
  const unsigned char *p = prefix;
  if (memcmp(p, magic, MAGIC_BYTES) != 0 || p[6] < 1 || p[6] > 3 || p[7] != 0)
    return -1;
  if (p[6] == 1)
    return 10 + (p[8] | (int64_t)p[9] << 8);
  int64_t length = p[8] | (int64_t)p[9] << 8 | (int64_t)p[10] << 16 | (int64_t)p[11] << 24;
  return length <= MAX_DICTIONARY_BYTES ? 12 + length : -1;
}

// The part of the dictionary still to be read.
typedef struct cursor {
  const char *text;
  const char *end;
} cursor;

static void skip_space(cursor *in) {
  while (in->text < in->end && (*in->text == ' ' || *in->text == '\t' || *in->text == '\n' || *in->text == '\r'))
    ++in->text;
}

static bool take(cursor *in, char expected) {
  skip_space(in);
  if (in->text == in->end || *in->text != expected)
    return false;
  ++in->text;
  return true;
}

static bool take_word(cursor *in, const char *word) {
  size_t length = strlen(word);
  skip_space(in);
  if ((size_t)(in->end - in->text) < length || memcmp(in->text, word, length) != 0)
    return false;
  in->text += length;
  return true;
}

// A string without escapes, copied; false when it does not fit.
static bool take_string(cursor *in, char *string, size_t room) {
  size_t length = 0;
  char quote = '\'';
  if (!take(in, quote)) {
    quote = '"';
    if (!take(in, quote))
      return false;
  }
  for (; in->text < in->end && *in->text != quote; ++in->text) {
    if (*in->text == '\\' || length + 1 == room)
      return false;
    string[length++] = *in->text;
  }
  string[length] = '\0';
  return take(in, quote);
}

static bool take_natural(cursor *in, int64_t *value) {
  skip_space(in);
  const char *start = in->text;
  *value = 0;
  for (; in->text < in->end && *in->text >= '0' && *in->text <= '9'; ++in->text)
    if (__builtin_mul_overflow(*value, (int64_t)10, value) || __builtin_add_overflow(*value, *in->text - '0', value))
      return false;
  return in->text > start;
}

// "(3, 4)", "(3,)" or "()".
static bool take_shape(cursor *in, nacre_npy_layout *layout) {
  layout->rank = 0;
  if (!take(in, '('))
    return false;
  while (!take(in, ')')) {
    if (layout->rank == NACRE_MAX_RANK || !take_natural(in, &layout->shape[layout->rank++]))
      return false;
    if (!take(in, ','))
      return layout->rank > 1 && take(in, ')'); // "(3)" is a number, not a shape
  }
  return true;
}

static bool take_type(cursor *in, nacre_npy_layout *layout) {
  char name[16];
  if (!take_string(in, name, sizeof name))
    return false;
  for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i) {
    if (strcmp(types[i].name, name) != 0)
      continue;
    layout->dtype = types[i].dtype;
    return true;
  }
  return false;
}

static bool take_order(cursor *in, nacre_npy_layout *layout) {
  layout->fortran_order = take_word(in, "True");
  return layout->fortran_order || take_word(in, "False");
}

// One entry of the dictionary; null, or what is wrong with it.
static const char *take_entry(cursor *in, nacre_npy_layout *layout, unsigned *seen) {
  char key[16];
  unsigned bit = 0;
  const char *problem = NULL;
  if (!take_string(in, key, sizeof key) || !take(in, ':'))
    return "its header is malformed";
  if (strcmp(key, "descr") == 0) {
    bit = 1;
    problem = take_type(in, layout) ? NULL : "its type is none of f2 f4 f8 i1 i2 i4 i8 u1 b1, little-endian";
  } else if (strcmp(key, "fortran_order") == 0) {
    bit = 2;
    problem = take_order(in, layout) ? NULL : "its order is neither True nor False";
  } else if (strcmp(key, "shape") == 0) {
    bit = 4;
    problem = take_shape(in, layout) ? NULL : "its shape is malformed, has a negative size or more than 8 axes";
  }
  if (problem != NULL)
    return problem;
  if (bit == 0 || (*seen & bit) != 0)
    return "its header has an unknown or repeated key";
  *seen |= bit;
  return NULL;
}

static const char *parse(cursor *in, nacre_npy_layout *layout) {
  unsigned seen = 0;
  if (!take(in, '{'))
    return "its header is malformed";
  while (!take(in, '}')) {
    const char *problem = take_entry(in, layout, &seen);
    if (problem != NULL)
      return problem;
    if (take(in, ','))
      continue;
    if (!take(in, '}'))
      return "its header is malformed";
    break;
  }
  skip_space(in);
  if (seen != 7 || in->text != in->end)
    return "its header is malformed";
  int64_t count = 0;
  bool fits = nacre_element_count(layout->rank, layout->shape, &count) &&
              !__builtin_mul_overflow(count, nacre_dtype_bytes(layout->dtype), &layout->data_bytes);
  return fits ? NULL : "its size overflows";
}

nacre_status nacre_npy_parse_header(const void *header, int64_t bytes, const char *name, nacre_npy_layout *layout,
                                    nacre_error *error) {
  const char *text = header;
  int64_t begin = text[MAGIC_BYTES] == 1 ? 10 : 12;
  cursor in = {text + begin, text + bytes};
  *layout = (nacre_npy_layout){.data_begin = bytes};
  const char *problem = parse(&in, layout);
  if (problem == NULL)
    return NACRE_OK;
  return nacre_fail(error, NACRE_ERR_FORMAT, "'%s' is not a valid npy file: %s", name, problem);
}

static const char *type_name(nacre_dtype dtype) {
  for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i)
    if (types[i].dtype == dtype)
      return types[i].name;
  return NULL;
}

bool nacre_npy_build_header(const nacre_tensor *tensor, nacre_buffer *header) {
  const char *type = type_name(tensor->dtype);
  size_t start = header->size;
  if (type == NULL)
    return false;
  nacre_buffer_add(header, magic, MAGIC_BYTES);
  nacre_buffer_add(header, "\1\0\0\0", 4);
  nacre_buffer_add_text(header, "{'descr': '");
  nacre_buffer_add_text(header, type);
  nacre_buffer_add_text(header, "', 'fortran_order': False, 'shape': (");
  for (int32_t axis = 0; axis < tensor->rank; ++axis) {
    nacre_buffer_add_integer(header, tensor->shape[axis]);
    nacre_buffer_add_text(header, axis + 1 < tensor->rank ? ", " : tensor->rank == 1 ? "," : "");
  }
  nacre_buffer_add_text(header, "), }");
  nacre_buffer_align(header, 64 - start % 64 + 1, 64, ' '); // the line end completes a multiple of 64
  nacre_buffer_add_text(header, "\n");
  if (header->failed)
    return false;
  size_t dictionary = header->size - start - 10;
  header->data[start + 8] = (char)(dictionary & 0xFF);
  header->data[start + 9] = (char)(dictionary >> 8);
  return true;
}
