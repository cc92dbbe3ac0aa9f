/* TIM2 or TIM5 of an STM32, which have 32 bits. Source: ST RM0090, section 18. */
#include "device/board.h"
#include "mmio.h"
#include "timer.h"

#define CR1 MMIO(TIMER_ORIGIN + 0x00u)
#define EGR MMIO(TIMER_ORIGIN + 0x14u)
#define CNT MMIO(TIMER_ORIGIN + 0x24u)
#define PSC MMIO(TIMER_ORIGIN + 0x28u)
#define ARR MMIO(TIMER_ORIGIN + 0x2Cu)

void timer_init(void)
{
    PSC = 0u;
    ARR = UINT32_MAX;
    EGR = 1u; /* take over the prescaler and the limit now */
    CR1 = 1u;
}

uint32_t timer_read(void)
{
    return CNT;
}
