"""A linked image's code, read by way of objdump's disassembly."""

import re
import subprocess
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from tinygen.board.cores import Core
from tinygen.errors import ToolError
from tinygen.timing import decode, flow
from tinygen.timing.instruction import Image, Instruction

Decoder = Callable[[int, int, str, str], Instruction]

# How objdump is asked, and what reads its answer. It decodes Arm's vector instructions only when
# told the architecture that has them, which is a superset of what the other cores execute.
_ARCHITECTURES: dict[str, tuple[tuple[str, ...], Decoder]] = {
    "cortex_m": (("-m", "armv8.1-m.main"), decode.decode),
    "riscv": ((), flow.decode_riscv),
    "xtensa": ((), flow.decode_xtensa),
}


def read_image(elf: Path, core: Core) -> Image:
    """Disassemble ``elf``; a second call for the same unchanged file costs nothing.

    Raises ToolError where there is no disassembler, or it does not read the file.
    """
    stat = elf.stat()
    return _read(elf.resolve(), stat.st_size, stat.st_mtime_ns, core.objdump, core.arch)


@lru_cache(maxsize=8)
def _read(elf: Path, _size: int, _mtime_ns: int, objdump: str, arch: str) -> Image:
    options, _ = _ARCHITECTURES[arch]
    command = [objdump, "-d", "-w", "-z", *options, str(elf)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(f"cannot run {objdump}: {error}", "tinygen doctor") from error
    if run.returncode != 0:
        raise ToolError(f"{objdump} failed: {run.stderr.strip()}")
    return parse_disassembly(run.stdout, arch)


# The code is printed in pieces of two to eight digits, as the architecture has it.
_LINE = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f]{2,8}(?: [0-9a-f]{4})*) *\t(\S+)\s*(.*)$")


def parse_disassembly(text: str, arch: str = "cortex_m") -> Image:
    """The instructions in the output of ``objdump -d``; data between them is left out."""
    _, decoder = _ARCHITECTURES[arch]
    found = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and not match[3].startswith((".", "<")):
            address = int(match[1], 16)
            size = len(match[2].replace(" ", "")) // 2
            found[address] = decoder(address, size, match[3], match[4])
    return Image(found)
