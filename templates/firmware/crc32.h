/* CRC-32 as in zip and Ethernet: what zlib.crc32 computes. */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continue a checksum over more bytes; the first call takes crc = 0. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t bytes);

#endif
