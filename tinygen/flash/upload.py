"""Upload a generated project to its board, and say in one line why it did not work."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinygen.board import Board
from tinygen.build import platformio
from tinygen.build.image import (
    PIO_CONFIG,
    BuildReport,
    BuildTool,
    build,
    default_tool,
    image_of,
    require_ini,
)
from tinygen.causes import UDEV, UPLOAD, explain
from tinygen.commands import Finished, run_command
from tinygen.errors import DeviceError, ToolError
from tinygen.firmware.files import environment_name
from tinygen.firmware.manifest import Manifest, ProjectError, project_board, read_manifest
from tinygen.flash.uploaders import (
    NEED_PORT,
    SERIAL,
    Probe,
    direct_command,
    needs_binary,
    parse_probe,
    serial_flags,
)
from tinygen.run.ports import open_port
from tinygen.usb.detect import port_of
from tinygen.usb.probes import PROBES, probes

_UPLOAD_S = 300.0
_LAST_LINES = 12
_FLAGS = "PLATFORMIO_UPLOAD_FLAGS"
# PlatformIO then says SUCCESS.
_NOTHING_DONE = "Unknown upload protocol"
_ELSEWHERE = Path(".pio") / "tinygen-upload.ini"


class FlashError(DeviceError):
    """An upload that failed: the cause, and what to do."""


@dataclass(frozen=True, slots=True)
class FlashReport:
    """What was uploaded, or would be: ``command`` is the line to type in the project's directory.

    ``built`` has the sizes; None for a dry run.
    """

    board: str
    image: Path
    protocol: str
    port: str
    command: str
    uploaded: bool
    built: BuildReport | None

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        built = self.built.to_json() if self.built else None
        return asdict(self) | {"image": str(self.image), "built": built}


def flash(
    directory: Path,
    port: str = "",
    probe: str = "",
    tool: BuildTool | None = None,
    *,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> FlashReport:
    """Build the project in ``directory`` if needed, and upload it to its board.

    Without ``port``, a protocol that needs one takes the only port that can be the board's.
    ``probe`` is ``PROTOCOL``, ``PROTOCOL:SERIAL`` or a probe's ``SERIAL``. With ``tool`` MAKE the
    upload goes without PlatformIO. ``progress`` is told the sizes, the command, and the uploader's
    lines as they come. A dry run finds out the command, and neither builds nor uploads.

    Raises ProjectError, ToolError, BudgetError, BuildError, and FlashError or PortError with the
    cause of a failed upload.
    """
    manifest = read_manifest(directory)
    board = project_board(directory, manifest)
    if board.platformio is None:
        raise ProjectError(f"{board.name} is nothing to upload to", "`tinygen test` runs it")
    way = parse_probe(probe, board)
    chosen = tool or _default_tool(directory, manifest, board, progress)
    if not port and not dry_run and way.protocol in NEED_PORT:
        # PlatformIO would take any port that looks like a board's.
        port = port_of(board)
    prepare = _with_pio if chosen is BuildTool.PIO else _direct
    command, environment = prepare(directory, manifest, board, way, port)
    line = _line(command, environment)
    image = image_of(directory, manifest, board, chosen)
    built = None
    if not dry_run:
        _check_connection(board, way, port)
        config = _config(board, way)
        if chosen is BuildTool.PIO:
            platformio.check(directory, environment_name(board), ("upload",), progress, config)
        built = build(directory, chosen, progress, config)
        progress(built.to_text())
        if needs_binary(command):
            _convert(directory, board, manifest.image)
        progress(f"$ {line}")
        # The command as a person types it finds pio on PATH; ours is the one beside us.
        runs = platformio.command(*command[1:]) if chosen is BuildTool.PIO else command
        log = image.parent / "tinygen-upload.log"
        done = run_command(runs, directory, environment, _UPLOAD_S, progress, log)
        if done.status != 0 or _NOTHING_DONE in done.output:
            raise _failure(way, port, done)
    return FlashReport(board.name, image, way.protocol, port, line, not dry_run, built)


def _default_tool(
    directory: Path, manifest: Manifest, board: Board, progress: Callable[[str], None]
) -> BuildTool:
    """PlatformIO where it is ready, or where nothing else can; else the probe's own program."""
    if default_tool(manifest, board) is BuildTool.PIO or not shutil.which("openocd"):
        return BuildTool.PIO
    try:
        platformio.check(directory, environment_name(board), ("upload",))
    except ToolError as error:
        progress(f"without PlatformIO: {error.message}")
        return BuildTool.MAKE
    return BuildTool.PIO


