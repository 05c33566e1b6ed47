// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/crc32.h"

// table[k][b]: the checksum of byte b followed by k zero bytes. Eight tables let eight bytes be folded at once. They are
// built on the stack at each call: 2,048 steps, nothing beside a file, and no state between threads.
static void build_tables(uint32_t table[8][256]) {
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    table[0][byte] = crc;
  }
  for (int k = 1; k < 8; ++k)
    for (int byte = 0; byte < 256; ++byte)
      table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 0xFF];
}

static uint32_t fold_eight(const uint32_t table[8][256], uint32_t crc, const unsigned char *p) {
  return table[7][p[0] ^ (crc & 0xFF)] ^ table[6][p[1] ^ (crc >> 8 & 0xFF)] ^ table[5][p[2] ^ (crc >> 16 & 0xFF)] ^
         table[4][p[3] ^ crc >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
}

uint32_t nacre_crc32(uint32_t crc, const void *data, int64_t bytes) {
  uint32_t table[8][256];
  const unsigned char *p = data;
  build_tables(table);
  crc = ~crc;
  for (; bytes >= 8; bytes -= 8, p += 8)
    crc = fold_eight((const uint32_t(*)[256])table, crc, p);
  for (; bytes > 0; --bytes, ++p)
    crc = table[0][(crc ^ *p) & 0xFF] ^ crc >> 8;
  return ~crc;
}
