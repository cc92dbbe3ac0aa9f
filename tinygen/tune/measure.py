"""Measure what every candidate kernel takes of every layer, in emulation, and choose by that.

A round is the whole model compiled with candidate number n of each layer, built, and run once; the
plugin counts each layer apart, so that a few rounds give all figures, and rounds run at the same
time. The counts are exact and the cycles follow from them by a table, so measuring twice gives the
same. What is in the cache is not measured again.

A board that no emulator has is measured on the emulated board of the same core.
"""

import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinygen.board import Board, Framework
from tinygen.board.file import all_boards
from tinygen.build.image import build
from tinygen.compile import Options, assemble
from tinygen.emit import Program
from tinygen.errors import DeviceError, OptionError, ToolError
from tinygen.firmware.fit import fit
from tinygen.firmware.project import place_arena, write_project
from tinygen.firmware.target import Target, choose_target
from tinygen.ir import Graph, Op
from tinygen.model import Model
from tinygen.ops.base import Kernel
from tinygen.optimize import Optimize
from tinygen.passes import run_pipeline
from tinygen.run.session import Session
from tinygen.step import Step
from tinygen.tables import table
from tinygen.tune.cache import Cache, Toolchain, key_of
from tinygen.tune.choose import Layer, layers_of
from tinygen.tune.cost import estimated_cycles
from tinygen.tune.file import TunedLayer, Tuning
from tinygen.vectors import draw_vectors

Progress = Callable[[str], None]
Figures = dict[str, int]
"""Cycles by key."""

_VERSION_S = 30.0


@dataclass(frozen=True, slots=True)
class TuneReport:
    """What was measured, and what came of it.

    ``untuned`` are the kernels that the table of costs would have chosen, and ``cycles`` and
    ``untuned_cycles`` what the layers take with either: ``unit`` is "cycles", estimated, or
    "instructions" for a core without a table of cycles. ``measured`` and ``cached`` count kernels
    on geometries.
    """

    tuning: Tuning
    measured_on: str
    unit: str
    untuned: tuple[str, ...]
    cycles: int
    untuned_cycles: int
    measured: int
    cached: int

    def to_json(self) -> dict[str, Any]:
        """A value that ``json.dumps`` takes."""
        return asdict(self)

    def to_text(self) -> str:
        """A line for each layer, and the sum."""
        rows = [("layer", "operator", self.unit, "kernel", "instead of")]
        rows += [
            (str(n), x.op, f"{x.cycles:,}", x.kernel, "" if x.kernel == other else other)
            for n, (x, other) in enumerate(zip(self.tuning.layers, self.untuned, strict=True))
        ]
        rows.append(("", "total", f"{self.cycles:,}", "", ""))
        return "\n".join(
            [
                *table(rows, right=(2,)),
                "",
                f"{self.measured} kernels measured on {self.measured_on}, {self.cached} known; "
                f"without tuning the layers take {self.untuned_cycles:,} {self.unit}",
            ]
        )


def tune(
    model: Model, target: Target, options: Options, cache: Cache, progress: Progress
) -> TuneReport:
    """Choose the kernels of ``model`` for ``target`` by what they take in emulation.

    Raises OptionError for --optimize size, which has nothing to choose, and where no emulator has
    the core; BudgetError where the emulated board is too small for the model.
    """
    if options.optimize is Optimize.SIZE:
        raise OptionError(
            "--optimize size takes the smallest kernels, however long they take",
            "tune for --optimize speed or balanced",
        )
    emulated = emulated_board(target.board)
    graph = run_pipeline(model.graph)
    layers = layers_of(graph, target.board.core.isa, options.optimize)
    toolchain = toolchain_of(emulated, options.optimize)
    bench = _Bench(model, graph, choose_target(emulated, Framework.BARE.value), options)
    rounds = [bench.program(steps) for steps in _rounds(layers)]
    # Of the calls as they are measured: the arena's spare room has been spent on them.
    keys = {
        (index, c.row.label): key_of(c.row, rounds[number].steps[index].calls, toolchain)
        for index, layer in enumerate(layers)
        for number, c in enumerate(layer.candidates)
    }
    known = {k: n for k in set(keys.values()) if (n := cache.get(k)) is not None}
    figures = known | _measure_missing(bench, rounds, layers, keys, known, progress)
    for (index, label), key in keys.items():
        if key not in known:
            cache.put(key, figures[key], f"{layers[index].op.kind} {label}")

    numbers = {id(layer.op): index for index, layer in enumerate(layers)}

    def cycles_of(op: Op, rows: Sequence[Kernel[Any]]) -> tuple[int, ...]:
        return tuple(figures[keys[numbers[id(op)], row.label]] for row in rows)

    def assembled(steps: Sequence[Step]) -> Program:
        return place_arena(bench.program(steps), target)

    chosen = fit(assembled, graph, target, options.optimize, cycles_of).program.steps
    untuned = fit(assembled, graph, target, options.optimize, estimated_cycles).program.steps
    return TuneReport(
        tuning=Tuning(
            model.sha256, emulated.core.name, toolchain.compiler, options.numerics.value,
            options.optimize.value,
            tuple(
                TunedLayer(
                    step.op.kind, f"{_dims(step.op.x.shape)} to {_dims(step.op.y.shape)}", label,
                    figures[keys[index, label]],
                )
                for index, label, step in _labels(chosen)
            ),
        ),
        measured_on=emulated.name,
        unit="cycles" if emulated.core.timing else "instructions",
        untuned=tuple(label for _, label, _ in _labels(untuned)),
        cycles=sum(figures[keys[index, label]] for index, label, _ in _labels(chosen)),
        untuned_cycles=sum(figures[keys[index, label]] for index, label, _ in _labels(untuned)),
        measured=len(set(keys.values()) - set(known)),
        cached=len(known),
    )  # fmt: skip


