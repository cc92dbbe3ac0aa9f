/* Timer of Arm's Cortex-M System Design Kit. Source: Arm DDI 0479, section 4.2. */
#include "device/board.h"
#include "mmio.h"
#include "timer.h"

#define CTRL MMIO(TIMER_ORIGIN + 0x0u)
#define VALUE MMIO(TIMER_ORIGIN + 0x4u)
#define RELOAD MMIO(TIMER_ORIGIN + 0x8u)

void timer_init(void)
{
    RELOAD = UINT32_MAX;
    VALUE = UINT32_MAX;
    CTRL = 1u;
}

uint32_t timer_read(void)
{
    return UINT32_MAX - VALUE; /* it counts down */
}
