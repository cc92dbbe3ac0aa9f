/* The serial port that the host talks to: one driver file implements it. */
#ifndef UART_H
#define UART_H

#include <stdint.h>

void uart_init(void);

/* Wait for a byte and return it. */
uint8_t uart_read(void);

/* Send a byte; returns when the port can take the next one. */
void uart_write(uint8_t byte);

/* Wait until the last byte is on the wire. */
void uart_flush(void);

#endif
