/* Calls to the simulator that runs the firmware: SIMCALL, Xtensa's semihosting. QEMU's
 * target/xtensa/xtensa-semi.c says what they mean. */
#ifndef SIMCALL_H
#define SIMCALL_H

#include <stdint.h>

enum {
    SIMCALL_EXIT = 1,
    SIMCALL_READ = 3,
    SIMCALL_WRITE = 4,
    SIMCALL_OPEN = 5,
    SIMCALL_CLOSE = 6,
    SIMCALL_SEEK = 19
};

enum { SIMCALL_STDIN = 0, SIMCALL_STDOUT = 1 };

/* What the host's call of that name returns: -1 for an error. */
static inline int32_t simcall(int32_t number, uintptr_t first, uintptr_t second, uintptr_t third)
{
    register int32_t result __asm("a2") = number;
    register uintptr_t a3 __asm("a3") = first; /* comes back as errno */
    register uintptr_t a4 __asm("a4") = second;
    register uintptr_t a5 __asm("a5") = third;
    __asm volatile("simcall" : "+r"(result), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
    return result;
}

#endif
