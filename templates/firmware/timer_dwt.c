/* The cycle counter of a Cortex-M3 and up: one count per processor cycle. */
#include "cycles.h"
#include "timer.h"

/* Where it does not count (an emulator, a chip without it), every reading is the same. */
void timer_init(void)
{
    (void)cycles_start();
}

uint32_t timer_read(void)
{
    return cycles_read();
}
