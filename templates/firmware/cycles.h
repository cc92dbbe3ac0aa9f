/* The cycle counter of Arm's Cortex-M cores: DWT_CYCCNT, 32 bits, one count per processor cycle.
 *
 * Cortex-M0 and M0+ have none, and an M3 or later may have been built without. A counter that does
 * not run (an emulator, a locked debug unit) would time everything at zero cycles, so it is tried
 * before it is believed. Sources: Armv7-M Architecture Reference Manual, C1.6 and C1.8; Armv8-M,
 * D1.2 (DWT_CTRL, DWT_LAR).
 */
#ifndef CYCLES_H
#define CYCLES_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__)         \
    || defined(__ARM_ARCH_8_1M_MAIN__)
#define CYCLES_SUPPORTED 1
#else
#define CYCLES_SUPPORTED 0
#endif

#if CYCLES_SUPPORTED

#ifndef CYCLES_REGISTER
#define CYCLES_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#endif

#define CYCLES_DWT_CTRL 0xE0001000u
#define CYCLES_DWT_CYCCNT 0xE0001004u
#define CYCLES_DWT_LAR 0xE0001FB0u
#define CYCLES_CPUID 0xE000ED00u
#define CYCLES_DEMCR 0xE000EDFCu

#define CYCLES_CYCCNTENA (1u << 0)
#define CYCLES_NOCYCCNT (1u << 25)
#define CYCLES_TRCENA (1u << 24)
#define CYCLES_UNLOCK 0xC5ACCE55u
#define CYCLES_PART_MASK 0xFFF0u
#define CYCLES_PART_M7 0xC270u

static inline uint32_t cycles_read(void)
{
    return CYCLES_REGISTER(CYCLES_DWT_CYCCNT);
}

/* Start the counter. False if there is none, or it does not count. */
static inline bool cycles_start(void)
{
    CYCLES_REGISTER(CYCLES_DEMCR) |= CYCLES_TRCENA;
    if ((CYCLES_REGISTER(CYCLES_CPUID) & CYCLES_PART_MASK) == CYCLES_PART_M7) {
        CYCLES_REGISTER(CYCLES_DWT_LAR) = CYCLES_UNLOCK; /* only the M7 locks its DWT */
    }
    if ((CYCLES_REGISTER(CYCLES_DWT_CTRL) & CYCLES_NOCYCCNT) != 0u) {
        return false;
    }
    CYCLES_REGISTER(CYCLES_DWT_CTRL) |= CYCLES_CYCCNTENA;
    const uint32_t before = cycles_read();
    for (int i = 0; i < 16; ++i) {
        if (cycles_read() != before) {
            return true;
        }
    }
    return false;
}

#endif

#endif
