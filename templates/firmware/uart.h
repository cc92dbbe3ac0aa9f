/* The serial port that the host talks to: one driver file implements it, or a framework's port.
 *
 * These names are nobody else's: uart_init() is already a function of Arduino's cores for STM32 and
 * RP2040, uart_flush() of ESP-IDF, and serial_init() of mbed.
 */
#ifndef UART_H
#define UART_H

#include <stdint.h>

void wire_init(void);

/* Wait for a byte and return it. */
uint8_t wire_read(void);

/* Send a byte; returns when the port can take the next one. */
void wire_write(uint8_t byte);

/* Wait until the last byte is on the wire. */
void wire_flush(void);

#endif
