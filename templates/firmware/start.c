/* From reset to main(), and what a crash does: the same for every architecture.
 *
 * The stack lies at the bottom of its region, so that an overflow leaves the memory instead of
 * overwriting data.
 */
#include "start.h"

#include "device/board.h"
#include "device/uart.h"
#include "setup.h"
#include "timer.h"

#define STACK_PAINT 0xA5C3E187u

/* Words below the frame of start_firmware() that it and what it calls may use. */
enum { STACK_SPARED = 32, CRASH_STATUS = 70 };

/* From the linker script. */
extern uint32_t data_start[], data_end[], data_load[];
#if BOARD_HOT
extern uint32_t hot_start[], hot_end[], hot_load[];
#endif
extern uint32_t bss_start[], bss_end[], arena_start[], arena_end[];

int main(void);

static void fill(uint32_t *start, const uint32_t *end, uint32_t value)
{
    while (start < end) {
        *start++ = value;
    }
}

static void copy(uint32_t *start, const uint32_t *end, const uint32_t *from)
{
    while (start < end) {
        *start++ = *from++;
    }
}

NO_RETURN void start_firmware(void)
{
    board_setup(); /* first: some chips have memory that must be switched on */
    const uint32_t *in_use = __builtin_frame_address(0);
    fill(stack_bottom, in_use - STACK_SPARED, STACK_PAINT);
#if BOARD_HOT
    copy(hot_start, hot_end, hot_load); /* code; no cache is on yet */
#endif
    copy(data_start, data_end, data_load);
    fill(bss_start, bss_end, 0u);
    fill(arena_start, arena_end, 0u);
    main();
    platform_exit(0);
}

NO_RETURN void start_crash(const crash_report *report)
{
    for (;;) {
        app_report_crash(report);
#if BOARD_EMULATED
        platform_exit(CRASH_STATUS);
#endif
        /* Whoever asks later is told again. */
        while (wire_read() != 0u) {
        }
    }
}

/* For chips that have memory, or its mirror image, below the stack: there an overflow faults late
 * or never. */
void platform_check_stack(void)
{
    if (stack_bottom[0] != STACK_PAINT) {
        const crash_report report = {.status = CRASH_STACK_OVERFLOW};
        start_crash(&report);
    }
}

/* The timer's 32 bits, continued. */
uint64_t platform_ticks(void)
{
    static uint64_t total; /* its lower half is what the counter said last */
    total += (uint32_t)(timer_read() - (uint32_t)total);
    return total;
}

uint32_t platform_timer_hz(void)
{
    return TIMER_HZ;
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
