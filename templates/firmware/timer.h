/* A free-running counter of 32 bits, at TIMER_HZ: one driver file implements it. */
#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

void timer_init(void);

/* The count, going up, wrapping at 2^32. */
uint32_t timer_read(void);

#endif
