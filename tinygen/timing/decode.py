"""Arm's machine code: a line of objdump's disassembly as an instruction of a class."""

import re
from collections.abc import Sequence
from functools import lru_cache

from tinygen.timing.instruction import Instruction, Kind

_COMMENT = re.compile(r"\s*(?:[;@]|//|<).*$")
_REGISTER = re.compile(r"\b(?:r\d+|q\d+|sb|sl|fp|ip|sp|lr|pc)\b")
_ALIASES = {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12"}
_LIST = re.compile(r"\{([^}]*)\}")
_SHIFT = re.compile(r",\s*(?:lsl|lsr|asr|ror|rrx)\b")

# First match wins; the mnemonics are those of objdump, width suffixes removed.
_CONDITION = "(?:eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?"
_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"(le|letp)", Kind.LOOP_END),
    (r"(dls|wls|dlstp|wlstp)(\.\d+)?", Kind.LOOP_START),
    (r"(it[te]*|vps?t[te]*(\..*)?)", Kind.IT),
    (rf"(nop|hint|pld|pldw|pli){_CONDITION}", Kind.NOP),
    (
        rf"(mrs|msr|dmb|dsb|isb|svc|bkpt|cps.*|wfi|wfe|sev|yield|udf|mcr|mrc|vmrs|vmsr|"
        rf"tt.?|clrex|csdb|ssbb|pssbb|clrm|sg){_CONDITION}",
        Kind.SYSTEM,
    ),
    (r"(tbb|tbh)", Kind.TABLE_BRANCH),
    (rf"(bl){_CONDITION}", Kind.CALL),
    (rf"(bx|blx|bxns|blxns){_CONDITION}", Kind.INDIRECT),
    (rf"(b{_CONDITION}|cbz|cbnz)", Kind.BRANCH),
    (r"vctp[te]?\.\d+", Kind.ALU),
    (r"vldr[bhwd][te]?(\..*)?", Kind.VECTOR_LOAD),
    (r"vstr[bhwd][te]?(\..*)?", Kind.VECTOR_STORE),
    (r"vld[24]\d\..*", Kind.VECTOR_LOAD),
    (r"vst[24]\d\..*", Kind.VECTOR_STORE),
    (rf"vldr{_CONDITION}(\.\d+)?", Kind.FP_LOAD),
    (rf"vstr{_CONDITION}(\.\d+)?", Kind.FP_STORE),
    (rf"(vldmia|vldmdb|vldm|vpop|vscclrm){_CONDITION}", Kind.LOAD_MULTIPLE),
    (rf"(vstmia|vstmdb|vstm|vpush){_CONDITION}", Kind.STORE_MULTIPLE),
    (r"v(div|sqrt).*", Kind.FP_DIV),
    (r"v(ml|fm|nml|fnm|q?r?dml|rml|cml|mul|q?r?dmul|cmul|qdm|q?r?dm).*", Kind.VECTOR_MUL),
    (r"v.*", Kind.VECTOR_ALU),
    (rf"(push|stm|stmia|stmdb){_CONDITION}", Kind.STORE_MULTIPLE),
    (rf"(pop|ldm|ldmia|ldmdb){_CONDITION}", Kind.LOAD_MULTIPLE),
    (rf"(ldrd|lda?exd){_CONDITION}", Kind.LOAD_DOUBLE),
    (rf"(strd|stl?exd){_CONDITION}", Kind.STORE_DOUBLE),
    (rf"(ldrs?[bh]?t?|ldrex[bh]?|lda(ex)?[bh]?){_CONDITION}", Kind.LOAD),
    (rf"(str[bh]?t?|strex[bh]?|stl(ex)?[bh]?){_CONDITION}", Kind.STORE),
    (rf"(s|u)div{_CONDITION}", Kind.DIV),
    (rf"(smlal[bt][bt]|smlald?x?|smlsldx?|umlal|umaal){_CONDITION}", Kind.MLA_LONG),
    (rf"(smull|umull)s?{_CONDITION}", Kind.MUL_LONG),
    (
        rf"(mla|mls|smla[bt][bt]|smlaw[bt]|smladx?|smlsdx?|smmlar?|smmlsr?|"
        rf"usada8){_CONDITION}",
        Kind.MLA,
    ),
    (rf"(muls?|smul[bt][bt]|smulw[bt]|smuadx?|smusdx?|smmulr?|usad8){_CONDITION}", Kind.MUL),
    (
        rf"((s|u|q|sh|uh|uq)(add|sub)(8|16)|(s|u|q|sh|uh|uq)(asx|sax)|qd?(add|sub)|"
        rf"[su]sat(16)?|sel|[su]xta[bh](16)?|[su]xtb16|pkh(bt|tb)){_CONDITION}",
        Kind.DSP,
    ),
)  # fmt: skip
_KIND_PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in _KINDS)


@lru_cache(maxsize=4096)
def _kind(mnemonic: str) -> Kind:
    for pattern, kind in _KIND_PATTERNS:
        if pattern.fullmatch(mnemonic):
            return kind
    return Kind.ALU


