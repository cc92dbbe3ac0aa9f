"""Which addresses of a linked image belong to the model, to each layer, and to neither."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from tinygen.errors import DeviceError
from tinygen.timing import Image, Kind

_DISPATCH, _OUTSIDE = 0, -1


@dataclass(frozen=True, slots=True)
class CodeLayout:
    """The C functions of a firmware image that counting must know.

    ``layers`` are the layer functions in order. ``outside`` are functions, or prefixes of their
    names that end in an underscore, which do not count even while an inference runs.
    """

    invoke: str
    layers: tuple[str, ...]
    outside: tuple[str, ...] = ("firmware_",)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the linked image: ``[start, end)``, the Thumb bit removed."""

    name: str
    start: int
    end: int


def function_ranges(elf: Path) -> tuple[Function, ...]:
    """The functions that the ELF's symbol table names, by address."""
    found = []
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        for symbol in table.iter_symbols() if table is not None else ():
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"] > 0:
                start = symbol["st_value"] & ~1
                found.append(Function(symbol.name, start, start + symbol["st_size"]))
    return tuple(sorted(found, key=lambda f: (f.start, f.name)))


@dataclass(frozen=True, slots=True)
class Regions:
    """Where inferences begin and end, and the region of each address range ``(start, end)``."""

    entry: int
    returns: tuple[int, ...]
    ranges: Mapping[tuple[int, int], int]

    def text(self) -> str:
        """The plugin's regions file."""
        lines = [f"range {start:x} {end:x} {r}" for (start, end), r in sorted(self.ranges.items())]
        ends = [f"return {address:x}" for address in self.returns]
        return "\n".join([f"entry {self.entry:x}", *ends, *lines]) + "\n"


def regions_of(functions: Sequence[Function], image: Image, layout: CodeLayout) -> Regions:
    """Region 0 is the dispatch, 1 + i is layer i, -1 is outside.

    GCC renames what it specializes, so a function is also found as ``name.constprop.0``, or
    ``name$constprop$0`` where the assembler takes no dots. Two layers that were folded into one
    function cannot be told apart: their code counts as dispatch.
    Raises DeviceError if the image has no invoke function, or never calls it.
    """
    entry = next((f.start for f in functions if f.name == layout.invoke), None)
    if entry is None:
        raise DeviceError(
            f"the image has no function {layout.invoke}()", "was it stripped, or built without it?"
        )
    returns = return_sites(functions, image, entry)
    if not returns:
        raise DeviceError(
            f"nothing in the image calls {layout.invoke}() directly",
            "instructions are counted from a call to the instruction after it",
        )
    region_of = {layout.invoke: _DISPATCH} | {name: 1 + i for i, name in enumerate(layout.layers)}
    found: dict[tuple[int, int], set[int]] = {}
    for function in functions:
        name = re.split(r"[.$]", function.name, maxsplit=1)[0]
        region = region_of.get(name, _OUTSIDE if _matches(name, layout.outside) else None)
        if region is not None:
            found.setdefault((function.start, function.end), set()).add(region)
    return Regions(entry, returns, {span: min(r) for span, r in found.items() if len(r) == 1})


def return_sites(functions: Sequence[Function], image: Image, entry: int) -> tuple[int, ...]:
    """The addresses that a call of the function at ``entry`` returns to.

    A function that ends with a jump to it instead of a call returns to its own caller.
    """
    sites: set[int] = set()
    seen, todo = {entry}, [entry]
    while todo:
        target = todo.pop()
        for instruction in image.instructions.values():
            if instruction.target != target:
                continue
            if instruction.kind is Kind.CALL:
                sites.add(instruction.address + instruction.size)
                continue
            caller = _function_at(functions, instruction.address)
            if caller is not None and caller.start not in seen:
                seen.add(caller.start)
                todo.append(caller.start)
    return tuple(sorted(sites))


def _function_at(functions: Sequence[Function], address: int) -> Function | None:
    return next((f for f in functions if f.start <= address < f.end), None)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(name.startswith(p) if p.endswith("_") else name == p for p in patterns)