def _with_pio(
    directory: Path, manifest: Manifest, board: Board, way: Probe, port: str
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    del manifest
    require_ini(directory, board)
    config = _config(board, way)
    if config is not None:
        _write_config(directory, config, way)
    elsewhere = ("-c", str(config)) if config else ()
    to_port = ("--upload-port", port) if port and way.protocol in SERIAL else ()
    command = (
        "pio", "run", *elsewhere, "-e", environment_name(board), "-t", "upload", *to_port,
    )  # fmt: skip
    environment = platformio.environment()
    if flags := serial_flags(way):
        environment[_FLAGS] = ", ".join(flags)
    return command, environment


def _direct(
    directory: Path, manifest: Manifest, board: Board, way: Probe, port: str
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    del directory
    command = direct_command(board, manifest.image, way, port)
    if shutil.which(command[0]) is None:
        raise ToolError(f"{command[0]} is not installed", f"install the package {command[0]}")
    return command, dict(os.environ)


def _config(board: Board, way: Probe) -> Path | None:
    """The configuration with another upload protocol than the board's; None where it is that."""
    assert board.platformio is not None
    return None if way.protocol == board.platformio.upload_protocol else _ELSEWHERE


def _write_config(directory: Path, config: Path, way: Probe) -> None:
    """PlatformIO has no option for the protocol: write a copy of the project's configuration."""
    text = (directory / PIO_CONFIG).read_text(encoding="utf-8")
    changed = re.sub(r"(?m)^upload_protocol = .*$", f"upload_protocol = {way.protocol}", text)
    (directory / config).parent.mkdir(parents=True, exist_ok=True)
    (directory / config).write_text(changed, encoding="utf-8")


def _line(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """The command as one types it; the flags that PlatformIO only takes so come first."""
    flags = environment.get(_FLAGS) if command[0] == "pio" else None
    return (f"{_FLAGS}={shlex.quote(flags)} " if flags else "") + shlex.join(command)


def _convert(directory: Path, board: Board, image: str) -> None:
    raw = str(Path(image).with_suffix(".bin"))
    command = (f"{board.core.cross}objcopy", "-O", "binary", image, raw)
    done = run_command(command, directory, dict(os.environ), 60.0)
    if done.status != 0:
        raise ToolError(f"{command[0]} failed: {done.output.strip()}")


def _check_connection(board: Board, way: Probe, port: str) -> None:
    """Find out at once what uploaders tell late, or all in the same words.

    Raises PortError, FlashError.
    """
    if "://" in port:
        # A probe on this computer would belong to another board.
        raise FlashError(
            f"{port} is reached through a network: an upload needs the board on this computer",
            "flash it there, and test it from here with --no-flash",
        )
    if port and way.protocol in SERIAL:
        # A programmer opens it next; whether the lines are raised is its business.
        open_port(port, board.serial.baud, dtr=board.serial.dtr).close()
    if way.protocol in PROBES and sys.platform.startswith("linux"):
        found = probes(way.protocol)
        if way.serial:
            found = tuple(p for p in found if p.serial.lower() == way.serial.lower())
        if found and not any(p.usable for p in found):
            raise FlashError(f"no permission to use the {way.protocol} probe", UDEV)


def _failure(way: Probe, port: str, done: Finished) -> FlashError:
    if done.status is None:
        return FlashError(
            f"the upload did not end within {_UPLOAD_S:.0f} s",
            "unplug the board, plug it in again, and flash again",
        )
    if known := explain(UPLOAD, done.output, port=port or "the port", tool="the uploader"):
        return FlashError(known.cause, known.remedy)
    last = "\n".join(done.output.strip().splitlines()[-_LAST_LINES:])
    return FlashError(f"the upload by '{way.protocol}' failed:\n{last}")
