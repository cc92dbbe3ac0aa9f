/* ESP-IDF as a process: both serial drivers are standard input and output, behind which a test puts
 * a pseudo-terminal. Each has the limits of the real one: UART buffers that must be larger than the
 * hardware's, reads that wait for all bytes, writes that must fit into the ring buffer. */
#define _POSIX_C_SOURCE 200809L

#include <driver/uart.h>
#include <driver/usb_serial_jtag.h>
#include <esp_cpu.h>
#include <esp_heap_caps.h>
#include <esp_rom_sys.h>
#include <esp_system.h>
#include <esp_timer.h>
#include <freertos/task.h>

#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "heap.h"

enum { FIFO_BYTES = 128, CPU_MHZ = 240, STACK_FREE = 5000 };

static bool installed, configured;
static size_t ring_bytes;

void app_main(void);

static void fail(const char *what)
{
    fprintf(stderr, "sketch: %s\n", what);
    exit(EXIT_FAILURE);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void sleep_ms(long milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static size_t waiting(void)
{
    int count = 0;
    return ioctl(STDIN_FILENO, FIONREAD, &count) == 0 ? (size_t)count : 0u;
}

/* Up to `bytes` bytes, after waiting for the first. */
static int read_some(void *data, size_t bytes, TickType_t ticks)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    do {
        const int ready = poll(&input, 1, ticks == portMAX_DELAY ? 100 : (int)ticks);
        if (ready > 0 && (input.revents & POLLIN) != 0) {
            const ssize_t count = read(STDIN_FILENO, data, bytes);
            if (count > 0) {
                return (int)count;
            }
            exit(count == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        if (ready > 0) {
            sleep_ms(1); /* hung up: the host has closed the port, and may open it again */
        }
    } while (ticks == portMAX_DELAY);
    return 0;
}

static int write_all(const uint8_t *data, size_t bytes)
{
    size_t sent = 0;
    while (sent < bytes) {
        const ssize_t count = write(STDOUT_FILENO, data + sent, bytes - sent);
        if (count <= 0) {
            return sent > 0u ? (int)sent : -1;
        }
        sent += (size_t)count;
    }
    return (int)sent;
}

esp_err_t uart_driver_install(uart_port_t port, int rx_bytes, int tx_bytes, int events,
                              QueueHandle_t *queue, int interrupt_flags)
{
    (void)port;
    (void)events;
    (void)queue;
    (void)interrupt_flags;
    if (rx_bytes <= FIFO_BYTES || (tx_bytes != 0 && tx_bytes <= FIFO_BYTES)) {
        return ESP_FAIL;
    }
    installed = true;
    return ESP_OK;
}

esp_err_t uart_param_config(uart_port_t port, const uart_config_t *config)
{
    (void)port;
    configured = config->baud_rate > 0 && config->data_bits == UART_DATA_8_BITS
                 && config->parity == UART_PARITY_DISABLE && config->stop_bits == UART_STOP_BITS_1;
    return configured ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static void check_uart(void)
{
    if (!installed || !configured) {
        fail("the UART is used before it is set up");
    }
}

esp_err_t uart_get_buffered_data_len(uart_port_t port, size_t *bytes)
{
    (void)port;
    check_uart();
    *bytes = waiting();
    return ESP_OK;
}

int uart_read_bytes(uart_port_t port, void *data, uint32_t bytes, TickType_t ticks)
{
    uint32_t got = 0;
    (void)port;
    check_uart();
    while (got < bytes) {
        const int count = read_some((uint8_t *)data + got, bytes - got, ticks);
        if (count == 0) {
            break;
        }
        got += (uint32_t)count;
    }
    return (int)got;
}

int uart_write_bytes(uart_port_t port, const void *data, size_t bytes)
{
    (void)port;
    check_uart();
    return write_all(data, bytes);
}

/* Throws away what was received: not what a flush is elsewhere. */
esp_err_t uart_flush(uart_port_t port)
{
    (void)port;
    fail("uart_flush() loses requests");
    return ESP_FAIL;
}

esp_err_t uart_wait_tx_done(uart_port_t port, TickType_t ticks)
{
    (void)port;
    (void)ticks;
    return ESP_OK;
}

esp_err_t usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *config)
{
    ring_bytes = config->tx_buffer_size;
    return config->rx_buffer_size > 0u && ring_bytes > 0u ? ESP_OK : ESP_ERR_INVALID_ARG;
}

int usb_serial_jtag_read_bytes(void *data, uint32_t bytes, TickType_t ticks)
{
    return read_some(data, bytes, ticks);
}

int usb_serial_jtag_write_bytes(const void *data, size_t bytes, TickType_t ticks)
{
    (void)ticks;
    return bytes > ring_bytes ? 0 : write_all(data, bytes);
}

esp_err_t usb_serial_jtag_wait_tx_done(TickType_t ticks)
{
    (void)ticks;
    return ESP_OK;
}

esp_cpu_cycle_count_t esp_cpu_get_cycle_count(void)
{
    return (esp_cpu_cycle_count_t)(nanoseconds() * CPU_MHZ / 1000);
}

uint32_t esp_rom_get_cpu_ticks_per_us(void)
{
    return CPU_MHZ;
}

int64_t esp_timer_get_time(void)
{
    return nanoseconds() / 1000;
}

void esp_restart(void)
{
    execl("/proc/self/exe", "sketch", (char *)NULL);
    fail("cannot start again");
    abort();
}

void vTaskDelay(TickType_t ticks)
{
    sleep_ms((long)ticks);
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task)
{
    return task == NULL ? STACK_FREE : 0u;
}

void *heap_caps_aligned_alloc(size_t alignment, size_t bytes, uint32_t capabilities)
{
    return heap_allocate(alignment, bytes, capabilities);
}

int main(void)
{
    app_main();
    return 0;
}
