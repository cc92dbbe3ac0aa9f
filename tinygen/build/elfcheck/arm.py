"""What each Cortex-M can execute, by build attribute and by instruction."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, auto
from functools import lru_cache

from tinygen.board import Board
from tinygen.board.cores import Fpu
from tinygen.build.elfcheck.disassembly import Instruction


class Has(Flag):
    """Groups of instructions beyond Armv6-M's."""

    NOTHING = 0
    THUMB2 = auto()
    DSP = auto()
    V8M = auto()
    V81M = auto()
    FP = auto()
    FP5 = auto()
    DOUBLE = auto()
    HALF = auto()
    MVE = auto()


_WORDS = {
    Has.THUMB2: "Armv7-M's Thumb-2 instructions",
    Has.DSP: "the DSP extension",
    Has.V8M: "Armv8-M's instructions",
    Has.V81M: "Armv8.1-M's instructions",
    Has.FP: "a floating-point unit",
    Has.FP5: "FPv5's instructions",
    Has.DOUBLE: "double-precision arithmetic",
    Has.HALF: "half-precision arithmetic",
    Has.MVE: "the vector extension (Helium)",
}


@dataclass(frozen=True, slots=True)
class _Architecture:
    """``number`` is Tag_CPU_arch's; ``includes`` those whose code runs as well."""

    includes: frozenset[int]
    has: Has


# Numbers and names: Addenda to the ABI for the Arm Architecture, section "Build attributes". Thumb
# code for Armv4T to Armv5TEJ is a part of Armv6-M's.
_NAMES = {
    1: "Armv4", 2: "Armv4T", 3: "Armv5T", 4: "Armv5TE", 5: "Armv5TEJ", 6: "Armv6", 7: "Armv6KZ",
    8: "Armv6T2", 9: "Armv6K", 10: "Armv7", 11: "Armv6-M", 12: "Armv6S-M", 13: "Armv7E-M",
    14: "Armv8-A", 15: "Armv8-R", 16: "Armv8-M.baseline", 17: "Armv8-M.mainline",
    21: "Armv8.1-M.mainline", 22: "Armv9-A",
}  # fmt: skip
_V6M = frozenset({0, 1, 2, 3, 4, 5, 11, 12})
_V7M = _V6M | {6, 7, 8, 9, 10}
_V7EM = _V7M | {13}
_V8M = _V7EM | {16, 17}
_FIRST = _Architecture(_V6M, Has.NOTHING)
_MAIN = _Architecture(_V7EM, Has.THUMB2 | Has.DSP)
_MAIN_7 = _Architecture(_V7EM, _MAIN.has | Has.FP5)
_ARCHITECTURES = {
    "cortex-m0": _FIRST,
    "cortex-m0plus": _FIRST,
    "cortex-m3": _Architecture(_V7M, Has.THUMB2),
    "cortex-m4": _MAIN,
    "cortex-m7": _MAIN_7,
    "cortex-m33": _Architecture(_V8M, _MAIN_7.has | Has.V8M),
    "cortex-m55": _Architecture(
        _V8M | {21}, _MAIN_7.has | Has.V8M | Has.V81M | Has.MVE | Has.HALF
    ),
}  # fmt: skip

_CONDITION = "(?:eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)?"
_DSP = (
    r"pkh(bt|tb)|qd?(add|sub)|(s|q|sh|u|uq|uh)(add8|add16|sub8|sub16|asx|sax)|sel|"
    r"sml[as][bt][bt]|smla(l?d|w[bt]|l[bt][bt]|ld|d)x?|smls?l?dx?|smm(ul|la|ls)r?|smu[as]dx?|"
    r"smul([bt][bt]|w[bt])|[su]sat16|[su]xta[bh]|[su]xta?b16|umaal|usada?8"
)
_V8M_ONLY = r"lda(ex)?[bh]?|stl(ex)?[bh]?|tta?t?|sg|bxns|blxns|vlldm|vlstm"
_V81M_ONLY = r"cs(el|inc|inv|neg|et|etm)|cinc|cinv|cneg|le|wls|dls|bf(x|l|lx|csel)|v?(s?c)?clrm"
_MVE_ONLY = (
    r"letp|wlstp\..*|dlstp\..*|lctp|vctp\..*|vp[st]t?[te]*(\..*)?|vpst[te]*|vpnot|vpsel|asrl|"
    r"ls[lr]l|[su]q?r?sh[lr]l?|vmov\.[us]?(8|16)"
)
_HALF_ONLY = r"v(?!cvt[bt]).*\.f16(\..*)?|v(ldr|str)\.16|vins.*|vmovx.*"
_FP5_ONLY = r"vsel..|v(max|min)nm|vrint.|vcvt[anpm]"
# The first that matches says what an instruction needs; objdump's mnemonics, width suffix removed.
_NEEDS = tuple(
    (re.compile(pattern), need)
    for pattern, need in (
        (rf"(?:{_DSP}){_CONDITION}", Has.DSP),
        (rf"(?:{_V8M_ONLY}){_CONDITION}", Has.V8M),
        (rf"(?:{_V81M_ONLY}){_CONDITION}", Has.V81M),
        (rf"(?:{_MVE_ONLY}){_CONDITION}", Has.MVE),
        (_HALF_ONLY, Has.HALF),
        (r"v.*\.f64.*", Has.DOUBLE),
        (rf"(?:{_FP5_ONLY}){_CONDITION}(?:\..*)?", Has.FP5),
        (r"v.*|f(ld|st)m(ia|db)x", Has.FP),
        (r"it[te]{0,3}|cbn?z", Has.THUMB2),
    )
)
# The wide instructions of Armv6-M: section A5.3 of its reference manual.
_FIRST_WIDE = re.compile(rf"bl{_CONDITION}|mrs|msr|dmb|dsb|isb|udf(\.w)?")
# What makes a floating-point mnemonic one of Helium's.
_VECTOR = re.compile(r"\b(q[0-7]|p0|vpr)\b", re.IGNORECASE)