def _labels(steps: Sequence[Step]) -> list[tuple[int, str, Step]]:
    return [(i, step.kernel.label, step) for i, step in enumerate(steps) if step.kernel]


def _dims(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def emulated_board(board: Board) -> Board:
    """``board``, or the roomiest emulated one with its core. Raises OptionError without one."""
    if board.runner == "qemu":
        return board
    others = [b for b in all_boards() if b.runner == "qemu" and b.core.name == board.core.name]
    if others:
        return max(others, key=lambda b: b.flash_bytes or 0)
    raise OptionError(
        f"no emulator counts the instructions of {board.core.title}, which {board.name} has",
        "leave the choice to the table of costs: --optimize speed or balanced",
    )


def toolchain_of(board: Board, optimize: Optimize) -> Toolchain:
    """The compiler of ``board``'s core and its flags. Raises ToolError where it is missing."""
    command = f"{board.core.cross}gcc"
    try:
        told = subprocess.run(
            [command, "--version"],
            capture_output=True, text=True, timeout=_VERSION_S, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(f"cannot run {command}: {error}", "tinygen doctor") from None
    return Toolchain(board.core.name, told.partition("\n")[0], (*board.cflags, optimize.value))


@dataclass(frozen=True, slots=True)
class _Bench:
    """A model on the emulated board that measures it."""

    model: Model
    graph: Graph
    target: Target
    options: Options

    def program(self, steps: Sequence[Step]) -> Program:
        model, core = self.model, self.target.board.core.name
        return assemble(self.graph, steps, model.name, model.sha256, core, self.options)

    def cycles(self, program: Program, progress: Progress) -> dict[int, int]:
        """What each step of ``program`` takes that has code, by its index."""
        with tempfile.TemporaryDirectory(prefix="tinygen-tune-") as directory:
            project = Path(directory) / "project"
            write_project(program, self.target, project)
            image = build(project).image
            session = Session(
                program, self.target.board, image, image.parent, progress,
                framework=self.target.framework.value,
            )  # fmt: skip
            counts = session.run(draw_vectors(self.model.graph, 1, 0).inputs).counts
        coded = [index for index, step in enumerate(program.steps) if step.kernel is not None]
        layers = counts.layers if counts else ()
        found = {
            index: layer.cycles.mid if layer.cycles else layer.instructions
            for index, layer in zip(coded, layers, strict=False)
        }
        if len(found) < len(coded) or None in found.values():
            raise DeviceError("the emulator did not count every layer apart")
        return {index: cycles for index, cycles in found.items() if cycles is not None}


def _rounds(layers: Sequence[Layer]) -> list[list[Step]]:
    """For each number candidate so-and-so of each layer that has so many, else the first."""
    count = max((len(layer.candidates) for layer in layers), default=0)
    return [
        [x.step(number if number < len(x.candidates) else 0) for x in layers]
        for number in range(count)
    ]


def _measure_missing(
    bench: _Bench,
    rounds: Sequence[Program],
    layers: Sequence[Layer],
    keys: Mapping[tuple[int, str], str],
    known: Figures,
    progress: Progress,
) -> Figures:
    """The figures of all keys that are not ``known``: the mean where layers share a key."""

    def news(number: int) -> dict[int, str]:
        """The keys that a round gives, by the index of their layer."""
        found = {
            index: keys[index, layer.candidates[number].row.label]
            for index, layer in enumerate(layers)
            if number < len(layer.candidates)
        }
        return {index: key for index, key in found.items() if key not in known}

    todo = [number for number in range(len(rounds)) if news(number)]
    collected: dict[str, list[int]] = defaultdict(list)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = {pool.submit(bench.cycles, rounds[number], progress): number for number in todo}
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                cycles = job.result()
                for index, key in news(jobs[job]).items():
                    collected[key].append(cycles[index])
                progress(f"{bench.model.name}: {done} of {len(todo)} rounds of kernels measured")
        except BaseException:  # an interrupt too, which comes while waiting
            pool.shutdown(wait=False, cancel_futures=True)  # what has not begun need not
            raise
    return {key: round(sum(values) / len(values)) for key, values in collected.items()}
