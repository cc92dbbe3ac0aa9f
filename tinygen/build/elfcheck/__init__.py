"""Find instructions in a linked image that the board's core does not have.

Emulators do not: QEMU runs SMUAD on a Cortex-M3, Renode runs UDIV on a Cortex-M0, both load words
from any address there. The chip takes a fault instead, long after the firmware was called good.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import AttributesSection

from tinygen.board import Board
from tinygen.build.elfcheck import arm, riscv, xtensa
from tinygen.build.elfcheck.disassembly import Instruction, disassemble, find_objdump
from tinygen.errors import BuildError

_SHOWN = 4


class Rules(Protocol):
    """One family of cores.

    ``tools`` are other disassemblers than the core's own that read its images, ``machine`` is its
    name in an ELF header. ``maps`` are the sections that tell code from data.
    ``knows_instructions`` is whether ``lacks`` can find anything.
    """

    objdump_options: tuple[str, ...]
    tools: tuple[str, ...]
    machine: str
    maps: tuple[str, ...]
    knows_instructions: bool

    def lacks(self, instruction: Instruction) -> str:
        """What the core would have to have to execute ``instruction``; "" if it can."""
        ...

    def text(self, instruction: Instruction) -> str:
        """``instruction`` as a person finds it again."""
        ...

    def attributes_beyond(self, attributes: Mapping[str, int | str]) -> tuple[str, ...]:
        """What the image's build attributes claim that the core lacks, each in words."""
        ...


@dataclass(frozen=True, slots=True)
class _Finding:
    instruction: Instruction
    lacks: str


def check_image(image: Path, board: Board) -> None:
    """Check every instruction of ``image``, a linked ELF file, against the core of ``board``.

    Raises BuildError that names what the core lacks and where; also for a stripped image, in which
    code and data cannot be told apart. Raises ToolError where no objdump is here. The host's own
    programs are not looked into.
    """
    rules = _rules(board)
    if rules is None:
        return
    attributes = _attributes(image, board, rules)
    findings = []
    if rules.knows_instructions:
        tool = find_objdump((board.core.objdump, *rules.tools))
        findings = [
            _Finding(instruction, lacks)
            for instruction in disassemble(image, tool, rules.objdump_options)
            if (lacks := rules.lacks(instruction))
        ]
    beyond = rules.attributes_beyond(attributes)
    if findings or beyond:
        raise BuildError(
            _message(image, board, rules, findings, beyond), _hint(image, board, findings)
        )


def _rules(board: Board) -> Rules | None:
    match board.core.arch:
        case "cortex_m":
            return arm.Rules(board)
        case "riscv":
            return riscv.Rules(board)
        case "xtensa":
            return xtensa.Rules(board)
    return None


def _attributes(image: Path, board: Board, rules: Rules) -> dict[str, int | str]:
    """The build attributes of the whole file. Raises BuildError for what cannot be checked."""
    try:
        with image.open("rb") as file:
            elf = ELFFile(file)
            if elf["e_machine"] != rules.machine:
                raise BuildError(
                    f"{image} is made for {elf['e_machine']}; the {board.core.title} of "
                    f"{board.name} is {rules.machine}"
                )
            for section in rules.maps if rules.knows_instructions else ():
                if elf.get_section_by_name(section) is None:
                    raise BuildError(
                        f"{image} has no {section}: its instructions cannot be told from data",
                        f"do not strip the image, and keep {section} in the linker script",
                    )
            return {
                attribute.tag: attribute.value
                for section in elf.iter_sections()
                if isinstance(section, AttributesSection)
                for vendor in section.iter_subsections()
                for scope in vendor.iter_subsubsections()
                for attribute in scope.iter_attributes()
                if isinstance(attribute.value, int | str)
            }
    except (OSError, ELFError) as error:
        raise BuildError(f"cannot read {image}: {error}") from None


def _message(
    image: Path, board: Board, rules: Rules, findings: list[_Finding], beyond: tuple[str, ...]
) -> str:
    core = f"the {board.core.title} of {board.name}"
    if not findings:
        return f"{image} is compiled for more than {core} has: {', '.join(beyond)}"
    lines = [f"{image} holds instructions that {core} does not have"]
    for finding in findings[:_SHOWN]:
        at = finding.instruction
        lines.append(f"  {at.function}+{at.offset:#x}: {rules.text(at)} needs {finding.lacks}")
    if len(findings) > _SHOWN:
        lines.append(f"  and {len(findings) - _SHOWN} more")
    if beyond:
        lines.append(f"  its build attributes claim {', '.join(beyond)}")
    return "\n".join(lines)


def _hint(image: Path, board: Board, findings: list[_Finding]) -> str:
    flags = " ".join(board.cflags) or "the board's own flags"
    origins = list(dict.fromkeys(_origins(image, [f.instruction.address for f in findings])))
    who = ", ".join(origins[:_SHOWN]) or "a source file or a library in the link"
    more = f" and {len(origins) - _SHOWN} more" if len(origins) > _SHOWN else ""
    return f"made for another core: {who}{more}; compile all code with {flags}"


# An input section in GNU ld's map: name, address, size, object. A long name has its own line. Debug
# information lies at address 0, where code may lie too.
_MAP_LINE = re.compile(
    r"^ \.(?!debug|comment|ARM|riscv|xt)\S+\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)$", re.MULTILINE
)
_LINKED = "Linker script and memory map"


def _origins(image: Path, addresses: list[int]) -> list[str]:
    """The objects and libraries that ``addresses`` come from, where a map file tells."""
    try:
        text = image.with_suffix(".map").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    linked = text.partition(_LINKED)[2]  # what comes before was discarded
    spans = [(int(m[1], 16), int(m[2], 16), m[3].strip()) for m in _MAP_LINE.finditer(linked)]
    return [
        name.rsplit("/", 1)[-1] if name.endswith(")") else name
        for address in addresses
        for start, size, name in spans
        if start <= address < start + size
    ]
