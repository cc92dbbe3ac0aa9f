"""Build a generated project, and read from the linked image what it takes of the board."""

import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinygen.board import Board, Framework, MemoryKind, load_board
from tinygen.errors import BudgetError, BuildError, ToolError
from tinygen.project import Manifest, read_manifest

_TIMEOUT_S = 600.0
_LONGEST_OUTPUT = 4000

_OVERFLOW = re.compile(r"region `(\S+)' overflowed by (\d+) bytes")


@dataclass(frozen=True, slots=True)
class BuildReport:
    """A linked image and its sizes in bytes.

    ``flash``: total = weights + code, where code is all that is no constant of the model.
    ``ram``: total = arena + stack + other. Both have ``limit`` where the board has one; the stack
    of a hosted program is the system's, and counts as 0.
    """

    image: Path
    board: str
    flash: dict[str, int]
    ram: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        return asdict(self) | {"image": str(self.image)}

    def to_text(self) -> str:
        """The sizes as a person reads them."""
        return "\n".join(
            [
                f"built {self.image} for {self.board}",
                _bar("flash", self.flash),
                _bar("RAM", self.ram),
            ]
        )


def build(directory: Path) -> BuildReport:
    """Compile and link the project in ``directory``.

    Raises ProjectError for a directory that is no project, ToolError where make or the compiler is
    missing, BudgetError where a memory region overflows, BuildError with the compiler's own words.
    """
    manifest = read_manifest(directory)
    board = load_board(manifest.board)
    require_tools(board)
    command = ["make", f"-j{os.cpu_count() or 1}", "--silent", "--no-print-directory"]
    # Only what make and the compiler need: a CFLAGS of somebody's shell is none of it.
    kept = ("PATH", "HOME", "TMPDIR", "CC") if board.layout is None else ("PATH", "HOME", "TMPDIR")
    environment = {k: os.environ[k] for k in kept if k in os.environ} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"the build did not end within {_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        raise _failure(board, done.stdout + done.stderr)
    return measure(directory, manifest, board)


def require_tools(board: Board) -> None:
    """Check that make and the board's compiler are here. Raises ToolError with the install line."""
    from tinygen.doctor import checks, install_line

    compiler = "cc" if board.framework is Framework.HOST else f"{board.core.cross}gcc"
    for tool in ("make", os.environ.get("CC", compiler) if compiler == "cc" else compiler):
        if shutil.which(tool.split()[0]) is None:
            raise ToolError(f"{tool} is not installed", install_line(checks()))


def measure(directory: Path, manifest: Manifest, board: Board) -> BuildReport:
    """Read the sizes of a project's linked image. Raises BuildError for a damaged one."""
    image = directory / manifest.image
    try:
        with image.open("rb") as file:
            flash, ram = _sizes(ELFFile(file), manifest)
    except (OSError, ELFError) as error:
        raise BuildError(f"cannot read the sizes of {image}: {error}") from None
    if board.flash_bytes is not None and board.ram_bytes is not None:
        flash["limit"], ram["limit"] = board.flash_bytes, board.ram_bytes
    return BuildReport(image, board.name, flash, ram)


def _sizes(elf: ELFFile, manifest: Manifest) -> tuple[dict[str, int], dict[str, int]]:
    flash = ram = stack = 0
    for section in elf.iter_sections():
        flags, size = section["sh_flags"], section["sh_size"]
        if not flags & SH_FLAGS.SHF_ALLOC:
            continue
        if section["sh_type"] != "SHT_NOBITS":
            flash += size  # initialized data too: its first values lie in flash
        if flags & SH_FLAGS.SHF_WRITE:
            ram += size
        if section.name == ".stack":
            stack = size
    symbols = elf.get_section_by_name(".symtab")
    sizes = {s.name: s["st_size"] for s in symbols.iter_symbols()} if symbols else {}
    weights = sum(sizes.get(name, 0) for name in manifest.constants)
    arena = sizes.get(manifest.arena_symbol, 0)
    return (
        {"total": flash, "weights": weights, "code": flash - weights},
        {"total": ram, "arena": arena, "stack": stack, "other": ram - arena - stack},
    )


def _failure(board: Board, output: str) -> BuildError | BudgetError:
    overflows = {name: int(count) for name, count in _OVERFLOW.findall(output)}
    if not overflows:
        words = output.strip()
        if len(words) > _LONGEST_OUTPUT:
            words = words[:_LONGEST_OUTPUT] + "\n..."
        return BuildError(f"the compiler refused the firmware:\n{words}")
    regions = {r.name: r for r in board.regions}
    lines = [f"the firmware does not fit {board.name}"]
    for name, count in overflows.items():
        region = regions[name]
        lines.append(
            f"  {region.kind.value} '{name}' has {region.size:,} bytes; "
            f"{region.size + count:,} are needed, {count:,} too many"
        )
    flash = any(regions[name].kind is MemoryKind.FLASH for name in overflows)
    hint = "--optimize size makes less code; " if flash else ""
    return BudgetError("\n".join(lines), hint + "`tinygen boards` lists larger boards")


def _bar(title: str, sizes: dict[str, int], width: int = 24) -> str:
    total, limit = sizes["total"], sizes.get("limit")
    parts = ", ".join(f"{k} {v:,}" for k, v in sizes.items() if k not in ("total", "limit"))
    if limit is None:
        return f"{title:<6} {total:>11,} bytes  ({parts})"
    filled = min(width, -(-total * width // limit))
    bar = "#" * filled + "." * (width - filled)
    return f"{title:<6} {total:>11,} of {limit:,} bytes [{bar}] {total / limit:.1%}  ({parts})"
