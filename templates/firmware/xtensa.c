/* Start-up, faults and reset of an Xtensa LX106 on QEMU's sim machine.
 *
 * Interrupts stay off: nothing disturbs an inference, and a run repeats exactly. The core has no
 * register windows (call0 ABI): a0 is the return address, a1 the stack pointer, a2 to a7 arguments.
 * Source: "Xtensa Instruction Set Architecture Reference Manual", section 4.4; where this core's
 * vectors lie: QEMU's target/xtensa/core-lx106.
 */
#include "start.h"

NO_RETURN void reset_handler(void);
NO_RETURN void fault_report(uint32_t cause, uint32_t pc, uint32_t lr, uint32_t address,
                            uint32_t sp);

/* The core resets to the begin of this section. Exceptions go to fixed distances from VECBASE, and
 * all of them to one place: debug, NMI, kernel, user and double. PS leaves the exception mode of
 * reset, in which every fault would be a double one, and takes all as user exceptions (bit 5). The
 * addresses are words in front of the code, since L32R reads backwards only. */
__asm(".section .vectors, \"ax\"\n"
      "    .global reset_handler\n"
      "    .type reset_handler, @function\n"
      "reset_handler:\n"
      "    j     start\n"
      "    .balign 4\n"
      "vectors_at: .word vector_base\n"
      "stack_at:   .word stack_top\n"
      "go_on_at:   .word start_firmware\n"
      "report_at:  .word fault_report\n"
      "start:\n"
      "    l32r  a2, vectors_at\n"
      "    wsr.vecbase a2\n"
      "    movi  a2, 0x20\n"
      "    wsr.ps a2\n"
      "    rsync\n"
      "    l32r  a1, stack_at\n"
      "    movi  a0, 0\n"
      "    l32r  a2, go_on_at\n"
      "    jx    a2\n"
      "    .size reset_handler, . - reset_handler\n"
      "    .type fault_entry, @function\n"
      "fault_entry:\n"
      "    rsr.exccause a2\n"
      "    rsr.epc1 a3\n"
      "    mov   a4, a0\n"
      "    rsr.excvaddr a5\n"
      "    mov   a6, a1\n"
      "    l32r  a1, stack_at\n"
      "    l32r  a0, report_at\n"
      "    jx    a0\n"
      "    .size fault_entry, . - fault_entry\n"
      "    .balign 1024\n"
      "vector_base:\n"
      "    .org vector_base + 0x10\n"
      "    j     fault_entry\n"
      "    .org vector_base + 0x20\n"
      "    j     fault_entry\n"
      "    .org vector_base + 0x30\n"
      "    j     fault_entry\n"
      "    .org vector_base + 0x50\n"
      "    j     fault_entry\n"
      "    .org vector_base + 0x70\n"
      "    j     fault_entry\n"
      "    .text\n");

NO_RETURN void fault_report(uint32_t cause, uint32_t pc, uint32_t lr, uint32_t address,
                            uint32_t sp)
{
    const crash_report report = {
        .exception = CRASH_XTENSA + cause,
        .pc = pc,
        .lr = lr,
        .status = sp < (uintptr_t)stack_bottom ? CRASH_STACK_OVERFLOW : 0u,
        .address = address,
    };
    start_crash(&report);
}

/* The core has no register for it. Start-up makes all memory anew, and no device keeps a state. */
NO_RETURN void platform_reset(void)
{
    reset_handler();
}
