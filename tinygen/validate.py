"""Generate, build, run, compare: one model on one board against every oracle at hand."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from tinygen import interpreters, reference
from tinygen.agreement import Outputs, compare, model_tolerance
from tinygen.compile import Options
from tinygen.emit import Program
from tinygen.errors import OptionError, ToolError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import App, Target
from tinygen.ir import Array, DType, Numerics
from tinygen.model import Model, compile_loaded, fit_loaded, load_model
from tinygen.ops import definition_of
from tinygen.optimize import Optimize
from tinygen.report import Difference, LayerReport, TestReport
from tinygen.run.link import DEFAULT_RUN, RunOptions
from tinygen.tune.report import MoreFlash, choice_report
from tinygen.vectors import Vectors, draw_vectors, load_vectors

if TYPE_CHECKING:
    from tinygen.build.image import BuildReport

# A board with a USB stack of its own is gone from the bus while it starts.
_REAPPEAR_S = 20.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits that a run must keep; None is no limit."""

    flash: int | None = None
    ram: int | None = None
    instructions: int | None = None
    cycles: int | None = None

    def exceeded(self, report: TestReport) -> tuple[str, ...]:
        """Every limit that ``report`` breaks, in words. A limit on what was not counted breaks."""
        cycles = report.estimated_cycles.mid if report.estimated_cycles else None
        pairs = (
            ("flash bytes", report.flash_bytes["total"], self.flash),
            ("RAM bytes", report.ram_bytes["total"], self.ram),
            ("instructions", report.instructions, self.instructions),
            ("estimated cycles", cycles, self.cycles),
        )
        return tuple(
            f"{name} not counted on this board"
            if value is None
            else f"{value:,} {name}, {limit:,} allowed"
            for name, value, limit in pairs
            if limit is not None and (value is None or value > limit)
        )


@dataclass(frozen=True, slots=True)
class Flashing:
    """How firmware gets onto a board; ``probe`` is as `tinygen flash --probe` takes it."""

    probe: str = ""


def expected_outputs(
    model: Model,
    vectors: Vectors,
    numerics: Numerics,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Outputs]:
    """What each oracle at hand says that the outputs are, by the oracle's name.

    A vectors file is the only oracle of its inputs; drawn inputs go to the numpy reference and, if
    it is installed, to the interpreter that defines ``numerics``. An interpreter that does not run
    the model is no oracle: ``progress`` is told so. For uint8 LiteRT decides where TFLite Micro has
    no kernels.
    """
    if vectors.expected is not None:
        return {"the vectors file": vectors.expected}
    oracles: dict[str, Outputs] = {
        "the numpy reference": reference.run_all(model.graph, vectors.inputs)
    }
    old = any(t.dtype is DType.UINT8 for t in (*model.graph.inputs, *model.graph.outputs))
    deciding = [numerics, Numerics.LITERT] if old and numerics is Numerics.TFLM else [numerics]
    for asked in deciding:
        if not interpreters.available(asked) or not model.graph.inputs:
            continue
        stacked = [np.stack(column) for column in zip(*vectors.inputs, strict=True)]
        name = "TFLite Micro" if asked is Numerics.TFLM else "LiteRT"
        try:
            outputs = interpreters.ask_reference(model.data, stacked, asked)
        except ToolError as error:
            progress(f"{model.name}: not compared with {name}: {error.message}")
        else:
            oracles[name] = list(zip(*outputs, strict=True))
            break
    return oracles


