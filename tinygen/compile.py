"""The whole compiler as one function: model bytes to a program that is ready to be emitted."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinygen import ctext
from tinygen.emit import ArenaKind, Place, Program, Provenance
from tinygen.frugal import frugal
from tinygen.ir import Graph, Numerics
from tinygen.isa import Isa
from tinygen.memory import allocate
from tinygen.optimize import Optimize
from tinygen.passes import run_pipeline
from tinygen.select import Choice, best, select
from tinygen.spare import spend_spare
from tinygen.step import Step
from tinygen.tune.file import Tuning


@dataclass(frozen=True, slots=True)
class Options:
    """What a user chooses; the defaults are the command line's."""

    name: str = ""
    numerics: Numerics = Numerics.TFLM
    optimize: Optimize = Optimize.SPEED
    arena: ArenaKind = ArenaKind.STATIC
    place: Place = Place.FLASH
    tuning: Tuning | None = None


def compile_model(data: bytes, file_name: str, target: str, isa: Isa, options: Options) -> Program:
    """Compile a TFLite flatbuffer for a core named ``target`` with extensions ``isa``.

    Raises ModelError for a malformed file, UnsupportedError for what tinygen does not compile.
    """
    from tinygen.frontend.tflite import read_model

    graph = read_model(data, file_name, options.numerics)
    sha256 = hashlib.sha256(data).hexdigest()
    return compile_graph(graph, file_name, sha256, target, isa, options)


def compile_graph(
    graph: Graph,
    file_name: str,
    sha256: str,
    target: str,
    isa: Isa,
    options: Options,
    observe: Callable[[str, Graph], None] = lambda name, graph: None,
    choose: Choice = best,
    spare: bool = True,
) -> Program:
    """Compile a graph that the front end has read.

    ``observe`` sees the graph after each pass; ``choose`` picks among the kernel rows that fit: for
    size, the best are those whose scratch leaves the arena small. ``spare`` lets kernels use what
    is idle of the arena.
    """
    optimized = run_pipeline(graph, observe)
    if choose is best and options.optimize is Optimize.SIZE:
        choose = frugal(optimized)
    steps = select(optimized, isa, choose, options.optimize)
    return assemble(optimized, steps, file_name, sha256, target, options, spare=spare)


def assemble(
    graph: Graph,
    steps: Sequence[Step],
    file_name: str,
    sha256: str,
    target: str,
    options: Options,
    *,
    kernel_section: str = "",
    spare: bool = True,
) -> Program:
    """The program of a simplified ``graph`` whose kernels are chosen.

    ``kernel_section`` is as in ``Provenance``; ``spare`` as in ``compile_graph``.
    """
    steps, memory = tuple(steps), allocate(graph, steps)
    if spare:
        steps, memory = spend_spare(steps, memory)
    provenance = Provenance(
        model_file=file_name,
        model_sha256=sha256,
        target=target,
        numerics=options.numerics.value,
        optimize=options.optimize,
        arena=options.arena,
        kernel_section=kernel_section,
        tuning=options.tuning.digest if options.tuning else "",
    )
    name = ctext.identifier(options.name or graph.name)
    return Program(name, graph, tuple(steps), memory, provenance)
