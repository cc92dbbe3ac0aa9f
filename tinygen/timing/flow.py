"""RISC-V's and Xtensa's machine code, as far as counting needs it: calls, jumps and branches.

There are no timing tables for these cores, so all other instructions are of one class.
"""

import re

from tinygen.timing.instruction import Instruction, Kind

_TARGET = re.compile(r"(?:^|[,\s])(?:0x)?([0-9a-f]+) <")

# What objdump prints for them, short encodings included. A call over more than 1 MiB is AUIPC and
# JALR; where that leads is in objdump's comment.
_RISCV = {
    "jal": Kind.CALL, "jalr": Kind.CALL, "j": Kind.BRANCH, "jr": Kind.INDIRECT,
    "ret": Kind.RETURN, "mret": Kind.RETURN,
}  # fmt: skip
_XTENSA = {
    "call0": Kind.CALL, "callx0": Kind.INDIRECT, "j": Kind.BRANCH, "jx": Kind.INDIRECT,
    "ret": Kind.RETURN, "ret.n": Kind.RETURN,
}  # fmt: skip


def decode_riscv(address: int, size: int, mnemonic: str, operands: str) -> Instruction:
    """Classify one line of a RISC-V disassembly."""
    return _decode(_RISCV, address, size, mnemonic, operands)


def decode_xtensa(address: int, size: int, mnemonic: str, operands: str) -> Instruction:
    """Classify one line of an Xtensa disassembly."""
    return _decode(_XTENSA, address, size, mnemonic, operands)


def _decode(
    kinds: dict[str, Kind], address: int, size: int, mnemonic: str, operands: str
) -> Instruction:
    found = _TARGET.search(operands)
    target = int(found[1], 16) if found else None
    kind = kinds.get(mnemonic, Kind.ALU)
    if target is None:
        return Instruction(address, size, mnemonic, kind)
    if kind is Kind.INDIRECT or (kind is Kind.ALU and mnemonic.startswith("b")):
        kind = Kind.BRANCH
    # A data access may name an address too.
    return Instruction(address, size, mnemonic, kind, target=None if kind is Kind.ALU else target)
