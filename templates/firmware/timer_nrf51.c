/* TIMER0 of Nordic's nRF51, the one of 32 bits, at its 16 MHz. Source: reference manual, 18. */
#include "device/board.h"
#include "mmio.h"
#include "timer.h"

#define TASKS_START MMIO(TIMER_ORIGIN + 0x000u)
#define TASKS_CAPTURE0 MMIO(TIMER_ORIGIN + 0x040u)
#define BITMODE MMIO(TIMER_ORIGIN + 0x508u)
#define PRESCALER MMIO(TIMER_ORIGIN + 0x510u)
#define CC0 MMIO(TIMER_ORIGIN + 0x540u)

#define BITMODE_32 3u

void timer_init(void)
{
    BITMODE = BITMODE_32;
    PRESCALER = 0u;
    TASKS_START = 1u;
}

uint32_t timer_read(void)
{
    TASKS_CAPTURE0 = 1u;
    return CC0;
}
