/* The Xtensa core's counter of clock cycles. */
#include "timer.h"

void timer_init(void)
{
}

uint32_t timer_read(void)
{
    uint32_t count;
    __asm volatile("rsr.ccount %0" : "=r"(count));
    return count;
}
