/* Start-up, faults, stack and reset of any Cortex-M without vendor code.
 *
 * Interrupts stay off: nothing disturbs an inference, and a run repeats exactly. The stack lies at
 * the bottom of its region, so that an overflow leaves the memory instead of overwriting data.
 */
#include <string.h>

#include "board.h"
#include "mmio.h"
#include "platform.h"
#include "protocol.h"
#include "semihosting.h"
#include "timer.h"
#include "uart.h"

#define CPACR MMIO(0xE000ED88u)
#define CFSR MMIO(0xE000ED28u)
#define BFAR MMIO(0xE000ED38u)
#define AIRCR MMIO(0xE000ED0Cu)

#define CPACR_CP10_CP11 (0xFu << 20)
#define AIRCR_KEY_SYSRESETREQ 0x05FA0004u
#define STACK_PAINT 0xA5C3E187u
#define CFSR_STACK_OVERFLOW (1u << 20)
#define CRASH_STATUS 70
#define STOPPED_APPLICATION_EXIT 0x20026u
#define OPEN_READ_BINARY 1u

/* From the linker script. */
extern uint32_t stack_bottom[], stack_top[];
extern uint32_t data_start[], data_end[], data_load[];
extern uint32_t bss_start[], bss_end[], arena_start[], arena_end[];

int main(void);
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

static void fill(uint32_t *start, const uint32_t *end, uint32_t value)
{
    while (start < end) {
        *start++ = value;
    }
}

/* Without a frame of its own in memory: it paints the whole stack. */
NO_RETURN void reset_handler(void)
{
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
    __asm volatile("msr msplim, %0" : : "r"(stack_bottom));
#endif
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    CPACR |= CPACR_CP10_CP11;
    __asm volatile("dsb\n\tisb" : : : "memory");
#endif
    uint32_t *in_use;
    __asm volatile("mov %0, sp" : "=r"(in_use));
    fill(stack_bottom, in_use - 16, STACK_PAINT);
    const uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; ++to) {
        *to = *from++;
    }
    fill(bss_start, bss_end, 0u);
    fill(arena_start, arena_end, 0u);
    main();
    platform_exit(0);
}

/* Take pc and lr from what the core has stacked, unless the stack ran over; then begin a new stack
 * at its top, so that there is one to report from. */
__attribute__((naked)) void fault_handler(void)
{
    __asm volatile("mrs r1, msp\n\t"
                   "ldr r0, =stack_bottom\n\t"
                   "movs r2, #0\n\t"
                   "movs r3, #0\n\t"
                   "cmp r1, r0\n\t"
                   "blo 1f\n\t"
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

static NO_RETURN void die(const crash_report *report)
{
    for (;;) {
        protocol_send_crash(report);
#if BOARD_EMULATED
        platform_exit(CRASH_STATUS);
#endif
        /* Whoever asks later is told again. */
        while (uart_read() != 0u) {
        }
    }
}

NO_RETURN void fault_report(uint32_t exception, uint32_t unused, uint32_t pc, uint32_t lr)
{
    crash_report report = {.exception = exception, .pc = pc, .lr = lr};
    (void)unused;
#if __ARM_ARCH >= 7
    report.status = CFSR;
    report.address = BFAR;
#endif
    die(&report);
}

/* For chips that have memory, or its mirror image, below the stack: there an overflow faults late or
 * never. */
void platform_check_stack(void)
{
    if (stack_bottom[0] != STACK_PAINT) {
        const crash_report report = {.status = CFSR_STACK_OVERFLOW};
        die(&report);
    }
}

/* The timer's 32 bits, continued. */
uint64_t platform_ticks(void)
{
    static uint64_t total;
    static uint32_t last;
    const uint32_t now = timer_read();
    total += (uint32_t)(now - last);
    last = now;
    return total;
}

uint32_t platform_stack_bytes(void)
{
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)stack_bottom);
}

uint32_t platform_stack_used(void)
{
    const uint32_t *p = stack_bottom;
    while (p < stack_top && *p == STACK_PAINT) {
        ++p;
    }
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)p);
}

NO_RETURN void platform_reset(void)
{
    __asm volatile("dsb" : : : "memory");
    AIRCR = AIRCR_KEY_SYSRESETREQ;
    for (;;) {
    }
}

#if BOARD_EMULATED

NO_RETURN void platform_exit(int status)
{
    const uintptr_t arguments[2] = {STOPPED_APPLICATION_EXIT, (uintptr_t)status};
    semihosting_call(SEMIHOSTING_EXIT_EXTENDED, arguments);
    for (;;) {
    }
}

bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes)
{
    const uintptr_t name[3] = {(uintptr_t)path, OPEN_READ_BINARY, strlen(path)};
    const int32_t file = semihosting_call(SEMIHOSTING_OPEN, name);
    if (file < 0) {
        return false;
    }
    const uintptr_t place[2] = {(uintptr_t)file, offset};
    const uintptr_t span[3] = {(uintptr_t)file, (uintptr_t)data, bytes};
    /* READ returns the number of bytes that it did not read. */
    const bool done = semihosting_call(SEMIHOSTING_SEEK, place) == 0
                      && semihosting_call(SEMIHOSTING_READ, span) == 0;
    semihosting_call(SEMIHOSTING_CLOSE, place);
    return done;
}

#else

NO_RETURN void platform_exit(int status)
{
    (void)status;
    for (;;) {
    }
}

bool platform_read_file(const char *path, uint32_t offset, uint8_t *data, uint32_t bytes)
{
    (void)path;
    (void)offset;
    (void)data;
    (void)bytes;
    return false;
}

#endif
