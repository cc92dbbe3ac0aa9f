/* The port to ESP-IDF 5: a UART through its driver, or the chip's own USB serial port.
 *
 * The console stays on the same port, without log output (sdkconfig.defaults): a panic is then told
 * where the host, and `tinygen monitor`, can see it.
 */
#include <esp_cpu.h>
#include <esp_heap_caps.h>
#include <esp_rom_sys.h>
#include <esp_system.h>
#include <esp_timer.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#include <sdkconfig.h>

#include "device/board.h"
#include "device/platform.h"
#include "device/uart.h"
#include "port.h"

enum { RECEIVED_BYTES = 64, DRIVER_BYTES = 2 * BOARD_PAYLOAD_BYTES, ALIGNMENT = 16 };

#if BOARD_SERIAL_USB

#include <driver/usb_serial_jtag.h>

void port_open(void)
{
    usb_serial_jtag_driver_config_t config = {
        .tx_buffer_size = DRIVER_BYTES,
        .rx_buffer_size = DRIVER_BYTES,
    };
    ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
}

/* Wait for bytes; returns how many there are. */
static int receive(uint8_t *data, uint32_t bytes)
{
    return usb_serial_jtag_read_bytes(data, bytes, portMAX_DELAY);
}

size_t port_send(const uint8_t *data, size_t bytes)
{
    const int count = usb_serial_jtag_write_bytes(data, bytes, pdMS_TO_TICKS(10));
    return count > 0 ? (size_t)count : 0u;
}

void port_drain(void)
{
    (void)usb_serial_jtag_wait_tx_done(pdMS_TO_TICKS(100));
}

#else

#include <driver/uart.h>

#define PORT UART_NUM_0

/* The pins stay those that the boot loader used. */
void port_open(void)
{
    const uart_config_t config = {
        .baud_rate = UART_BAUD,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    ESP_ERROR_CHECK(uart_driver_install(PORT, DRIVER_BYTES, 0, 0, NULL, 0));
    ESP_ERROR_CHECK(uart_param_config(PORT, &config));
}

/* Wait for bytes; returns how many there are. The driver waits for all that it is asked for, so one
 * byte is awaited, and then no more than what has come with it. */
static int receive(uint8_t *data, uint32_t bytes)
{
    size_t more = 0;
    const int first = uart_read_bytes(PORT, data, 1, portMAX_DELAY);
    if (first != 1 || uart_get_buffered_data_len(PORT, &more) != ESP_OK || more == 0u) {
        return first;
    }
    const uint32_t wanted = more < bytes - 1u ? (uint32_t)more : bytes - 1u;
    const int rest = uart_read_bytes(PORT, data + 1, wanted, 0);
    return rest > 0 ? 1 + rest : 1;
}

size_t port_send(const uint8_t *data, size_t bytes)
{
    const int count = uart_write_bytes(PORT, data, bytes);
    return count > 0 ? (size_t)count : 0u;
}

void port_drain(void)
{
    (void)uart_wait_tx_done(PORT, portMAX_DELAY);
}

#endif

uint8_t wire_read(void)
{
    static uint8_t received[RECEIVED_BYTES];
    static int used, count;
    while (used == count) {
        used = 0;
        count = receive(received, sizeof(received));
        if (count < 0) {
            count = 0;
        }
    }
    return received[used++];
}

uint32_t port_milliseconds(void)
{
    return (uint32_t)(esp_timer_get_time() / 1000);
}

void port_wait(uint32_t milliseconds)
{
    /* Less than a tick would be no wait at all, and starve tasks of a lower priority. */
    const TickType_t ticks = pdMS_TO_TICKS(milliseconds);
    vTaskDelay(ticks > 0u ? ticks : 1u);
}

uint32_t port_counter(void)
{
    return esp_cpu_get_cycle_count();
}

uint32_t platform_timer_hz(void)
{
    return esp_rom_get_cpu_ticks_per_us() * 1000000u;
}

uint32_t platform_stack_bytes(void)
{
    return CONFIG_ESP_MAIN_TASK_STACK_SIZE;
}

uint32_t platform_stack_used(void)
{
    return platform_stack_bytes() - (uint32_t)uxTaskGetStackHighWaterMark(NULL);
}

void *port_allocate(size_t bytes)
{
    const uint32_t where = BOARD_PSRAM ? MALLOC_CAP_SPIRAM : MALLOC_CAP_INTERNAL;
    return heap_caps_aligned_alloc(ALIGNMENT, bytes, where | MALLOC_CAP_8BIT);
}

NO_RETURN void platform_reset(void)
{
    port_wait(100); /* a USB host has to fetch the last reply before the port goes away */
    esp_restart();
}
