/* What every framework's port shares (port.c), and the little that each has of its own
 * (port_<framework>): the rest of uart.h and platform.h is made of these. */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Open the serial port, start the clock, and find the memory of an arena that is too large for a
 * variable. Where there is not enough of it, the port says so once a second, and never returns. */
void port_start(void);

/* Each port's own. */

/* Open the serial port and start the counter. */
void port_open(void);

/* Send bytes; returns how many were taken, 0 if nobody takes any at the moment. */
size_t port_send(const uint8_t *data, size_t bytes);

/* Wait until what was sent is on the wire, if the framework can tell. */
void port_drain(void);

/* Milliseconds since some moment, wrapping at 2^32, and a wait that lets others work. */
uint32_t port_milliseconds(void);
void port_wait(uint32_t milliseconds);

/* The counter behind platform_ticks(): 32 bits that wrap. */
uint32_t port_counter(void);

/* Memory for the arena, aligned for any type; NULL if there is no room. */
void *port_allocate(size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