# Functions of the compiler's library that touch registers only where the core turns out to have
# them: the unwinder of exceptions, and calls from the secure state.
_GUARDED = re.compile(r"__gnu_Unwind_(Save|Restore)_.*|__gnu_cmse_nonsecure_call")


@lru_cache(maxsize=4096)
def _mnemonic_needs(mnemonic: str) -> Has:
    name = mnemonic.removesuffix(".w").removesuffix(".n")
    return next((need for pattern, need in _NEEDS if pattern.fullmatch(name)), Has.NOTHING)


class Rules:
    """What the core of ``board``, a Cortex-M, executes."""

    # A superset of what any Cortex-M executes: objdump decodes Helium only when told so.
    objdump_options: tuple[str, ...] = ("-m", "armv8.1-m.main")
    tools: tuple[str, ...] = ()
    machine = "EM_ARM"
    maps: tuple[str, ...] = (".symtab",)
    knows_instructions = True

    def __init__(self, board: Board) -> None:
        self._architecture = _ARCHITECTURES[board.core.name]
        self._has = self._architecture.has
        if board.fpu is Fpu.NONE:
            self._has &= ~(Has.FP5 | Has.HALF)
        else:
            self._has |= Has.FP
        if board.fpu is Fpu.DOUBLE:
            self._has |= Has.DOUBLE

    def lacks(self, instruction: Instruction) -> str:
        """What the core would have to have to execute ``instruction``; "" if it can."""
        if len(instruction.units) == 1 and instruction.bytes == 4:
            return "Arm state; a Cortex-M has Thumb state only"
        need = _mnemonic_needs(instruction.mnemonic)
        if need & (Has.FP | Has.FP5 | Has.HALF) and _VECTOR.search(instruction.operands):
            need = Has.MVE
        if need is Has.NOTHING and len(instruction.units) == 2:
            if instruction.mnemonic == "blx":
                return "Arm state; a Cortex-M has Thumb state only"
            if not _FIRST_WIDE.fullmatch(instruction.mnemonic):
                need = Has.THUMB2
        if need is not Has.NOTHING and _GUARDED.fullmatch(instruction.function):
            return ""
        if Has.FP not in self._has and need in (Has.FP5, Has.DOUBLE, Has.HALF):
            need = Has.FP
        return "" if need in self._has else _WORDS[need]

    def text(self, instruction: Instruction) -> str:
        """``instruction`` as a person finds it again."""
        return instruction.text

    def attributes_beyond(self, attributes: Mapping[str, int | str]) -> tuple[str, ...]:
        """What the image's build attributes claim that the core lacks, each in words."""
        number = {k: v for k, v in attributes.items() if isinstance(v, int)}
        found = []
        architecture = number.get("TAG_CPU_ARCH", 0)
        profile = chr(number.get("TAG_CPU_ARCH_PROFILE", 0))
        if architecture not in self._architecture.includes or profile in "AR":
            name = _NAMES.get(architecture, f"architecture {architecture}")
            found.append(f"{name}-{profile}" if architecture == 10 and profile > "\0" else name)
        fp = number.get("TAG_FP_ARCH", 0)
        single = number.get("TAG_ABI_HARDFP_USE", 0) == 1
        if fp and Has.FP not in self._has:
            found.append(_WORDS[Has.FP])
        elif fp and not single and Has.DOUBLE not in self._has:
            found.append(_WORDS[Has.DOUBLE])
        elif fp in (7, 8) and Has.FP5 not in self._has:
            found.append(_WORDS[Has.FP5])
        if number.get("TAG_ADVANCED_SIMD_ARCH", 0):
            found.append("Neon, which no Cortex-M has")
        if number.get("TAG_DSP_EXTENSION", 0) and Has.DSP not in self._has:
            found.append(_WORDS[Has.DSP])
        if number.get("TAG_MVE_ARCH", 0) and Has.MVE not in self._has:
            found.append(_WORDS[Has.MVE])
        if number.get("TAG_CPU_UNALIGNED_ACCESS", 0) and Has.THUMB2 not in self._has:
            found.append("loads and stores at any address")
        return tuple(found)
