/* Frames on the serial line: how a message is told apart from noise.
 *
 * A frame is length (of the payload, 2 bytes), type (1), session (4), sequence (2), payload, and
 * CRC-32 (4) of all before it, little-endian. COBS (consistent overhead byte stuffing) rids it of
 * zero bytes, and a zero byte stands before and behind it; so after any loss the next zero byte is
 * a place to start anew, and text between two frames is told from both.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t session;
    uint16_t sequence;
    uint16_t length;
    uint8_t type;
} frame_header;

/* The payload of the last frame received, and of the next one sent: one buffer for both. */
uint8_t *frame_payload(void);

/* Wait for a frame. False if one came that is damaged or too long. */
bool frame_receive(frame_header *header);

/* Send a frame; its payload is in frame_payload(). */
void frame_send(frame_header header);

/* Send texts as they are, and a zero: noise to the host's protocol, words to who watches. */
void text_send(const char *const *texts, size_t count);

/* Little-endian integers in payloads. */
uint32_t get_u16(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);
uint8_t *put_u16(uint8_t *p, uint32_t value);
uint8_t *put_u32(uint8_t *p, uint32_t value);
uint8_t *put_u64(uint8_t *p, uint64_t value);

#endif
