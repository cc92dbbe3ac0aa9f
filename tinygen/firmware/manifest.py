"""``tinygen.json``: what a generated project says of itself, to the later commands."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tinygen import __version__
from tinygen.board import Board, Framework
from tinygen.board.file import read_board
from tinygen.emit import Program, layer_function
from tinygen.errors import TinygenError
from tinygen.firmware.target import App, Target
from tinygen.ir import Tensor
from tinygen.ops import definition_of

MANIFEST = "tinygen.json"
MANIFEST_VERSION = 2


class ProjectError(TinygenError):
    """A directory that is no project, or that tinygen must not write to."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``tinygen.json`` tells of a generated project.

    ``image`` is what make links, relative to the project. ``options`` is the line of options that
    the firmware tells too. ``arena_symbol`` and ``constants`` are names in the linked image;
    ``layers`` and ``tensors`` are as in the file. An arena that comes from the heap at start is no
    symbol: ``heap_region`` is the region of the board's where it will be, and takes ``heap_bytes``.
    """

    name: str
    board: str
    framework: Framework
    app: App
    options: str
    model_sha256: str
    image: str
    arena_symbol: str
    constants: tuple[str, ...]
    layers: tuple[dict[str, Any], ...]
    files: tuple[str, ...]
    heap_region: str = ""
    heap_bytes: int = 0


def board_copy(name: str) -> str:
    """Where a project keeps the board file that it was generated from."""
    return f"board/{name}.toml"


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of the project in ``directory``. Raises ProjectError if there is none."""
    hint = "`tinygen generate` writes one, into a new or empty directory"
    again = "generate the project again, into a new directory"
    file = directory / MANIFEST
    if not file.is_file():
        raise ProjectError(f"{directory} is not a tinygen project: it has no {MANIFEST}", hint)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if values["manifest_version"] != MANIFEST_VERSION:
            raise ProjectError(f"{file} was written by another tinygen", again)
        manifest = Manifest(
            name=values["name"],
            board=values["board"],
            framework=Framework(values["framework"]),
            app=App(values["app"]),
            options=values["options"],
            model_sha256=values["model_sha256"],
            image=values["image"],
            arena_symbol=values["arena_symbol"],
            constants=tuple(values["constants"]),
            layers=tuple(values["layers"]),
            files=tuple(values["files"]),
            heap_region=values["heap_region"],
            heap_bytes=values["heap_bytes"],
        )
    except OSError as error:
        raise ProjectError(f"cannot read {file}: {error.strerror}") from None
    except KeyError as error:
        raise ProjectError(f"{file} is damaged: it has no {error}", again) from None
    except ValueError as error:
        raise ProjectError(f"{file} is damaged: {error}", again) from None
    except TypeError:
        raise ProjectError(f"{file} is damaged: it is not what tinygen writes", again) from None
    for name in (manifest.image, board_copy(manifest.board), *manifest.files):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ProjectError(f"{file} is damaged: '{name}' is outside of the project", again)
    return manifest


def project_board(directory: Path, manifest: Manifest) -> Board:
    """The board as it was when the project was generated. Raises ProjectError, BoardError."""
    file = directory / board_copy(manifest.board)
    if not file.is_file():
        raise ProjectError(f"{directory} is damaged: {file} is gone", "generate the project again")
    return read_board(file)


def manifest_text(
    program: Program, target: Target, image: str, arena: str, constants: tuple[str, ...],
    files: list[str],
) -> str:  # fmt: skip
    """The text of a project's manifest; ``arena`` is the arena's symbol."""
    origin = program.provenance
    region, arena_bytes = target.arena_region, program.memory.arena_bytes
    heap = region if target.heap_arena(arena_bytes) else None
    values = {
        "manifest_version": MANIFEST_VERSION,
        "tinygen_version": __version__,
        "name": program.name,
        "board": target.board.name,
        "framework": target.framework.value,
        "app": target.app.value,
        "model_file": origin.model_file,
        "model_sha256": origin.model_sha256,
        "options": origin.options,
        "image": image,
        "arena_bytes": arena_bytes,
        "arena_symbol": arena,
        "heap_region": heap.name if heap else "",
        "heap_bytes": arena_bytes if heap else 0,
        "inputs": [_tensor(t) for t in program.graph.inputs],
        "outputs": [_tensor(t) for t in program.graph.outputs],
        "layers": [
            {
                "name": step.op.name,
                "op": step.op.kind,
                "macs": definition_of(step.op).macs(step.op),
                "function": layer_function(program, index),
                "kernel": step.kernel.label if step.kernel else "",
                "output_bytes": step.op.y.nbytes,
            }
            for index, step in enumerate(program.layers)
        ],
        "constants": list(constants),
        "files": sorted([*files, MANIFEST]),
    }
    return json.dumps(values, indent=2) + "\n"


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
