/* The RISC-V core's counter of executed instructions, its lower 32 bits. QEMU counts instructions
 * there when its clock is tied to them (-icount), and something of the host's otherwise. */
#include "timer.h"

void timer_init(void)
{
}

uint32_t timer_read(void)
{
    uint32_t count;
    __asm volatile("csrr %0, minstret" : "=r"(count));
    return count;
}
