/* Start-up, faults and reset of any Cortex-M without vendor code.
 *
 * Interrupts stay off: nothing disturbs an inference, and a run repeats exactly.
 */
#include "mmio.h"
#include "start.h"

#define CPACR MMIO(0xE000ED88u)
#define CFSR MMIO(0xE000ED28u)
#define BFAR MMIO(0xE000ED38u)
#define VTOR MMIO(0xE000ED08u)
#define AIRCR MMIO(0xE000ED0Cu)
#define CPUID MMIO(0xE000ED00u)
#define CCR MMIO(0xE000ED14u)
#define CCSIDR MMIO(0xE000ED80u)
#define CSSELR MMIO(0xE000ED84u)
#define ICIALLU MMIO(0xE000EF50u)
#define DCISW MMIO(0xE000EF60u)

#define CPACR_CP10_CP11 (0xFu << 20)
#define AIRCR_KEY_SYSRESETREQ 0x05FA0004u
#define CPUID_PART 0xFFF0u
#define CPUID_PART_M7 0xC270u
#define CCR_DC (1u << 16)
#define CCR_IC (1u << 17)

NO_RETURN void reset_handler(void);
void fault_handler(void);
NO_RETURN void fault_report(uint32_t exception, uint32_t unused, uint32_t pc, uint32_t lr);

typedef void (*handler)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *initial_stack;
    handler handlers[15];
} vector_table = {
    .initial_stack = stack_top,
    .handlers = {
        reset_handler,
        fault_handler, fault_handler, fault_handler, fault_handler, /* NMI, hard, memory, bus */
        fault_handler, fault_handler, fault_handler, fault_handler, /* usage, secure */
        fault_handler, fault_handler, fault_handler, fault_handler, /* SVC, debug */
        fault_handler, fault_handler,                               /* PendSV, SysTick */
    },
};

static inline void barrier(void)
{
    __asm volatile("dsb\n\tisb" : : : "memory");
}

#if defined(__ARM_ARCH_7EM__)
/* An M7 leaves reset with its caches off and their contents unknown; without them it waits for each
 * instruction that comes from flash. Nothing but the core touches memory here, so that nobody sees
 * what is still in a cache. Source: Armv7-M Architecture Reference Manual, B2.2.7 and B3.2. */
static void start_caches(void)
{
    if ((CPUID & CPUID_PART) != CPUID_PART_M7 || (CCR & (CCR_IC | CCR_DC)) != 0u) {
        return;
    }
    ICIALLU = 0u;
    CSSELR = 0u; /* the data cache: four ways, in lines of 32 bytes */
    barrier();
    const uint32_t last_set = (CCSIDR >> 13) & 0x7FFFu;
    const uint32_t last_way = (CCSIDR >> 3) & 0x3FFu;
    for (uint32_t set = 0; set <= last_set; ++set) {
        for (uint32_t way = 0; way <= last_way; ++way) {
            DCISW = (way << 30) | (set << 5);
        }
    }
    barrier();
    CCR |= CCR_IC | CCR_DC;
    barrier();
}
#endif

NO_RETURN void reset_handler(void)
{
#if __ARM_ARCH >= 7
    /* A boot loader that jumps here has left its own table in force: faults would go to it. */
    VTOR = (uint32_t)(uintptr_t)&vector_table;
#endif
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
    __asm volatile("msr msplim, %0" : : "r"(stack_bottom));
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    CPACR |= CPACR_CP10_CP11;
    barrier();
#endif
#if defined(__ARM_ARCH_7EM__)
    start_caches();
#endif
    start_firmware();
}

/* Take pc and lr from what the core has stacked, unless the stack ran over: then nothing is there,
 * and an Armv8-M leaves the stack pointer at the limit. Begin a new stack at its top, so that there
 * is one to report from. */
__attribute__((naked)) void fault_handler(void)
{
    __asm volatile("mrs r1, msp\n\t"
                   "ldr r0, =stack_bottom\n\t"
                   "movs r2, #0\n\t"
                   "movs r3, #0\n\t"
                   "cmp r1, r0\n\t"
                   "bls 1f\n\t"
                   "ldr r2, [r1, #24]\n\t"
                   "ldr r3, [r1, #20]\n\t"
                   "1:\n\t"
                   "mrs r0, ipsr\n\t"
                   "ldr r1, =stack_top\n\t"
                   "mov sp, r1\n\t"
                   "ldr r1, =fault_report\n\t"
                   "bx r1\n\t"
                   ".ltorg");
}

NO_RETURN void fault_report(uint32_t exception, uint32_t unused, uint32_t pc, uint32_t lr)
{
    crash_report report = {.exception = exception, .pc = pc, .lr = lr};
    (void)unused;
#if __ARM_ARCH >= 7
    report.status = CFSR;
    report.address = BFAR;
#endif
    start_crash(&report);
}

NO_RETURN void platform_reset(void)
{
    __asm volatile("dsb" : : : "memory");
    AIRCR = AIRCR_KEY_SYSRESETREQ;
    for (;;) {
    }
}
