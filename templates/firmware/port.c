/* What the ports to vendors' frameworks have in common: output goes out in large pieces, since each
 * write to a USB port may become a packet of its own; a counter of 32 bits is continued to 64; and
 * an arena that is too large for a variable comes from the heap. */
#include "port.h"

#include <string.h>

#include "device/firmware_model.h"
#include "device/platform.h"
#include "device/uart.h"

enum { BUFFER_BYTES = 256, PATIENCE_MS = 1000, DIGITS = 10 };

static uint8_t buffer[BUFFER_BYTES];
static size_t filled;

void wire_init(void)
{
    port_open();
}

/* A host that has gone must not stop the firmware: what nobody takes for a second is dropped, and
 * the host asks again. */
static void send_buffer(void)
{
    size_t sent = 0;
    uint32_t since = port_milliseconds();
    while (sent < filled) {
        const size_t count = port_send(buffer + sent, filled - sent);
        if (count > 0u) {
            sent += count;
            since = port_milliseconds();
        } else if (port_milliseconds() - since >= PATIENCE_MS) {
            break;
        } else {
            port_wait(1);
        }
    }
    filled = 0;
}

void wire_write(uint8_t byte)
{
    if (filled == sizeof(buffer)) {
        send_buffer();
    }
    buffer[filled++] = byte;
}

void wire_flush(void)
{
    send_buffer();
    port_drain();
}

uint64_t platform_ticks(void)
{
    static uint64_t total; /* its lower half is what the counter said last */
    total += (uint32_t)(port_counter() - (uint32_t)total);
    return total;
}

void platform_check_stack(void)
{
    /* The framework's task: where it can see an overflow, it stops by itself. */
}

bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes)
{
    (void)path;
    (void)offset;
    (void)data;
    (void)bytes;
    return false;
}

NO_RETURN void platform_exit(int status)
{
    (void)status;
    for (;;) {
        port_wait(1000);
    }
}

static void write_text(const char *text)
{
    for (; *text != '\0'; ++text) {
        wire_write((uint8_t)*text);
    }
}

static void write_number(uint32_t number)
{
    char text[DIGITS + 1];
    char *p = text + DIGITS;
    *p = '\0';
    do {
        *--p = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0u);
    write_text(p);
}

void port_start(void)
{
    wire_init();
    if (model_heap_bytes == 0u) {
        return;
    }
    void *const memory = port_allocate(model_heap_bytes);
    while (memory == NULL) {
        write_text("error: the board has no free memory of ");
        write_number(model_heap_bytes);
        write_text(" bytes for the model's arena\r\n");
        wire_write(0u); /* to the host's protocol, this was noise */
        wire_flush();
        port_wait(1000);
    }
    memset(memory, 0, model_heap_bytes);
    model_place_arena(memory);
}
