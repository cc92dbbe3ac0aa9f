/* The port to Arduino: every core that has Serial, millis() and micros() will do.
 *
 * Serial is whatever the core calls so: a UART, or the chip's own USB. A USB port goes away with a
 * reset and comes back; the host opens it again, and nothing here waits for it.
 */
#include <Arduino.h>
#include <stdlib.h>

extern "C" {
#include "device/board.h"
#include "device/platform.h"
#include "device/uart.h"
}
#include "cycles.h"
#include "port.h"

#if defined(ARDUINO_ARCH_ESP32)

#include <esp_heap_caps.h>

void port_open(void)
{
    /* The receiver throws away what its buffer cannot hold: a whole frame must fit. */
    Serial.setRxBufferSize(2u * BOARD_PAYLOAD_BYTES);
    Serial.begin(UART_BAUD);
#if CONFIG_FREERTOS_UNICORE
    /* On a single core an inference keeps the idle task waiting, which after five seconds passes
     * for a hang. With two cores, the sketch has the second one for itself. */
    disableCore0WDT();
#endif
}

static void wait_for_input(void)
{
    delay(1); /* yield() alone would starve tasks of a lower priority */
}

uint32_t port_counter(void)
{
    return ESP.getCycleCount();
}

uint32_t platform_timer_hz(void)
{
    return getCpuFrequencyMhz() * 1000000u;
}

uint32_t platform_stack_bytes(void)
{
    return static_cast<uint32_t>(getArduinoLoopTaskStackSize());
}

uint32_t platform_stack_used(void)
{
    return platform_stack_bytes() - static_cast<uint32_t>(uxTaskGetStackHighWaterMark(NULL));
}

void *port_allocate(size_t bytes)
{
    const uint32_t where = BOARD_PSRAM ? MALLOC_CAP_SPIRAM : MALLOC_CAP_INTERNAL;
    return heap_caps_aligned_alloc(16, bytes, where | MALLOC_CAP_8BIT);
}

static void restart(void)
{
    ESP.restart();
}

#else

#if CYCLES_SUPPORTED

static bool counts_cycles;

static void start_counter(void)
{
    counts_cycles = cycles_start();
}

uint32_t port_counter(void)
{
    return counts_cycles ? cycles_read() : static_cast<uint32_t>(micros());
}

uint32_t platform_timer_hz(void)
{
#if defined(__IMXRT1062__)
    const uint32_t core_hz = F_CPU_ACTUAL; /* Teensy 4 changes its clock while it runs */
#elif defined(TEENSYDUINO)
    const uint32_t core_hz = F_CPU;
#else
    const uint32_t core_hz = SystemCoreClock;
#endif
    return counts_cycles ? core_hz : 1000000u;
}

#else

static void start_counter(void)
{
}

uint32_t port_counter(void)
{
    return static_cast<uint32_t>(micros());
}

uint32_t platform_timer_hz(void)
{
    return 1000000u;
}

#endif

void port_open(void)
{
    start_counter();
    Serial.begin(UART_BAUD);
}

static void wait_for_input(void)
{
    yield();
}

uint32_t platform_stack_bytes(void)
{
    return 0;
}

uint32_t platform_stack_used(void)
{
    return 0;
}

void *port_allocate(size_t bytes)
{
    return malloc(bytes);
}

static void restart(void)
{
#if defined(TEENSYDUINO)
    SCB_AIRCR = 0x05FA0004u; /* this core has no CMSIS: key and SYSRESETREQ */
#else
    NVIC_SystemReset();
#endif
}

#endif

uint8_t wire_read(void)
{
    while (Serial.available() <= 0) {
        wait_for_input();
    }
    return static_cast<uint8_t>(Serial.read());
}

size_t port_send(const uint8_t *data, size_t bytes)
{
    const size_t count = Serial.write(data, bytes);
    /* SAMD cores return -1, as a size, while the port is not open. */
    return count <= bytes ? count : 0u;
}

void port_drain(void)
{
    Serial.flush();
}

uint32_t port_milliseconds(void)
{
    return static_cast<uint32_t>(millis());
}

void port_wait(uint32_t milliseconds)
{
    delay(milliseconds);
}

NO_RETURN void platform_reset(void)
{
    delay(100); /* a USB host has to fetch the last reply before the port goes away */
    restart();
    for (;;) {
    }
}
