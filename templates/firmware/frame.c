/* Frames: COBS decoding byte by byte as they come, encoding from the buffer as they go. */
#include "frame.h"

#include "board.h"
#include "crc32.h"
#include "uart.h"

enum { HEADER_BYTES = 9, CRC_BYTES = 4, COBS_BLOCK = 254 };

static uint8_t buffer[HEADER_BYTES + BOARD_PAYLOAD_BYTES + CRC_BYTES];

uint8_t *frame_payload(void)
{
    return buffer + HEADER_BYTES;
}

/* Decode bytes up to the next zero into the buffer. COBS sends blocks: a code byte n, then n - 1
 * bytes that are not zero, then a zero that is not sent unless n is 255 or the frame ends.
 * Returns the number of bytes, 0 if the frame is not well formed or does not fit. */
static uint32_t receive_bytes(void)
{
    uint32_t count = 0, left = 0;
    bool zero_follows = false, fits = true;
    uint8_t byte;

    do {
        byte = wire_read();
    } while (byte == 0u); /* nothing between two zero bytes is no frame */
    for (; byte != 0u; byte = wire_read()) {
        const bool is_code = left == 0u;
        if (!is_code || zero_follows) {
            if (count < sizeof(buffer)) {
                buffer[count++] = is_code ? 0u : byte;
            } else {
                fits = false;
            }
        }
        if (is_code) {
            zero_follows = byte != 255u;
            left = byte;
        }
        --left;
    }
    return left == 0u && fits ? count : 0u;
}

bool frame_receive(frame_header *header)
{
    const uint32_t count = receive_bytes();
    if (count < HEADER_BYTES + CRC_BYTES) {
        return false;
    }
    const uint32_t checked = count - CRC_BYTES;
    header->length = (uint16_t)get_u16(buffer);
    header->type = buffer[2];
    header->session = get_u32(buffer + 3);
    header->sequence = (uint16_t)get_u16(buffer + 7);
    return header->length == checked - HEADER_BYTES
           && crc32_update(0, buffer, checked) == get_u32(buffer + checked);
}

void frame_send(frame_header header)
{
    put_u16(buffer, header.length);
    buffer[2] = header.type;
    put_u16(put_u32(buffer + 3, header.session), header.sequence);
    const uint32_t checked = (uint32_t)HEADER_BYTES + header.length;
    put_u32(buffer + checked, crc32_update(0, buffer, checked));

    const uint32_t total = checked + CRC_BYTES;
    uint32_t start = 0;
    wire_write(0u); /* whatever text or torn frame came before ends here */
    while (start <= total) {
        uint32_t end = start;
        while (end < total && buffer[end] != 0u && end - start < COBS_BLOCK) {
            ++end;
        }
        const uint32_t run = end - start;
        wire_write((uint8_t)(run + 1u));
        for (; start < end; ++start) {
            wire_write(buffer[start]);
        }
        if (run < COBS_BLOCK) {
            ++start; /* the zero that the code byte stands for, or the end */
        } else if (end == total) {
            break;
        }
    }
    wire_write(0u);
    wire_flush();
}

void text_send(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        for (const char *p = texts[i]; *p != '\0'; ++p) {
            wire_write((uint8_t)*p);
        }
    }
    wire_write(0u);
    wire_flush();
}

uint32_t get_u16(const uint8_t *p)
{
    return (uint32_t)p[0] | ((uint32_t)p[1] << 8);
}

uint32_t get_u32(const uint8_t *p)
{
    return get_u16(p) | (get_u16(p + 2) << 16);
}

uint8_t *put_u16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    return p + 2;
}

uint8_t *put_u32(uint8_t *p, uint32_t value)
{
    return put_u16(put_u16(p, value), value >> 16);
}

uint8_t *put_u64(uint8_t *p, uint64_t value)
{
    return put_u32(put_u32(p, (uint32_t)value), (uint32_t)(value >> 32));
}
