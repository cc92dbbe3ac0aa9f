"""What a processor's fault numbers mean, for the three architectures that firmware reports from."""

# The firmware adds these to its own numbers (templates/firmware/start.h); Arm's come as they are.
_RISCV, _XTENSA = 0x100, 0x200

# Armv7-M and Armv8-M Architecture Reference Manuals, B1.5.2: IPSR.
_ARM_EXCEPTIONS = {
    0: "check after the inference",
    2: "NMI",
    3: "HardFault",
    4: "MemManage fault",
    5: "BusFault",
    6: "UsageFault",
    7: "SecureFault",
}
# "The RISC-V Instruction Set Manual, Volume II: Privileged Architecture": mcause.
_RISCV_CAUSES = {
    0: "misaligned instruction",
    1: "instruction access fault",
    2: "illegal instruction",
    3: "breakpoint",
    4: "misaligned load",
    5: "load access fault",
    6: "misaligned store",
    7: "store access fault",
    11: "environment call",
}
# "Xtensa Instruction Set Architecture Reference Manual", section 4.4.1: EXCCAUSE.
_XTENSA_CAUSES = {
    0: "illegal instruction",
    1: "system call",
    2: "instruction fetch error",
    3: "load or store error",
    6: "division by zero",
    8: "privileged instruction",
    9: "misaligned load or store",
    12: "bus data error on an instruction fetch",
    13: "bus data error on a load or store",
    14: "bus address error on an instruction fetch",
    15: "bus address error on a load or store",
    20: "prohibited instruction fetch",
    28: "prohibited load",
    29: "prohibited store",
}
_EXCEPTIONS = (
    _ARM_EXCEPTIONS
    | {_RISCV + number: text for number, text in _RISCV_CAUSES.items()}
    | {_XTENSA + number: text for number, text in _XTENSA_CAUSES.items()}
)

# The same manuals of Arm's, B3.2.15: the bits of CFSR. All firmware tells a stack overflow so.
_STATUS = {
    0: "instruction access violation",
    1: "data access violation",
    8: "bus error on an instruction fetch",
    9: "bus error on a data access",
    10: "imprecise bus error",
    12: "bus error while stacking",
    16: "undefined instruction",
    17: "invalid state",
    18: "invalid return",
    19: "no coprocessor",
    20: "stack overflow",
    24: "unaligned access",
    25: "division by zero",
}


def fault_words(exception: int, status: int) -> str:
    """The fault in words."""
    bits = [text for bit, text in _STATUS.items() if status >> bit & 1]
    name = _EXCEPTIONS.get(exception, f"exception {exception:#x}")
    return name + (f" ({', '.join(bits)})" if bits else "")
