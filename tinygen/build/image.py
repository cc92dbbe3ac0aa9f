"""Build a generated project, with make or with PlatformIO, and tell what it takes of the board."""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tinygen.board import Board, Framework, MemoryKind
from tinygen.build import platformio
from tinygen.build.elfcheck import check_image
from tinygen.build.sizes import bar, does_not_fit, image_sizes, too_large
from tinygen.commands import run_command
from tinygen.errors import BudgetError, BuildError, ToolError
from tinygen.firmware.files import environment_name
from tinygen.firmware.manifest import Manifest, ProjectError, project_board, read_manifest

_MAKE_S = 600.0
# PlatformIO's first build downloads a compiler and a framework.
_PIO_S = 3600.0
_LONGEST_OUTPUT = 4000
PIO_CONFIG = "platformio.ini"

_OVERFLOW = re.compile(r"region `(\S+)' overflowed by (\d+) bytes")
# PlatformIO's own check, against the sizes in its board file.
_PIO_OVERFLOW = re.compile(
    r"The (program|data) size \((\d+) bytes\) is greater than maximum allowed \((\d+) bytes\)"
)


class BuildTool(Enum):
    """What compiles a project."""

    MAKE = "make"
    PIO = "pio"


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
                bar("flash", self.flash),
                bar("RAM", self.ram),
            ]
        )


def build(
    directory: Path,
    tool: BuildTool | None = None,
    progress: Callable[[str], None] = lambda text: None,
    config: Path | None = None,
) -> BuildReport:
    """Compile and link the project in ``directory``.

    Without ``tool`` it is make where that can build the project, else PlatformIO. ``progress`` is
    told the lines that PlatformIO prints; ``config`` takes the place of ``platformio.ini``.

    Raises ProjectError for a directory that is no project, ToolError where a program is missing,
    BudgetError where a memory region overflows, BuildError with the compiler's own words or for
    instructions that the board's core does not have.
    """
    manifest = read_manifest(directory)
    board = project_board(directory, manifest)
    chosen = tool or default_tool(manifest, board)
    if chosen is BuildTool.PIO:
        _build_with_pio(directory, board, progress, config)
    else:
        _build_with_make(directory, manifest, board)
    image = image_of(directory, manifest, board, chosen)
    check_image(image, board)
    return BuildReport(image, board.name, *image_sizes(image, manifest, board))


def default_tool(manifest: Manifest, board: Board) -> BuildTool:
    """What builds a project if the user does not say: make where it can and its compiler is here.

    Where neither can, make: its error has the line that installs a compiler.
    """
    if manifest.framework not in (Framework.HOST, Framework.BARE):
        return BuildTool.PIO
    can_pio = board.platformio is not None and platformio.available()
    return BuildTool.PIO if can_pio and _missing_tool(board) else BuildTool.MAKE


def image_of(directory: Path, manifest: Manifest, board: Board, tool: BuildTool) -> Path:
    """The linked image that ``tool`` makes."""
    if tool is BuildTool.MAKE:
        return directory / manifest.image
    return directory / ".pio" / "build" / environment_name(board) / "firmware.elf"


def require_ini(directory: Path, board: Board) -> None:
    """Raise ProjectError where PlatformIO has nothing to go by."""
    if not (directory / PIO_CONFIG).is_file():
        raise ProjectError(
            f"{directory} has no {PIO_CONFIG}: PlatformIO does not know {board.name}",
            "leave --tool out, or take a board that `tinygen boards` lists with a platform",
        )


def require_tools(board: Board) -> None:
    """Check that make and the board's compiler are here. Raises ToolError with the install line."""
    from tinygen.doctor import checks, install_line
    from tinygen.tools import BASIC

    if missing := _missing_tool(board):
        hint = install_line(checks(), (BASIC, board.core.arch))
        raise ToolError(f"{missing} is not installed", hint)


def _missing_tool(board: Board) -> str:
    compiler = os.environ.get("CC", "cc") if board.hosted else f"{board.core.cross}gcc"
    return next((t for t in ("make", compiler) if shutil.which(t.split()[0]) is None), "")


def _build_with_make(directory: Path, manifest: Manifest, board: Board) -> None:
    if manifest.framework not in (Framework.HOST, Framework.BARE):
        raise ProjectError(
            f"make cannot build for framework {manifest.framework.value}",
            "leave --tool out: PlatformIO can",
        )
    require_tools(board)
    command = ["make", f"-j{os.cpu_count() or 1}", "--silent", "--no-print-directory"]
    # Only what make and the compiler need: a CFLAGS of somebody's shell is none of it.
    kept = ("PATH", "HOME", "TMPDIR", "CC") if board.hosted else ("PATH", "HOME", "TMPDIR")
    environment = {k: os.environ[k] for k in kept if k in os.environ} | {"LC_ALL": "C"}
    done = run_command(command, directory, environment, _MAKE_S)
    if done.status is None:
        raise BuildError(f"the build did not end within {_MAKE_S:.0f} s")
    if done.status != 0 and not os.access(directory, os.W_OK):
        raise ProjectError(f"{directory} cannot be written to", "build a copy of it elsewhere")
    if done.status != 0:
        raise overflow_error(board, done.output) or _refused(done.output)


def _build_with_pio(
    directory: Path, board: Board, progress: Callable[[str], None], config: Path | None
) -> None:
    require_ini(directory, board)
    name = environment_name(board)
    _tell_old_settings(directory, f"sdkconfig.{name}", progress)
    platformio.check(directory, name, progress=progress, config=config)
    log = directory / ".pio" / "tinygen-build.log"
    chosen = ("-c", str(config)) if config else ()
    done = platformio.run(directory, ("run", *chosen, "-e", name), _PIO_S, progress, log)
    if done.status != 0:
        raise overflow_error(board, done.output) or platformio.failure(done.output)


def _tell_old_settings(directory: Path, name: str, progress: Callable[[str], None]) -> None:
    """ESP-IDF reads its defaults once: later, what it made of them counts, changed or not."""
    new, old = directory / "sdkconfig.defaults", directory / name
    if new.is_file() and old.is_file() and old.stat().st_mtime < new.stat().st_mtime:
        progress(f"{old} is older than {new.name}, and is what counts: delete it to begin anew")


def _refused(output: str) -> BuildError:
    words = output.strip()
    if len(words) > _LONGEST_OUTPUT:
        words = words[:_LONGEST_OUTPUT] + "\n..."
    return BuildError(f"the compiler refused the firmware:\n{words}")


def overflow_error(board: Board, output: str) -> BudgetError | None:
    """What the linker or PlatformIO says of memory that is too small; None if it says nothing."""
    regions = {r.name: r for r in board.regions}
    lines, flash = [], False
    for name, count in dict(_OVERFLOW.findall(output)).items():
        # A vendor's linker script has regions of its own.
        if region := regions.get(name):
            lines.append(too_large(region, int(count)))
            flash |= region.kind is MemoryKind.FLASH
        else:
            lines.append(
                f"  memory '{name}' of the linker script is {int(count):,} bytes too small"
            )
            flash |= "flash" in name.lower() or "rom" in name.lower()
    if not lines:
        for what, needed, limit in _PIO_OVERFLOW.findall(output):
            memory = "flash" if what == "program" else "RAM"
            lines.append(
                f"  PlatformIO allows {int(limit):,} bytes of {memory}; {int(needed):,} are needed"
            )
            flash |= what == "program"
    return does_not_fit(board, lines, flash=flash) if lines else None
