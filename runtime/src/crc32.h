// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The CRC-32 of zip files (polynomial 0xEDB88320, reflected).
#ifndef NACRE_SRC_CRC32_H
#define NACRE_SRC_CRC32_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Continues the checksum `crc` (0 at the start) over `bytes` bytes.
uint32_t nacre_crc32(uint32_t crc, const void *data, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
