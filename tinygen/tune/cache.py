"""What kernels took when they were measured, kept between runs.

One small file for each key; the key is a hash of all that the figure depends on: the kernel with
its source, the geometry, the core, the compiler and its flags, and tinygen's tables of cycles.
Damaged or unwritable files cost a measurement, never an error.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tinygen import __version__
from tinygen.emit import kernel_files
from tinygen.ops.base import Call, Kernel
from tinygen.tune.file import write_whole

_FOLDER = "tuning"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What turns C into the code that is measured: the core's name, the compiler, its flags."""

    core: str
    compiler: str
    flags: tuple[str, ...]


def key_of(row: Kernel[Any], calls: Sequence[Call], toolchain: Toolchain) -> str:
    """A name for the kernel on the geometry of ``calls``, compiled by ``toolchain``."""
    geometry = [
        (call.shape, [t.dtype.value for t in (*call.operands, *call.results)]) for call in calls
    ]
    identity = (
        __version__, row.label, _sources(row.header), _timing(), geometry, toolchain.core,
        toolchain.compiler, toolchain.flags,
    )  # fmt: skip
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:32]


@cache
def _sources(header: str) -> str:
    text = "".join(kernel_files([header]).values())
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _timing() -> str:
    package = files("tinygen.timing")
    sources = sorted((f.name, f.read_text("utf-8")) for f in package.iterdir() if f.is_file())
    return hashlib.sha256(repr(sources).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Cache:
    """Measurements in ``directory``, which need not exist."""

    directory: Path

    def get(self, key: str) -> int | None:
        """The cycles of ``key``; None where it was not measured, or the file is damaged."""
        try:
            cycles = json.loads(self._file(key).read_text(encoding="utf-8"))["cycles"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return cycles if isinstance(cycles, int) and cycles >= 0 else None

    def put(self, key: str, cycles: int, kernel: str) -> None:
        """Keep the cycles of ``key``; ``kernel`` is for people. What cannot be kept is not."""
        file = self._file(key)
        text = json.dumps({"kernel": kernel, "cycles": cycles}) + "\n"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, text)  # several processes may measure at once
        except OSError:
            return

    def _file(self, key: str) -> Path:
        return self.directory / _FOLDER / f"{key}.json"
