/* Start-up, faults and reset of a 32-bit RISC-V core on QEMU's virt machine, in machine mode.
 *
 * Interrupts stay off, as they are after reset: nothing disturbs an inference, and a run repeats
 * exactly. Source of the registers: "The RISC-V Instruction Set Manual, Volume II: Privileged
 * Architecture", sections 3.1 and 3.7.
 */
#include "mmio.h"
#include "start.h"

/* QEMU's "test finisher", after SiFive's: a word that it knows ends or resets the machine. */
#define FINISHER MMIO(0x00100000u)
#define FINISHER_RESET 0x7777u

#define CAUSE_STORE_FAULT 7u

/* From the linker script: the memory that holds the code. */
extern uint8_t code_start[], code_end[];

NO_RETURN void reset_handler(void);
NO_RETURN void start_riscv(void);
NO_RETURN void fault_handler(void);
NO_RETURN void fault_report(uint32_t sp, uint32_t lr);

#define READ_CSR(name)                                                                             \
    __extension__({                                                                                \
        uint32_t value_;                                                                           \
        __asm volatile("csrr %0, " #name : "=r"(value_));                                          \
        value_;                                                                                    \
    })
#define WRITE_CSR(name, value) __asm volatile("csrw " #name ", %0" : : "r"(value) : "memory")

/* The first instructions of the image: the machine starts where the memory does. */
__attribute__((naked, section(".vectors"), used)) void reset_handler(void)
{
    __asm volatile("la sp, stack_top\n\t"
                   "la t0, fault_handler\n\t"
                   "csrw mtvec, t0\n\t"
                   "j start_riscv");
}

/* The emulated flash is RAM. Physical memory protection makes it read-only, so that a stray pointer
 * and a stack that runs over fault instead of changing code: entry 1 covers [entry 0's address, its
 * own), may be read and executed, and is locked: machine mode is bound by locked entries only. */
static void protect_code(void)
{
    const uint32_t locked_range_read_execute = 0x80u | 0x08u | 0x04u | 0x01u;
    WRITE_CSR(pmpaddr0, (uintptr_t)code_start >> 2);
    WRITE_CSR(pmpaddr1, (uintptr_t)code_end >> 2);
    WRITE_CSR(pmpcfg0, locked_range_read_execute << 8);
}

NO_RETURN void start_riscv(void)
{
    protect_code();
    start_firmware();
}

/* Where every trap goes; mtvec's lowest two bits are its mode. What the stack held is lost: it
 * begins anew, so that there is one to report from. */
__attribute__((naked, aligned(4), used)) void fault_handler(void)
{
    __asm volatile("mv a0, sp\n\t"
                   "mv a1, ra\n\t"
                   "la sp, stack_top\n\t"
                   "j fault_report");
}

NO_RETURN void fault_report(uint32_t sp, uint32_t lr)
{
    const uint32_t cause = READ_CSR(mcause), address = READ_CSR(mtval);
    const bool overflow = cause == CAUSE_STORE_FAULT && sp < (uintptr_t)stack_bottom;
    const crash_report report = {
        .exception = CRASH_RISCV + cause,
        .pc = READ_CSR(mepc),
        .lr = lr,
        .status = overflow ? CRASH_STACK_OVERFLOW : 0u,
        .address = address,
    };
    start_crash(&report);
}

NO_RETURN void platform_reset(void)
{
    FINISHER = FINISHER_RESET;
    for (;;) {
    }
}
