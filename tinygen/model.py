"""A model file: read, and compiled for a target by the kernels that it has room for."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinygen.compile import Options, assemble
from tinygen.emit import Place, Program
from tinygen.errors import ModelError
from tinygen.firmware.fit import Fitted, fit, tuned
from tinygen.firmware.project import place_arena
from tinygen.firmware.target import Target
from tinygen.frontend.tflite import read_model
from tinygen.ir import Graph, Numerics
from tinygen.names import file_name
from tinygen.optimize import Optimize
from tinygen.passes import run_pipeline
from tinygen.step import Step


@dataclass(frozen=True, slots=True)
class Model:
    """A model file that the front end has read; ``name`` is its file's, fit for any text."""

    name: str
    data: bytes
    graph: Graph

    @property
    def sha256(self) -> str:
        """Hash of the file."""
        return hashlib.sha256(self.data).hexdigest()


def load_model(path: Path, numerics: Numerics) -> Model:
    """Read a model file. Raises ModelError, UnsupportedError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    name = file_name(path)
    return Model(name, data, read_model(data, name, numerics))


def fit_loaded(model: Model, target: Target, options: Options) -> Fitted:
    """Compile a model for a target, by the best kernels for which it has room.

    Where flash is short even for the smallest of them, it is compiled for size.
    """
    core = target.board.core
    graph = run_pipeline(model.graph)
    section = target.kernel_section if options.place is Place.RAM else ""

    def assembled(options: Options) -> Callable[[Sequence[Step]], Program]:
        return lambda steps: place_arena(
            assemble(
                graph, steps, model.name, model.sha256, core.name, options, kernel_section=section
            ),
            target,
        )

    tuning = options.tuning
    if tuning is not None:
        tuning.check_for(model.sha256, core.name, options.numerics.value, options.optimize.value)
        return tuned(assembled(options), graph, target, options.optimize, tuning)
    fitted = fit(assembled(options), graph, target, options.optimize)
    if fitted.missing > 0 and options.optimize is not Optimize.SIZE:
        small = replace(options, optimize=Optimize.SIZE)
        smaller = fit(assembled(small), graph, target, Optimize.SIZE)
        if smaller.missing < fitted.missing:
            return replace(smaller, short="flash")
    return fitted


def compile_loaded(model: Model, target: Target, options: Options) -> Program:
    """Compile a model for a target."""
    return fit_loaded(model, target, options).program


def compile_file(path: Path, target: Target, options: Options) -> Program:
    """Compile a model file for a target. Raises ModelError, UnsupportedError."""
    return compile_loaded(load_model(path, options.numerics), target, options)
