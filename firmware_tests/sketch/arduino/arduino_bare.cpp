/* The Arduino API on tinygen's own start-up code and drivers, for a sketch in QEMU: an MPS2 board,
 * whose UART has the state register that available() needs. */
#include <Arduino.h>

extern "C" {
#include "rename_bare.h"

#include "device/board.h"
#include "device/platform.h"
#include "device/uart.h"
#include "mmio.h"
#include "setup.h"
#include "timer.h"

int main(void);
}

static const uint32_t UART_STATE = 0x4u, UART_RX_FULL = 2u;

SerialPort Serial;
uint32_t SystemCoreClock = BOARD_CLOCK_HZ;

unsigned long micros(void)
{
    return static_cast<unsigned long>(bare_platform_ticks() * 1000000u / TIMER_HZ);
}

unsigned long millis(void)
{
    return micros() / 1000u;
}

void delay(unsigned long milliseconds)
{
    const unsigned long start = millis();
    while (millis() - start < milliseconds) {
        yield();
    }
}

void yield(void)
{
}

void SerialPort::begin(unsigned long baud)
{
    (void)baud; /* the bare driver's own */
    bare_wire_init();
}

int SerialPort::available()
{
    return (MMIO(UART_ORIGIN + UART_STATE) & UART_RX_FULL) != 0u ? 1 : 0;
}

int SerialPort::read()
{
    return available() > 0 ? bare_wire_read() : -1;
}

size_t SerialPort::write(uint8_t byte)
{
    bare_wire_write(byte);
    return 1;
}

size_t SerialPort::write(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        write(data[i]);
    }
    return bytes;
}

void SerialPort::flush()
{
    bare_wire_flush();
}

void NVIC_SystemReset(void)
{
    bare_platform_reset();
}

int main(void)
{
    board_setup();
    timer_init();
    setup();
    for (;;) {
        loop();
    }
}
