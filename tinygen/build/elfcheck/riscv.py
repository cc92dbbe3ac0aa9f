"""What a RISC-V core can execute, from the architecture string that it is compiled for."""

import re
from collections.abc import Mapping

from tinygen.board import Board
from tinygen.build.elfcheck.disassembly import Instruction
from tinygen.errors import BuildError

# Extensions that say nothing new: parts of others, and what every microcontroller's core has.
_IMPLIED = {
    "g": ("i", "m", "a", "f", "d"),
    "m": ("zmmul",),
    "a": ("zaamo", "zalrsc"),
    "c": ("zca",),
    "f": ("zcf",),
    "d": ("f", "zcf", "zcd"),
    "zba": ("zb",),
    "zbb": ("zb",),
    "zbs": ("zb",),
}
_EVERYWHERE = frozenset({"i", "e", "zicsr", "zifencei", "zicntr"})

# Major opcodes, bits 6 to 2 of a 32-bit instruction, that belong to one extension: table "RISC-V
# base opcode map" of the unprivileged specification.
_MAJOR = {
    0b00001: "f", 0b01001: "f", 0b10000: "f", 0b10001: "f", 0b10010: "f", 0b10011: "f",
    0b10100: "f", 0b01011: "a", 0b10101: "v",
}  # fmt: skip
_OP, _OP_IMM, _LOAD_FP, _STORE_FP = 0b01100, 0b00100, 0b00001, 0b01001
_FORMATS = {0: "f", 1: "d", 2: "zfh", 3: "q"}  # bits 26 and 25 of an arithmetic instruction
_WIDTHS = {1: "zfh", 2: "f", 3: "d", 4: "q"}  # bits 14 to 12 of a load or store; others are vectors
_WORDS = {
    "a": "the A extension (atomics)",
    "c": "the C extension (compressed instructions)",
    "d": "the D extension (double-precision arithmetic)",
    "f": "the F extension (floating-point arithmetic)",
    "m": "the M extension (multiply and divide)",
    "v": "the V extension (vectors)",
    "zb": "the Zb extensions (bit manipulation)",
}
_NAME = re.compile(r"-march=(rv32\w+)")


def extensions(architecture: str) -> frozenset[str]:
    """The extensions in a string such as ``rv32imc`` or ``rv32i2p0_m2p0_zicsr2p0``."""
    base, *others = re.sub(r"\d+p\d+", "", architecture.lower()[4:]).split("_")
    named = set(base) | {x for x in others if x}
    return frozenset(named | {part for x in named for part in _IMPLIED.get(x, ())})


class Rules:
    """What the core of ``board``, a 32-bit RISC-V one, executes."""

    objdump_options: tuple[str, ...] = ()
    tools: tuple[str, ...] = ("riscv32-esp-elf-objdump", "riscv32-unknown-elf-objdump")
    machine = "EM_RISCV"
    maps: tuple[str, ...] = (".symtab",)
    knows_instructions = True

    def __init__(self, board: Board) -> None:
        found = _NAME.search(" ".join(board.cflags))
        if found is None:
            raise BuildError(f"core {board.core.name} has no -march=rv32... among its flags")
        self._has = extensions(found[1]) | _EVERYWHERE

    def lacks(self, instruction: Instruction) -> str:
        """What the core would have to have to execute ``instruction``; "" if it can."""
        need = _needs(instruction.units[0], instruction.bytes)
        return "" if need == "" or need in self._has else _words(need)

    def text(self, instruction: Instruction) -> str:
        """``instruction`` as a person finds it again."""
        return instruction.text

    def attributes_beyond(self, attributes: Mapping[str, int | str]) -> tuple[str, ...]:
        """What the image's build attributes claim that the core lacks, each in words."""
        beyond = extensions(str(attributes.get("TAG_ARCH", "rv32i"))) - self._has
        parts = {part for name in beyond for part in _IMPLIED.get(name, ())}
        return tuple(_words(name) for name in sorted(beyond - parts))


def _words(name: str) -> str:
    return _WORDS.get(name) or f"the {name.capitalize()} extension"


def _needs(code: int, size: int) -> str:
    """The extension that an instruction belongs to; "" for the base."""
    if size == 2:
        return _needs_compressed(code)
    major, funct3, funct7 = code >> 2 & 31, code >> 12 & 7, code >> 25
    if major in (_LOAD_FP, _STORE_FP):
        return _WIDTHS.get(funct3, "v")
    if _MAJOR.get(major) == "f":
        return _FORMATS[funct7 & 3]
    if major == _OP and funct7 == 1:
        return "m"
    if major == _OP and not (funct7 == 0 or (funct7 == 0x20 and funct3 in (0, 5))):
        return "zb"
    if major == _OP_IMM and funct3 in (1, 5) and funct7 not in ((0,) if funct3 == 1 else (0, 0x20)):
        return "zb"
    return _MAJOR.get(major, "")


def _needs_compressed(code: int) -> str:
    # Quadrants 0 and 2 hold the compressed floating-point loads and stores, alike in both.
    quadrant, funct3 = code & 3, code >> 13
    if quadrant in (0, 2) and funct3 in (1, 5):
        return "d"
    if quadrant in (0, 2) and funct3 in (3, 7):
        return "f"
    if quadrant == 0 and funct3 == 4:
        return "zcb"
    return "c"
