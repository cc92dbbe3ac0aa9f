/* The messages between host and firmware. tinygen/run/protocol.py is the other end.
 *
 * The host asks, the firmware answers; a reply has its request's type with the top bit set, and its
 * session and sequence number. A session is a number that the host draws at random; its requests
 * are numbered in order, beginning with IDENTIFY, which is number 0 and opens it:
 *   - the next number in order is carried out;
 *   - an old number comes from a host that missed the reply: what changes nothing is done again,
 *     what does change something is only answered again, so nothing ever happens twice;
 *   - a number too high means that a request was lost: REFUSED names the number that is expected,
 *     and the host sends again from there;
 *   - a request of another session is refused: the firmware has started since, or another host has
 *     opened a session, or the frame is an old one that something on the way kept for too long.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define PROTOCOL_VERSION 2

/* All integers are little-endian. Types of elements, by code: int8, uint8, int16, int32, int64,
 * float32, bool, uint32, uint64. */
enum {
    /* -> u8 version, u8 emulated, u16 payload bytes, u16 window, u16 inputs, u16 outputs,
     *    u16 layers, u32 arena bytes, u32 stack bytes, u32 timer hz, then seven strings (u8 length,
     *    text): model, its SHA-256, board, tinygen's version, the options that the code was
     *    generated with, framework, app. As number 0 of a new session, it opens it. */
    MESSAGE_IDENTIFY = 0x01,
    /* u16 tensor (the inputs, then the outputs) -> u8 type, u8 rank, u8 quantized, u8 0, u32 bytes,
     *    f32 scale, i32 zero point, u32 dims[rank] */
    MESSAGE_TENSOR = 0x02,
    /* u16 input, u32 offset, bytes -> nothing */
    MESSAGE_WRITE = 0x03,
    /* u8 mode of layers.h -> u64 ticks */
    MESSAGE_INVOKE = 0x04,
    /* u16 output, u32 offset, u16 count -> bytes */
    MESSAGE_READ = 0x05,
    /* u16 first layer, u16 count -> u32 numbers[count], as the last INVOKE's mode says */
    MESSAGE_LAYERS = 0x06,
    /* u32 inferences -> u64 ticks of all, u64 of the shortest, u64 of the longest. The inputs are
     * whatever the arena holds: each inference overwrites them. */
    MESSAGE_BENCHMARK = 0x07,
    /* -> u32 stack bytes, u32 most bytes ever used of it, u32 damaged frames of this session */
    MESSAGE_STATUS = 0x08,
    /* -> nothing; then start as after power-up. The host must identify again. */
    MESSAGE_RESET = 0x09,
    /* -> nothing; then end the emulator or the program. A board stands still until its reset. */
    MESSAGE_QUIT = 0x0A,
    /* u16 input, u32 offset in the file, text: path of a file -> nothing. Fills an input from a
     * file of the host. Only in an emulator: its serial port takes a main loop's turn per byte. */
    MESSAGE_LOAD = 0x0B,

    /* The firmware's own: u32 exception, pc, lr, fault status, fault address. Sequence is 0,
     * session the open one, or 0. */
    MESSAGE_CRASH = 0x7E,
    /* The answer to a request that is not carried out: u8 reason, u16 expected sequence. Session
     * and sequence are the request's; those of a damaged one are taken to be the expected ones. */
    MESSAGE_REFUSED = 0x7F,
    MESSAGE_REPLY = 0x80
};

enum {
    REFUSED_NO_SESSION = 1, /* identify first: the firmware has started since */
    REFUSED_SEQUENCE = 2,   /* a request before this one was lost or damaged */
    REFUSED_TYPE = 3,
    REFUSED_ARGUMENT = 4
};

#endif
