/* Calls to an emulator or a debugger: Arm's semihosting, for M-profile cores. Without anyone who
 * listens, the breakpoint is a fault, so only firmware for emulators makes these calls.
 * Source: "Semihosting for AArch32 and AArch64", Arm, section 5. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

enum {
    SEMIHOSTING_OPEN = 0x01,
    SEMIHOSTING_CLOSE = 0x02,
    SEMIHOSTING_READ = 0x06,
    SEMIHOSTING_SEEK = 0x0A,
    SEMIHOSTING_EXIT_EXTENDED = 0x20
};

static inline int32_t semihosting_call(uint32_t number, const uintptr_t *arguments)
{
    register uint32_t operation __asm("r0") = number;
    register const uintptr_t *block __asm("r1") = arguments;
    __asm volatile("bkpt 0xAB" : "+r"(operation) : "r"(block) : "memory");
    return (int32_t)operation;
}

#endif
