"""What an Xtensa core can execute, from the instruction's fields.

Each core has its own selection of options. A disassembler for one core reads another's instructions
as nonsense, so the fields decide here, as in the opcode maps of the Xtensa Instruction Set
Architecture reference manual, chapter 7.
"""

from collections.abc import Mapping

from tinygen.board import Board
from tinygen.build.elfcheck.disassembly import Instruction

_WINDOWED = "the windowed registers option (its ABI is call0)"
_LOOP = "the loop option"
_BOOLEAN = "the boolean option"
_FP = "the floating-point option"
_MAC16 = "the MAC16 option"
_HIGH = "the high half of a 32-bit product"
_DIV = "the divide option"
_MINMAX = "the minimum and maximum option"
_ATOMIC = "the multiprocessor options"
_WIDE = "wide or vector instructions"
_SEXT = "the sign extension option"
_CLAMPS = "the clamps option"
_THREAD = "user registers"

# By the fields that choose: op2 where op0 is 0 (QRST) and op1 is 2 (RST2) or 3 (RST3).
_RST2 = dict.fromkeys(range(5), _BOOLEAN) | {
    0xA: _HIGH, 0xB: _HIGH, 0xC: _DIV, 0xD: _DIV, 0xE: _DIV, 0xF: _DIV,
}  # fmt: skip
_RST3 = dict.fromkeys(range(4, 8), _MINMAX) | {
    2: _SEXT, 3: _CLAMPS, 0xC: _BOOLEAN, 0xD: _BOOLEAN, 0xE: _THREAD, 0xF: _THREAD,
}  # fmt: skip
# libgcc's divisions end in an illegal instruction and the letters "DIV0", for who looks at a trap.
_LETTERS = int.from_bytes(b"DIV", "little")
_QRST = {8: _FP, 9: _WINDOWED, 10: _FP, 11: _FP}  # op1: LSCX, LSC4, FP0, FP1
_LSAI = {11: _ATOMIC, 14: _ATOMIC, 15: _ATOMIC}  # r: L32AI, S32C1I, S32RI
_B1 = {0: _BOOLEAN, 1: _BOOLEAN, 8: _LOOP, 9: _LOOP, 10: _LOOP}  # r: BF, BT, LOOP...


class Rules:
    """What the core of ``board``, an Xtensa, executes.

    Only the LX106 is looked into: the cores of the ESP32 and its successors have all of these
    options, and their compilers and libraries know no other.
    """

    objdump_options: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    machine = "EM_XTENSA"
    maps: tuple[str, ...] = (".symtab", ".xt.prop")

    def __init__(self, board: Board) -> None:
        self.knows_instructions = board.core.name == "lx106"

    def lacks(self, instruction: Instruction) -> str:
        """What the core would have to have to execute ``instruction``; "" if it can."""
        code = instruction.units[0]
        return _option(code) if self.knows_instructions and code != _LETTERS else ""

    def text(self, instruction: Instruction) -> str:
        """Its code: the disassembler gives it the name of another instruction."""
        return f"{instruction.units[0]:#08x}"

    def attributes_beyond(self, attributes: Mapping[str, int | str]) -> tuple[str, ...]:
        """Nothing: Xtensa images carry no build attributes."""
        del attributes
        return ()


def _option(code: int) -> str:
    """The option that an instruction belongs to; "" for what the LX106 has."""
    op0, t, r = code & 15, code >> 4 & 15, code >> 12 & 15
    match op0:
        case 0:
            return _register_option(code)
        case 2:
            return _LSAI.get(r, "")
        case 3:
            return _FP
        case 4:
            return _MAC16
        case 5:
            return _WINDOWED if t & 3 else ""
        case 6 if t == 3:
            return _WINDOWED  # ENTRY
        case 6 if t == 7:
            return _B1.get(r, "")
        case 13 if r == 15 and t == 1:
            return _WINDOWED  # RETW.N
        case 14 | 15:
            return _WIDE
    return ""


def _register_option(code: int) -> str:
    t, s, r = code >> 4 & 15, code >> 8 & 15, code >> 12 & 15
    op1, op2 = code >> 16 & 15, code >> 20 & 15
    match op1, op2:
        case 0, 0:
            return _control_option(t, s, r)
        case 0, 4 if r == 8:
            return _WINDOWED  # ROTW
        case 2, _:
            return _RST2.get(op2, "")
        case 3, _:
            return _RST3.get(op2, "")
    return _QRST.get(op1, "")


def _control_option(t: int, s: int, r: int) -> str:
    """Within group ST0: returns, calls by register, and what else has no operands."""
    match r:
        case 0 if t in (9, 13, 14, 15):
            return _WINDOWED  # RETW, CALLX4, CALLX8, CALLX12
        case 1:
            return _WINDOWED  # MOVSP
        case 3 if t == 0 and s in (4, 5):
            return _WINDOWED  # RFWO, RFWU
        case 8 | 9 | 10 | 11:
            return _BOOLEAN  # ANY4, ALL4, ANY8, ALL8
    return ""
