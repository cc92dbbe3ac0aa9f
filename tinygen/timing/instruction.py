"""Machine code as the timing tables and the counting see it: instructions in classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from tinygen.errors import ToolError


class Kind(Enum):
    """What timing tables tell apart."""

    ALU = auto()  # arithmetic, logic, moves, extensions, comparisons
    SHIFTED = auto()  # the same with a second operand that is shifted
    DSP = auto()  # packed and saturating arithmetic
    MUL = auto()
    MLA = auto()  # multiply and accumulate in 32 bits, dual 16-bit products included
    MUL_LONG = auto()
    MLA_LONG = auto()
    DIV = auto()
    LOAD = auto()
    LOAD_DOUBLE = auto()
    LOAD_MULTIPLE = auto()
    STORE = auto()
    STORE_INDEXED = auto()  # [Rn, Rm]: needs a third register port
    STORE_DOUBLE = auto()
    STORE_MULTIPLE = auto()
    BRANCH = auto()  # B, B<cond>, CBZ
    CALL = auto()  # BL
    INDIRECT = auto()  # BX, BLX, MOV pc
    RETURN = auto()  # POP or LDM with pc
    LOAD_BRANCH = auto()  # LDR pc
    TABLE_BRANCH = auto()
    LOOP_START = auto()  # DLS, WLS
    LOOP_END = auto()  # LE, LETP
    IT = auto()  # IT, VPT, VPST
    NOP = auto()
    SYSTEM = auto()
    FP = auto()  # scalar floating point
    FP_MLA = auto()
    FP_DIV = auto()
    FP_LOAD = auto()
    FP_STORE = auto()
    VECTOR_LOAD = auto()
    VECTOR_GATHER = auto()  # one access for each lane
    VECTOR_STORE = auto()
    VECTOR_ALU = auto()
    VECTOR_MUL = auto()


LEAVES = frozenset({
    Kind.BRANCH, Kind.CALL, Kind.INDIRECT, Kind.RETURN, Kind.LOAD_BRANCH, Kind.TABLE_BRANCH,
    Kind.LOOP_START, Kind.LOOP_END,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction and the registers that matter for stalls.

    ``registers`` is the length of a multiple transfer's list, else 0; ``address_registers`` form a
    memory address. Reads and writes cover general registers and Q registers. ``target`` is where a
    direct branch or call goes.
    """

    address: int
    size: int
    mnemonic: str
    kind: Kind
    registers: int = 0
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    address_registers: frozenset[str] = frozenset()
    target: int | None = None


@dataclass(frozen=True)
class Image:
    """All the code of a linked image, by address."""

    instructions: Mapping[int, Instruction]

    def block(self, address: int, size: int) -> tuple[Instruction, ...]:
        """The instructions of ``size`` bytes from ``address`` on.

        Raises ToolError where the disassembly has no instruction, as in code made at run time.
        """
        found = []
        at = address
        while at < address + size:
            instruction = self.instructions.get(at)
            if instruction is None:
                raise ToolError(f"the image holds no instruction at {at:#x}, which was executed")
            found.append(instruction)
            at += instruction.size
        return tuple(found)
