"""The choice of kernels as a file: what `tinygen tune` writes and ``--tuning`` reads.

It names the model, the core and the options that it is for, and for each layer of the simplified
model the kernel. Compiling from it needs no measuring, and gives the same firmware everywhere. The
cycles in it are for people.
"""

import hashlib
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygen import __version__
from tinygen.errors import TinygenError
from tinygen.names import file_name

VERSION = 1


class TuningError(TinygenError):
    """A tuning file that cannot be read, or is for something else than what it is used for."""


@dataclass(frozen=True, slots=True)
class TunedLayer:
    """A layer's operator, its shapes, and its kernel, as ``Kernel.label`` has it.

    ``cycles`` is what was measured: estimated cycles, or instructions where no cycles are known.
    """

    op: str
    shapes: str
    kernel: str
    cycles: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """The kernels of a model's layers, and what they were measured for."""

    model_sha256: str
    core: str
    compiler: str
    numerics: str
    optimize: str
    layers: tuple[TunedLayer, ...]
    name: str = ""

    @property
    def digest(self) -> str:
        """A short name for the choice itself."""
        text = "\n".join(layer.kernel for layer in self.layers)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def to_text(self) -> str:
        """The file's text."""
        head = [
            "# Which kernel computes each layer, as `tinygen tune` has measured it. For --tuning.",
            f"tuning_version = {VERSION}",
            f'tinygen_version = "{__version__}"',
            f'model_sha256 = "{self.model_sha256}"',
            f'core = "{self.core}"',
            f'compiler = "{_plain(self.compiler)}"',
            f'numerics = "{self.numerics}"',
            f'optimize = "{self.optimize}"',
        ]
        for number, layer in enumerate(self.layers):
            head += [
                "",
                f"[[layer]]  # {number}",
                f'op = "{layer.op}"',
                f'shapes = "{layer.shapes}"',
                f'kernel = "{layer.kernel}"',
                f"cycles = {layer.cycles}",
            ]
        return "\n".join(head) + "\n"

    def check_for(self, model_sha256: str, core: str, numerics: str, optimize: str) -> None:
        """Raise TuningError unless the file is for this model, core and options."""
        pairs = (
            ("another model, or an older state of it", self.model_sha256, model_sha256),
            (f"{self.core}, not {core}", self.core, core),
            (f"--numerics {self.numerics}, not {numerics}", self.numerics, numerics),
            (f"--optimize {self.optimize}, not {optimize}", self.optimize, optimize),
        )
        for words, mine, theirs in pairs:
            if mine != theirs:
                raise self.refusal(f"is for {words}")

    def refusal(self, words: str) -> TuningError:
        """The one error of a file that does not fit what it is used for."""
        return TuningError(f"{self.name or 'the tuning'} {words}", "measure again: `tinygen tune`")


def write_whole(file: Path, text: str) -> None:
    """Write a file of which nobody ever sees half. Raises OSError."""
    if file.exists() and not file.is_file():  # a pipe, a terminal
        file.write_text(text, encoding="utf-8", newline="\n")
        return
    file = file.resolve()
    part = file.with_name(f".{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def read_tuning(path: Path) -> Tuning:
    """Read a tuning file. Raises TuningError for a file that is none."""
    hint = "`tinygen tune` writes one"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        if values.get("tuning_version") != VERSION:
            raise TuningError(f"{path} was written by another tinygen", "measure again")
        return Tuning(
            model_sha256=_text(values, "model_sha256"),
            core=_text(values, "core"),
            compiler=_text(values, "compiler"),
            numerics=_text(values, "numerics"),
            optimize=_text(values, "optimize"),
            layers=tuple(_layer(table) for table in values.get("layer", ())),
            name=file_name(path),
        )
    except OSError as error:
        raise TuningError(f"cannot read {path}: {error.strerror}") from None
    except KeyError as error:
        raise TuningError(f"{path} is no tuning file: it has no {error}", hint) from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise TuningError(f"{path} is no tuning file: {error}", hint) from None


def _layer(table: Any) -> TunedLayer:
    cycles = table["cycles"]
    if isinstance(cycles, bool) or not isinstance(cycles, int):
        raise TypeError(f"'cycles' is {cycles!r}")
    return TunedLayer(_text(table, "op"), _text(table, "shapes"), _text(table, "kernel"), cycles)


def _text(table: Any, key: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        raise TypeError(f"'{key}' is {value!r}, not a text")
    return value


def _plain(text: str) -> str:
    """``text`` without what a TOML string would have to escape."""
    return "".join(c for c in text if c.isprintable() and c not in '"\\')


def chosen_rows(tuning: Tuning, labels: Sequence[tuple[str, Sequence[str]]]) -> tuple[int, ...]:
    """For each layer the number of its kernel among its candidates.

    ``labels`` are the operator and the candidates' labels of each layer. Raises TuningError where
    the file has other layers, or a kernel that is no candidate.
    """
    if [op for op, _ in labels] != [layer.op for layer in tuning.layers]:
        raise tuning.refusal("has other layers than this tinygen makes of the model")
    chosen = []
    for number, ((_, rows), layer) in enumerate(zip(labels, tuning.layers, strict=True)):
        if layer.kernel not in rows:
            raise tuning.refusal(
                f"wants {layer.kernel!r} for layer {number} ({layer.op}), which does not compute it"
            )
        chosen.append(rows.index(layer.kernel))
    return tuple(chosen)