def decode(address: int, size: int, mnemonic: str, operand_text: str) -> Instruction:
    """Classify one line of a disassembly."""
    name = mnemonic.removesuffix(".w").removesuffix(".n")
    text = _COMMENT.sub("", operand_text)
    operands = _split(text)
    kind = _refine(_kind(name), name, operands, text)
    written = _written(kind, name, operands)
    memory = next((o for o in operands if o.startswith("[")), "")
    base = _registers(memory)
    if memory and (memory.endswith("!") or operands[-1] != memory):
        written = written | frozenset(_ordered(memory)[:1])  # pre- or post-indexed: base is updated
    loads = kind in (Kind.LOAD, Kind.LOAD_DOUBLE, Kind.LOAD_BRANCH, Kind.VECTOR_LOAD)
    read = base if loads else _read_registers(kind, name, operands)
    length, target = _list_length(text, kind), _target(kind, operands)
    return Instruction(address, size, name, kind, length, read, written, base, target)


def _refine(kind: Kind, name: str, operands: Sequence[str], text: str) -> Kind:
    """The kind where operands decide it."""
    first = operands[0] if operands else ""
    vector = re.search(r"\bq\d", text) is not None
    if kind is Kind.LOAD_MULTIPLE and "pc" in text:
        return Kind.RETURN
    if kind is Kind.LOAD and first == "pc":
        return Kind.LOAD_BRANCH
    if kind is Kind.STORE and re.search(r"\[\w+, (?:r\d+|sl|fp|ip|sb|lr)", text):
        return Kind.STORE_INDEXED
    if kind in (Kind.VECTOR_LOAD, Kind.VECTOR_STORE) and re.search(r"\[.*q\d", text):
        return Kind.VECTOR_GATHER
    if kind in (Kind.VECTOR_ALU, Kind.VECTOR_MUL) and not vector:
        return Kind.FP_MLA if kind is Kind.VECTOR_MUL and "mul" not in name else Kind.FP
    if kind is Kind.ALU and first == "pc":
        return Kind.INDIRECT
    if kind is Kind.ALU and _SHIFT.search(text):
        return Kind.SHIFTED
    return kind


_NO_RESULT = frozenset({
    Kind.STORE, Kind.STORE_INDEXED, Kind.STORE_DOUBLE, Kind.STORE_MULTIPLE, Kind.VECTOR_STORE,
    Kind.FP_STORE, Kind.BRANCH, Kind.CALL, Kind.INDIRECT, Kind.TABLE_BRANCH, Kind.NOP, Kind.IT,
})  # fmt: skip
_TWO_RESULTS = frozenset({Kind.MUL_LONG, Kind.MLA_LONG, Kind.LOAD_DOUBLE})


def _read_registers(kind: Kind, name: str, operands: Sequence[str]) -> frozenset[str]:
    """All that is named, but not a first operand that is a destination and nothing else."""
    moves = name.startswith(("mov", "mvn", "vmov", "vmvn", "vdup")) and not name.startswith("movt")
    accumulates = kind is Kind.MLA_LONG or name.startswith(
        ("bfi", "vmla", "vmls", "vfm", "vrml", "vsri", "vsli")
    )
    replaced = (len(operands) >= 3 or moves) and not accumulates and kind not in _NO_RESULT
    return _registers(" ".join(operands[1 if replaced else 0 :]))


def _written(kind: Kind, name: str, operands: Sequence[str]) -> frozenset[str]:
    if kind in _NO_RESULT or name.startswith(("cmp", "cmn", "tst", "teq", "vcmp")):
        return frozenset()
    if kind in (Kind.LOAD_MULTIPLE, Kind.RETURN):
        return _registers(operands[-1]) if operands else frozenset()
    return _registers(" ".join(operands[: 2 if kind in _TWO_RESULTS else 1]))


def _ordered(text: str) -> list[str]:
    return [_ALIASES.get(r, r) for r in _REGISTER.findall(text)]


def _registers(text: str) -> frozenset[str]:
    """The registers that ``text`` names, ranges such as r4-r7 filled in."""
    found = set(_ordered(text))
    for low, high in re.findall(r"\br(\d+)-r(\d+)", text):
        found |= {f"r{n}" for n in range(int(low), int(high) + 1)}
    return frozenset(found)


def _split(text: str) -> list[str]:
    """Operands, brackets and braces kept whole."""
    return [o.strip() for o in re.findall(r"\s*((?:\[[^\]]*\]!?|\{[^}]*\}|[^,\[{])+)", text)]


def _target(kind: Kind, operands: Sequence[str]) -> int | None:
    return int(operands[-1], 16) if kind in (Kind.BRANCH, Kind.CALL) else None


def _list_length(text: str, kind: Kind) -> int:
    match = _LIST.search(text)
    if match is None or kind not in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.RETURN):
        return 0
    count = 0
    for part in match[1].split(","):
        low, dash, high = part.strip().partition("-")
        doubles = 2 if low.startswith("d") else 1
        number = int(high[1:]) - int(low[1:]) + 1 if dash else 1
        count += doubles * number
    return count
