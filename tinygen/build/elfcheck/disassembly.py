"""The instructions of a linked image, one after the other, as objdump prints them."""

import re
import shutil
import subprocess
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path

from tinygen.errors import BuildError, ToolError

_FUNCTION = re.compile(r"[0-9a-f]+ <(.+)>:$")
_COMMENT = re.compile(r"\s*(?:[;@]|# |//|<).*$")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction where it lies.

    ``units`` are the numbers that make up its code as objdump groups them: a wide Thumb instruction
    is two, everything else one. ``bytes`` is their size together. ``offset`` is from the start of
    ``function``, the last symbol before it.
    """

    address: int
    function: str
    offset: int
    units: tuple[int, ...]
    bytes: int
    mnemonic: str
    operands: str

    @property
    def text(self) -> str:
        """The instruction as in assembly, without the disassembler's remarks."""
        return f"{self.mnemonic} {self.operands}".strip()


def disassemble(image: Path, tool: str, options: Sequence[str]) -> Iterator[Instruction]:
    """Every instruction in ``image``; data between them is left out.

    Data is what the compiler's mapping symbols, the types of symbols or Xtensa's property tables
    call data; objdump prints it as directives. Raises BuildError where ``tool`` does not read the
    image, ToolError where it cannot be run.
    """
    command = [tool, "-d", "-w", "-C", *options, str(image)]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # its complaints are no instructions, and must not block it
            text=True,
            errors="replace",
            env={k: environ[k] for k in ("PATH", "HOME") if k in environ} | {"LC_ALL": "C"},
        )
    except OSError as error:
        raise ToolError(f"cannot run {tool}: {error}", "tinygen doctor") from None
    assert process.stdout is not None
    with process:
        last = yield from _parse(process.stdout)
    if process.returncode != 0:
        raise BuildError(f"{tool} cannot disassemble {image}: {last}")


def _parse(lines: Iterable[str]) -> Generator[Instruction, None, str]:
    """Yields the instructions; returns the last line."""
    function, start, line = "", 0, ""
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        if len(fields) < 3:
            if found := _FUNCTION.match(line):
                function, start = found[1], int(line.split(" ", 1)[0], 16)
            continue
        mnemonic = fields[2].rstrip()
        if not mnemonic or mnemonic[0] in ".<@;":
            continue
        address = int(fields[0].strip().rstrip(":"), 16)
        groups = fields[1].split()
        yield Instruction(
            address,
            function,
            address - start,
            tuple(int(group, 16) for group in groups),
            sum(len(group) for group in groups) // 2,
            mnemonic,
            _COMMENT.sub("", fields[3]) if len(fields) > 3 else "",
        )
    return line.strip()


def find_objdump(names: Sequence[str]) -> str:
    """The first of ``names`` that is here: on PATH, else in PlatformIO's packages.

    Raises ToolError where there is none.
    """
    for name in names:
        if found := shutil.which(name):
            return found
    core = Path(environ.get("PLATFORMIO_CORE_DIR", Path.home() / ".platformio"))
    packages = Path(environ.get("PLATFORMIO_PACKAGES_DIR", core / "packages"))
    for name in names:
        for file in sorted(packages.glob(f"toolchain-*/bin/{name}")):
            return str(file)
    raise ToolError(
        f"{names[0]} is not installed; the image's instructions cannot be checked", "tinygen doctor"
    )