@contextmanager
def _workspace(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        yield directory
    else:
        with tempfile.TemporaryDirectory(prefix="tinygen-") as temporary:
            yield Path(temporary) / "project"


def first_difference(
    program: Program, vectors: Sequence[tuple[Array, ...]], crcs: Sequence[int]
) -> Difference | None:
    """The first layer whose output's CRC for the last of ``vectors`` is not the oracle's, if there
    is one."""
    vector = len(vectors) - 1
    *_, values = reference.evaluate_all(program.graph, vectors)
    for index, (step, crc) in enumerate(zip(program.layers, crcs, strict=True)):
        if crc32(np.ascontiguousarray(values[step.op.y]).tobytes()) != crc:
            return Difference(vector, index, step.op.name, step.op.kind)
    return None


def validate(
    path: Path,
    target: Target,
    options: Options,
    *,
    vectors: Path | None,
    count: int,
    seed: int,
    directory: Path | None,
    run: RunOptions = DEFAULT_RUN,
    flashing: Flashing | None = None,
    beside_size: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> TestReport:
    """Run the model at ``path`` on ``target`` and compare all outputs of all vectors.

    With ``beside_size`` the firmware of --optimize size is built too, where make does it, to tell
    what the options took more.

    Raises TinygenError for everything but a mismatch, which the report tells.
    """
    from tinygen.build.image import build
    from tinygen.flash.upload import flash
    from tinygen.run.runners import runner_for
    from tinygen.run.session import Session
    from tinygen.usb.detect import port_of

    if target.app is not App.DEVICE:
        raise OptionError(
            f"firmware with --app {target.app.value} does not speak tinygen's protocol",
            "`tinygen generate` writes it, the benchmark's own runner drives it",
        )
    model = load_model(path, options.numerics)
    board = target.board
    runner_for(board, run)  # what is not installed is better known before anything is built
    on_hardware = run.runner_of(board) == "serial"
    if on_hardware and flashing is not None and board.platformio is None:
        raise OptionError(
            f"{board.name} is nothing to upload to",
            "leave --port and --runner out; --no-flash if its firmware is behind the port already",
        )
    if on_hardware and run.port is None:
        run = replace(run, port=port_of(board))
    fitted = fit_loaded(model, target, options)
    program = fitted.program
    chosen = (
        load_vectors(vectors, model.graph, options.numerics)
        if vectors
        else draw_vectors(model.graph, count, seed)
    )
    oracles = expected_outputs(model, chosen, options.numerics, progress)
    with _workspace(directory) as work:
        progress(f"{model.name}: generating and building for {board.name}")
        write_project(program, target, work)
        if flashing is not None and on_hardware:
            # Another tool's image would have the functions elsewhere.
            flashed = flash(work, run.port or "", flashing.probe, progress=progress).built
            assert flashed is not None
            built = flashed
            run = replace(run, port_wait_s=_REAPPEAR_S)
        else:
            built = build(work)
        progress(f"{model.name}: running on {board.name}")
        session = Session(
            program, board, built.image, built.image.parent, progress, run, target.framework.value
        )
        done = session.run(chosen.inputs)
        outputs, counts, timed = done.outputs, done.counts, done.measured
        tolerance = model_tolerance(model.graph)
        found = [compare(outputs, want, tolerance) for want in oracles.values()]
        worst = max(found, key=lambda f: (f.mismatched_bytes, f.largest))
        difference = None
        if worst.first is not None:
            progress(f"{model.name}: mismatch; looking for the first layer that differs")
            crcs = session.trace(chosen.inputs[: worst.first + 1])
            difference = first_difference(program, chosen.inputs[: worst.first + 1], crcs)
        made = beside_size and not on_hardware
        more = more_flash(program, model, target, options, built if made else None)
    tuned_by = options.tuning.name if options.tuning else ""
    return TestReport(
        model=model.name,
        sha256=model.sha256,
        board=board.name,
        core=board.core.name,
        runner=run.runner_of(board),
        framework=target.framework.value,
        numerics=options.numerics.value,
        optimize=options.optimize.value,
        vectors=len(chosen),
        oracles=tuple(oracles),
        mismatched_bytes=worst.mismatched_bytes,
        max_abs_diff=worst.largest,
        within_tolerance=max(f.within for f in found),
        tolerance=str(tolerance),
        first_difference=difference,
        macs=sum(definition_of(s.op).macs(s.op) for s in program.layers),
        model_macs=sum(definition_of(op).macs(op) for op in model.graph.ops),
        counted_by=counts.method if counts else None,
        instructions=counts.instructions if counts else None,
        estimated_cycles=counts.cycles if counts else None,
        measured=timed,
        layers=tuple(
            LayerReport(
                name=step.op.name,
                op=step.op.kind,
                macs=definition_of(step.op).macs(step.op),
                instructions=counts.layers[i].instructions if counts else None,
                estimated_cycles=counts.layers[i].cycles if counts else None,
                measured_ticks=timed.layers[i] if timed else None,
                kernel=step.kernel.label if step.kernel else "",
            )
            for i, step in enumerate(program.layers)
        ),
        flash_bytes=built.flash,
        ram_bytes=built.ram,
        choice=choice_report(fitted, options.optimize, more, tuned_by),
    )


def more_flash(
    program: Program, model: Model, target: Target, options: Options, built: "BuildReport | None"
) -> MoreFlash | None:
    """What ``program`` takes beyond that of --optimize size, whose firmware is built like ``built``
    to compare the code; None for --optimize size itself."""
    from tinygen.build.image import build

    if options.optimize is Optimize.SIZE:
        return None
    smallest = compile_loaded(model, target, replace(options, optimize=Optimize.SIZE, tuning=None))
    weights = program.constant_bytes - smallest.constant_bytes
    if built is None:
        return MoreFlash(weights, None)
    with _workspace(None) as work:
        write_project(smallest, target, work)
        return MoreFlash(weights, built.flash["code"] - build(work).flash["code"])
