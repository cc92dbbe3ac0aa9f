/* The emulator's standard input and output as a serial port: QEMU's sim machine has no UART. They
 * are read and written in pieces, since every call leaves the emulated processor. */
#include "device/board.h"
#include "device/platform.h"
#include "device/uart.h"
#include "simcall.h"

static uint8_t input[BOARD_PAYLOAD_BYTES], output[BOARD_PAYLOAD_BYTES];
static uint32_t input_used, input_filled, output_filled;

void wire_init(void)
{
    input_used = input_filled = output_filled = 0;
}

uint8_t wire_read(void)
{
    if (input_used == input_filled) {
        const int32_t count =
            simcall(SIMCALL_READ, SIMCALL_STDIN, (uintptr_t)input, sizeof(input));
        if (count <= 0) {
            platform_exit(0); /* the host has gone */
        }
        input_used = 0;
        input_filled = (uint32_t)count;
    }
    return input[input_used++];
}

void wire_flush(void)
{
    uint32_t sent = 0;
    while (sent < output_filled) {
        const uintptr_t rest = (uintptr_t)(output + sent);
        const int32_t count =
            simcall(SIMCALL_WRITE, SIMCALL_STDOUT, rest, output_filled - sent);
        if (count <= 0) {
            platform_exit(0); /* the host has gone */
        }
        sent += (uint32_t)count;
    }
    output_filled = 0;
}

void wire_write(uint8_t byte)
{
    if (output_filled == sizeof(output)) {
        wire_flush();
    }
    output[output_filled++] = byte;
}
