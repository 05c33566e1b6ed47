// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes are decoded canonically, bit by bit, behind a table for codes of up to FAST_BITS bits, which are nearly all.
#include "runtime/src/inflate.h"

#include <stdint.h>
#include <string.h>

#define MAX_BITS 15
#define FAST_BITS 9
#define LITERALS 288
#define DISTANCES 30
#define END_OF_BLOCK 256

typedef struct stream {
  const unsigned char *source;
  size_t left; // bytes of the source that are not in `bits`
  uint64_t bits;
  int bit_count;
  bool bad; // the source ended early
  unsigned char *target;
  size_t used;
  size_t room;
} stream;

typedef struct huffman {
  uint16_t fast[1 << FAST_BITS]; // symbol << 4 | length; 0: none that short
  uint16_t count[MAX_BITS + 1];  // codes of each length
  uint16_t symbol[LITERALS];     // by length, then by value
} huffman;

static void refill(stream *in) {
  while (in->bit_count <= 56 && in->left > 0) {
    in->bits |= (uint64_t)*in->source++ << in->bit_count;
    in->bit_count += 8;
    --in->left;
  }
}

static void drop(stream *in, int count) {
  in->bits >>= count;
  in->bit_count -= count;
}

static unsigned take(stream *in, int count) {
  refill(in);
  if (in->bit_count < count) {
    in->bad = true;
    return 0;
  }
  unsigned value = (unsigned)(in->bits & ((UINT64_C(1) << count) - 1));
  drop(in, count);
  return value;
}

static unsigned reverse(unsigned value, int count) {
  unsigned reversed = 0;
  for (int i = 0; i < count; ++i)
    reversed |= (value >> i & 1) << (count - 1 - i);
  return reversed;
}

static void fill_fast(huffman *code, int length, unsigned value, unsigned symbol) {
  if (length > FAST_BITS)
    return;
  for (unsigned i = reverse(value, length); i < 1u << FAST_BITS; i += 1u << length)
    code->fast[i] = (uint16_t)(symbol << 4 | (unsigned)length);
}

// From the length of each symbol's code, 0 = unused. False when there are more codes than their lengths allow; `complete`
// tells whether every bit string is a code.
static bool build(huffman *code, const unsigned char *lengths, int symbols, bool *complete) {
  unsigned next[MAX_BITS + 2] = {0};
  unsigned place[MAX_BITS + 2] = {0};
  int left = 1;
  memset(code, 0, sizeof *code);
  for (int i = 0; i < symbols; ++i)
    ++code->count[lengths[i]];
  code->count[0] = 0;
  for (int length = 1; length <= MAX_BITS; ++length) {
    left = left * 2 - code->count[length];
    if (left < 0)
      return false;
    next[length + 1] = (next[length] + code->count[length]) << 1;
    place[length + 1] = place[length] + code->count[length];
  }
  for (int i = 0; i < symbols; ++i) {
    int length = lengths[i];
    if (length == 0)
      continue;
    code->symbol[place[length]++] = (uint16_t)i;
    fill_fast(code, length, next[length]++, (unsigned)i);
  }
  *complete = left == 0;
  return true;
}

