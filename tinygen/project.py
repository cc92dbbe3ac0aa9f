"""A complete firmware project on disk: the model's C, the board's firmware, and how to build both.

Everything is rendered in memory first. A new project appears as one rename; an existing one is
updated file by file, its manifest last, and what a user added to it stays.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tinygen import __version__
from tinygen.board import Board, Framework
from tinygen.emit import (
    ArenaKind,
    Program,
    constant_symbols,
    emit,
    layer_function,
    render,
)
from tinygen.errors import TinygenError, UnsupportedError
from tinygen.fit import check_fits
from tinygen.instances import Optimize
from tinygen.ir import DType, Tensor
from tinygen.ops import definition_of
from tinygen.resources import data_dir

MANIFEST = "tinygen.json"
MANIFEST_VERSION = 1

# The firmware's order of element types; see templates/firmware/protocol.h.
DTYPE_CODES = tuple(DType)

_PORTABLE = (
    "crc32.c", "crc32.h", "firmware_model.h", "frame.c", "frame.h", "layers.c", "layers.h",
    "platform.h", "protocol.c", "protocol.h", "uart.h",
)  # fmt: skip
_HOST = ("host.c",)
_CORTEX_M = ("cortex_m.c", "main.c", "mmio.h", "semihosting.h", "timer.h")

# The host has no memory worth saving and loses nothing while it is busy.
_HOST_PAYLOAD_BYTES = 16384
_HOST_WINDOW = 8
_HOST_TIMER_HZ = 1_000_000_000


class ProjectError(TinygenError):
    """A directory that is no project, or that tinygen must not write to."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``tinygen.json`` tells of a generated project.

    ``image`` is relative to the project. ``arena_symbol`` and ``constants`` are names in the linked
    image; ``layers`` and ``tensors`` are as in the file.
    """

    name: str
    board: str
    model_sha256: str
    image: str
    arena_symbol: str
    constants: tuple[str, ...]
    layers: tuple[dict[str, Any], ...]
    files: tuple[str, ...]


def write_project(program: Program, board: Board, directory: Path) -> None:
    """Write the firmware project of ``program`` for ``board`` into ``directory``.

    Raises ProjectError for a directory that holds something else, UnsupportedError for a model name
    that the firmware needs itself, BudgetError for a model that the board cannot hold.
    """
    check_fits(program, board)
    files = project_files(program, board)
    try:
        previous: tuple[str, ...] = ()
        if directory.exists():
            if not directory.is_dir():
                raise ProjectError(f"{directory} is not a directory")
            if any(directory.iterdir()):
                previous = read_manifest(directory).files
        _write(files, directory, previous)
    except OSError as error:
        name = error.filename or directory
        raise ProjectError(f"cannot write {name}: {error.strerror}") from None


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of the project in ``directory``. Raises ProjectError if there is none."""
    hint = "give a new or empty directory, or one that `tinygen generate` has written"
    file = directory / MANIFEST
    if not file.is_file():
        raise ProjectError(f"{directory} is not a tinygen project: it has no {MANIFEST}", hint)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if values["manifest_version"] != MANIFEST_VERSION:
            raise ProjectError(f"{file} was written by another tinygen; generate the project again")
        manifest = Manifest(
            name=values["name"],
            board=values["board"],
            model_sha256=values["model_sha256"],
            image=values["image"],
            arena_symbol=values["arena_symbol"],
            constants=tuple(values["constants"]),
            layers=tuple(values["layers"]),
            files=tuple(values["files"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProjectError(f"{file} is damaged: {error!r}", hint) from None
    for name in (manifest.image, *manifest.files):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ProjectError(f"{file} is damaged: '{name}' is outside of the project", hint)
    return manifest


def project_files(program: Program, board: Board) -> dict[str, str]:
    """Every file of the project by its path: the same input always gives the same text."""
    if program.name == "firmware":
        raise UnsupportedError(
            "a model cannot be called 'firmware': the firmware is", "choose another with --name"
        )
    model = emit(program)
    files = {f"lib/{program.name}/{name}": text for name, text in model.items()}
    files |= {f"src/{name}": _firmware_file(name) for name in _firmware_names(board)}
    context = _context(program, board)
    templates = {
        "src/board.h": "firmware/board.h.j2",
        "src/firmware_model.c": "firmware/firmware_model.c.j2",
        "Makefile": "project/Makefile.j2",
        "README.md": "project/README.md.j2",
    }
    if board.layout is not None:
        templates["linker.ld"] = "project/linker.ld.j2"
    files |= {path: render(template, context) for path, template in templates.items()}
    manifest = _manifest(program, board, constant_symbols(model, program.name), sorted(files))
    return files | {MANIFEST: json.dumps(manifest, indent=2) + "\n"}


def image_path(board: Board) -> str:
    """Where the build puts the linked image, relative to the project."""
    return "build/firmware" if board.framework is Framework.HOST else "build/firmware.elf"


def arena_symbol(program: Program) -> str:
    """The name of the arena in the linked image."""
    static = program.provenance.arena is ArenaKind.STATIC
    return f"{program.name}_arena" if static else "firmware_arena"


def _firmware_names(board: Board) -> tuple[str, ...]:
    if board.framework is Framework.HOST:
        return _PORTABLE + _HOST
    assert board.uart is not None and board.timer is not None
    drivers = (f"uart_{board.uart.driver}.c", f"timer_{board.timer.driver}.c")
    return _PORTABLE + _CORTEX_M + drivers


def _firmware_file(name: str) -> str:
    return (data_dir("templates") / "firmware" / name).read_text(encoding="utf-8")


def _context(program: Program, board: Board) -> dict[str, Any]:
    uart, timer = board.uart, board.timer
    static = program.provenance.arena is ArenaKind.STATIC
    sides = (("INPUT", program.graph.inputs), ("OUTPUT", program.graph.outputs))
    return {
        "name": program.name,
        "macro": program.name.upper(),
        "version": __version__,
        "board": board,
        "layout": board.layout,
        "emulated": board.runner not in ("native", "serial"),
        "payload_bytes": uart.payload_bytes if uart else _HOST_PAYLOAD_BYTES,
        "window": uart.window if uart else _HOST_WINDOW,
        "timer_hz": timer.hz if timer else _HOST_TIMER_HZ,
        "image": image_path(board).removeprefix("build/"),
        "optimization": "-Os" if program.provenance.optimize is Optimize.SIZE else "-O2",
        "layers": len(program.layers),
        "static_arena": static,
        "arena_symbol": arena_symbol(program),
        "arena_bytes": program.memory.arena_bytes,
        "model_file": program.provenance.model_file,
        "tensors": [
            _binding(side, index, tensor)
            for side, tensors in sides
            for index, tensor in enumerate(tensors)
        ],
        "usage": _usage(program, "" if static else "&arena"),
    }


def _binding(side: str, index: int, tensor: Tensor) -> dict[str, Any]:
    return {
        "side": side,
        "index": index,
        "dtype": tensor.dtype.value,
        "dtype_code": DTYPE_CODES.index(tensor.dtype),
        "quantized": tensor.quant is not None and not tensor.quant.per_channel,
    }


def _usage(program: Program, argument: str) -> list[str]:
    """The lines of C that the README shows."""
    name, macro = program.name, program.name.upper()
    lines = [
        f"memcpy({name}_input_{i}({argument}), input_{i}, {macro}_INPUT_{i}_BYTES);"
        for i in range(len(program.graph.inputs))
    ]
    lines.append(f"{name}_invoke({argument});")
    lines += [
        f"memcpy(output_{i}, {name}_output_{i}({argument}), {macro}_OUTPUT_{i}_BYTES);"
        for i in range(len(program.graph.outputs))
    ]
    return lines


def _manifest(
    program: Program, board: Board, constants: tuple[str, ...], files: list[str]
) -> dict[str, Any]:
    origin = program.provenance
    return {
        "manifest_version": MANIFEST_VERSION,
        "tinygen_version": __version__,
        "name": program.name,
        "board": board.name,
        "model_file": origin.model_file,
        "model_sha256": origin.model_sha256,
        "options": {
            "numerics": origin.numerics,
            "optimize": origin.optimize.value,
            "arena": origin.arena.value,
        },
        "image": image_path(board),
        "arena_bytes": program.memory.arena_bytes,
        "arena_symbol": arena_symbol(program),
        "inputs": [_tensor(t) for t in program.graph.inputs],
        "outputs": [_tensor(t) for t in program.graph.outputs],
        "layers": [
            {
                "name": step.op.name,
                "op": step.op.kind,
                "macs": definition_of(step.op).macs(step.op),
                "function": layer_function(program, index),
                "output_bytes": step.op.y.nbytes,
            }
            for index, step in enumerate(program.layers)
        ],
        "constants": list(constants),
        "files": [*files, MANIFEST],
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    quant = tensor.quant
    per_tensor = quant is not None and not quant.per_channel
    return {
        "name": tensor.name,
        "dtype": tensor.dtype.value,
        "shape": list(tensor.shape),
        "bytes": tensor.nbytes,
        "scale": quant.scale[0] if quant is not None and per_tensor else None,
        "zero_point": quant.zero_point[0] if quant is not None and per_tensor else None,
    }


def _write(files: dict[str, str], directory: Path, previous: tuple[str, ...]) -> None:
    directory = directory.absolute()
    # A directory that is there stays the same one: it may be a mount point, or a shell's own.
    exists = directory.exists()
    parent = directory if exists else directory.parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tinygen-", dir=parent) as scratch:
        stage = Path(scratch) / "project"
        for name, text in files.items():
            file = stage / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        if not exists:
            stage.replace(directory)
            return
        # What is the same keeps its date, so that the next build compiles only what changed.
        changed = [n for n in files if not _same(stage / n, directory / n)]
        for name in sorted(changed, key=lambda n: n == MANIFEST):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).replace(directory / name)
        for name in set(previous) - set(files):
            (directory / name).unlink(missing_ok=True)
            _remove_if_empty((directory / name).parent)


def _remove_if_empty(directory: Path) -> None:
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def _same(new: Path, old: Path) -> bool:
    return old.is_file() and old.read_bytes() == new.read_bytes()
