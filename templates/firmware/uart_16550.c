/* A 16550 UART, polled, its registers one byte apart. Source: the PC16550D's data sheet, section 8.
 * An emulated one keeps any baud rate; UART_CLOCK_HZ is what a real one divides. */
#include "device/board.h"
#include "device/uart.h"

#define REGISTER(number) (*(volatile uint8_t *)(UART_ORIGIN + (number)))
#define DATA REGISTER(0u)
#define INTERRUPTS REGISTER(1u)
#define FIFO_CONTROL REGISTER(2u)
#define LINE_CONTROL REGISTER(3u)
#define LINE_STATUS REGISTER(5u)
#define DIVISOR_LOW REGISTER(0u) /* while LINE_CONTROL_DIVISOR is set */
#define DIVISOR_HIGH REGISTER(1u)

#define FIFO_ENABLE_AND_CLEAR 0x07u
#define LINE_CONTROL_8_BITS 0x03u
#define LINE_CONTROL_DIVISOR 0x80u
#define LINE_STATUS_RECEIVED 0x01u
#define LINE_STATUS_ROOM 0x20u
#define LINE_STATUS_SENT 0x40u

void wire_init(void)
{
    const uint32_t divisor = UART_CLOCK_HZ / (16u * UART_BAUD);
    INTERRUPTS = 0;
    LINE_CONTROL = LINE_CONTROL_DIVISOR;
    DIVISOR_LOW = (uint8_t)divisor;
    DIVISOR_HIGH = (uint8_t)(divisor >> 8);
    LINE_CONTROL = LINE_CONTROL_8_BITS;
    FIFO_CONTROL = FIFO_ENABLE_AND_CLEAR;
    /* QEMU stops polling a serial port that has a byte to read, and looks again only when one has
     * been read, not when the FIFO is cleared. */
    (void)DATA;
}

uint8_t wire_read(void)
{
    while ((LINE_STATUS & LINE_STATUS_RECEIVED) == 0u) {
    }
    return DATA;
}

void wire_write(uint8_t byte)
{
    while ((LINE_STATUS & LINE_STATUS_ROOM) == 0u) {
    }
    DATA = byte;
}

void wire_flush(void)
{
    while ((LINE_STATUS & LINE_STATUS_SENT) == 0u) {
    }
}
