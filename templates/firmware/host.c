/* The firmware as a program of the host: what platform, serial port and start-up are on a board.
 *
 * Without arguments it speaks the protocol on standard input and output. With --stdio it reads raw
 * input tensors and writes raw output tensors, one inference after the other, until the
 * input ends.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device/app.h"
#include "device/firmware_model.h"
#include "device/platform.h"
#include "device/uart.h"

enum { BUFFER_BYTES = 65536, NANOSECONDS = 1000000000 };

static const char *program;
static uint8_t input[BUFFER_BYTES], output[BUFFER_BYTES];
static size_t input_used, input_filled, output_filled;

void wire_init(void)
{
}

uint8_t wire_read(void)
{
    while (input_used == input_filled) {
        const ssize_t count = read(STDIN_FILENO, input, sizeof(input));
        if (count > 0) {
            input_used = 0;
            input_filled = (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            exit(EXIT_SUCCESS); /* the host has gone */
        }
    }
    return input[input_used++];
}

void wire_flush(void)
{
    size_t sent = 0;
    while (sent < output_filled) {
        const ssize_t count = write(STDOUT_FILENO, output + sent, output_filled - sent);
        if (count >= 0) {
            sent += (size_t)count;
        } else if (errno != EINTR) {
            exit(EXIT_FAILURE);
        }
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

uint64_t platform_ticks(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

uint32_t platform_timer_hz(void)
{
    return NANOSECONDS;
}

uint32_t platform_stack_bytes(void)
{
    return 0;
}

uint32_t platform_stack_used(void)
{
    return 0;
}

void platform_check_stack(void)
{
}

bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes)
{
    (void)path;
    (void)offset;
    (void)data;
    (void)bytes;
    return false; /* a pipe is fast enough */
}

NO_RETURN void platform_reset(void)
{
    execl(program, program, (char *)NULL);
    exit(EXIT_FAILURE);
}

NO_RETURN void platform_exit(int status)
{
    exit(status);
}

/* Read one inference's inputs; false at the end of the input. A torn inference is an error. */
static bool read_inputs(void)
{
    size_t total = 0;
    for (uint32_t i = 0; i < model.inputs; ++i) {
        const size_t wanted = model.tensors[i].bytes;
        const size_t count = fread(model_input(i), 1, wanted, stdin);
        total += count;
        if (count < wanted) {
            if (total > 0u) {
                fprintf(stderr, "the input ends inside of an inference\n");
                exit(EXIT_FAILURE);
            }
            return false;
        }
    }
    return total > 0u;
}

static int serve_stdio(void)
{
    firmware_reset();
    while (read_inputs()) {
        firmware_invoke();
        for (uint32_t i = 0; i < model.outputs; ++i) {
            const size_t bytes = model.tensors[model.inputs + i].bytes;
            if (fwrite(model_output(i), 1, bytes, stdout) != bytes) {
                return EXIT_FAILURE;
            }
        }
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 2 && strcmp(argv[1], "--stdio") == 0) {
        return serve_stdio();
    }
    if (argc > 1) {
        fprintf(stderr, "usage: %s [--stdio]\n", argv[0]);
        return 2;
    }
    app_start();
    app_serve();
    return EXIT_SUCCESS;
}