// A code longer than FAST_BITS, or one that does not exist.
static int decode_slowly(stream *in, const huffman *code) {
  int value = 0;
  int first = 0;
  int index = 0;
  for (int length = 1; length <= MAX_BITS && length <= in->bit_count; ++length) {
    value |= (int)(in->bits >> (length - 1) & 1);
    int count = code->count[length];
    if (value - count < first) {
      drop(in, length);
      return code->symbol[index + (value - first)];
    }
    index += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  in->bad = true;
  return -1;
}

static int decode(stream *in, const huffman *code) {
  refill(in);
  unsigned entry = code->fast[in->bits & ((1u << FAST_BITS) - 1)];
  int length = (int)(entry & 15);
  if (entry == 0 || length > in->bit_count)
    return decode_slowly(in, code);
  drop(in, length);
  return (int)(entry >> 4);
}

static bool put(stream *in, int literal) {
  if (in->used == in->room)
    return false;
  in->target[in->used++] = (unsigned char)literal;
  return true;
}

static bool copy_back(stream *in, size_t length, size_t distance) {
  if (distance > in->used || length > in->room - in->used)
    return false;
  unsigned char *to = in->target + in->used;
  for (size_t i = 0; i < length; ++i) // the ranges may overlap: a repetition
    to[i] = (to - distance)[i];
  in->used += length;
  return true;
}

static bool repeat(stream *in, int symbol, const huffman *distances) {
  static const uint16_t length_base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                         31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  static const uint8_t length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                        2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  static const uint16_t distance_base[] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,
                                           33,  49,  65,  97,  129, 193,  257,  385,  513,  769,
                                           1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
  int which = symbol - END_OF_BLOCK - 1;
  if (which >= (int)sizeof length_bits)
    return false;
  size_t length = (size_t)length_base[which] + take(in, length_bits[which]);
  int far = decode(in, distances);
  if (in->bad || far >= DISTANCES)
    return false;
  size_t distance = (size_t)distance_base[far] + take(in, far < 4 ? 0 : far / 2 - 1);
  return !in->bad && copy_back(in, length, distance);
}

static bool coded_block(stream *in, const huffman *literals, const huffman *distances) {
  for (;;) {
    int symbol = decode(in, literals);
    if (in->bad)
      return false;
    if (symbol == END_OF_BLOCK)
      return true;
    bool good = symbol < END_OF_BLOCK ? put(in, symbol) : repeat(in, symbol, distances);
    if (!good)
      return false;
  }
}

static bool fixed_block(stream *in) {
  unsigned char lengths[LITERALS];
  huffman literals;
  huffman distances;
  bool complete = false;
  memset(lengths, 8, 144);
  memset(lengths + 144, 9, 112);
  memset(lengths + 256, 7, 24);
  memset(lengths + 280, 8, 8);
  build(&literals, lengths, LITERALS, &complete);
  memset(lengths, 5, DISTANCES);
  build(&distances, lengths, DISTANCES, &complete);
  return coded_block(in, &literals, &distances);
}

// The code lengths of both alphabets, themselves coded with repetitions.
static bool read_lengths(stream *in, const huffman *code, unsigned char *lengths, int total) {
  for (int i = 0; i < total;) {
    int symbol = decode(in, code);
    if (in->bad)
      return false;
    if (symbol < 16) {
      lengths[i++] = (unsigned char)symbol;
      continue;
    }
    if (symbol == 16 && i == 0)
      return false;
    unsigned char value = symbol == 16 ? lengths[i - 1] : 0;
    int times = symbol == 16 ? 3 + (int)take(in, 2) : symbol == 17 ? 3 + (int)take(in, 3) : 11 + (int)take(in, 7);
    if (in->bad || times > total - i)
      return false;
    memset(lengths + i, value, (size_t)times);
    i += times;
  }
  return true;
}

static bool dynamic_block(stream *in) {
  static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  unsigned char lengths[286 + DISTANCES] = {0};
  unsigned char small[19] = {0};
  huffman literals;
  huffman distances;
  bool complete = false;
  int literal_count = 257 + (int)take(in, 5);
  int distance_count = 1 + (int)take(in, 5);
  int small_count = 4 + (int)take(in, 4);
  if (in->bad || literal_count > 286 || distance_count > DISTANCES)
    return false;
  for (int i = 0; i < small_count; ++i)
    small[order[i]] = (unsigned char)take(in, 3);
  if (in->bad || !build(&literals, small, 19, &complete) || !complete)
    return false;
  if (!read_lengths(in, &literals, lengths, literal_count + distance_count) || lengths[END_OF_BLOCK] == 0)
    return false;
  // An incomplete code is allowed only where it has a single symbol; a hole in one is caught when it is decoded.
  return build(&literals, lengths, literal_count, &complete) &&
         build(&distances, lengths + literal_count, distance_count, &complete) && coded_block(in, &literals, &distances);
}

static bool stored_block(stream *in) {
  drop(in, in->bit_count % 8);
  unsigned length = take(in, 16);
  unsigned check = take(in, 16);
  if (in->bad || length != (~check & 0xFFFF))
    return false;
  for (; length > 0 && in->bit_count > 0; --length)
    if (!put(in, (int)take(in, 8)))
      return false;
  if (length > in->left || length > in->room - in->used)
    return false;
  if (length > 0)
    memcpy(in->target + in->used, in->source, length);
  in->source += length;
  in->left -= length;
  in->used += length;
  return true;
}

bool nacre_inflate(const void *source, size_t source_bytes, void *target, size_t target_bytes) {
  stream in = {.source = source, .left = source_bytes, .target = target, .room = target_bytes};
  bool last = false;
  while (!last) {
    last = take(&in, 1) == 1;
    unsigned kind = take(&in, 2);
    bool good = kind == 0 ? stored_block(&in) : kind == 1 ? fixed_block(&in) : kind == 2 && dynamic_block(&in);
    if (in.bad || !good)
      return false;
  }
  return in.used == in.room;
}
