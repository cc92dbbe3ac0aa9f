"""One run of a program on its board: vectors in; outputs, counts and layer traces out."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from tinygen import __version__
from tinygen.board import Board
from tinygen.emit import Program, layer_function
from tinygen.errors import DeviceError
from tinygen.ir import Array
from tinygen.run.counting import (
    ICOUNT,
    PLUGIN,
    CodeLayout,
    Counts,
    collect,
    counts_from_ticks,
    prepare,
)
from tinygen.run.device import Device, Expected, Inference
from tinygen.run.link import DEFAULT_RUN, RunOptions
from tinygen.run.measured import Measured, measure
from tinygen.run.renode import RenodeRunner
from tinygen.run.renode_counting import collect_hooks, prepare_hooks
from tinygen.run.runners import open_device, runner_for
from tinygen.run.serial import SerialRunner

Vector = Sequence[Array]


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave: the outputs of all vectors, and the cost of one inference.

    ``counts`` is None where the runner does not count, ``measured`` where there is no hardware.
    """

    outputs: list[tuple[Array, ...]]
    counts: Counts | None = None
    measured: Measured | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A program's linked ``image`` on a board; ``work`` is a directory for what counting leaves.

    ``progress`` is told what a user may wonder about: instructions that cannot be counted exactly,
    an interruption that was got over.
    """

    program: Program
    board: Board
    image: Path
    work: Path
    progress: Callable[[str], None] = lambda text: None
    options: RunOptions = DEFAULT_RUN
    framework: str | None = None

    def run(self, vectors: Sequence[Vector]) -> Run:
        """Run all vectors. Raises ToolError, DeviceError."""
        runner = runner_for(self.board, self.options)
        if runner.name == "qemu":
            return self._counted(vectors)
        if runner.name == RenodeRunner.name and self.board.layout is not None:
            return self._hooked(vectors)
        with self._device() as device:
            inferences = [device.run(v) for v in vectors]
            hardware = runner.name == SerialRunner.name and not device.identity.emulated
            measured = measure(device, inferences, vectors) if hardware else None
            if hardware and measured is None:
                self.progress("not timed: the device's timer stands still, or is too slow")
        return Run([i.outputs for i in inferences], measured=measured)

    def trace(self, vectors: Sequence[Vector]) -> tuple[int, ...]:
        """CRC-32 of each layer's output for the last of ``vectors``, after running the others."""
        with self._device() as device:
            for vector in vectors[:-1]:
                device.run(vector)
            return device.trace(vectors[-1]).layers

    def _counted(self, vectors: Sequence[Vector]) -> Run:
        counter = prepare(self.image, code_layout(self.program), self.work, self.board.core)
        timed = counter.method == ICOUNT
        if counter.reason:
            self.progress(f"counting with QEMU's clock, without cycles: {counter.reason}")
        with self._device(counter.arguments) as device:
            inferences = [_inference(device, vector, timed=timed) for vector in vectors]
        outputs = [i.outputs for i in inferences]
        if counter.method == PLUGIN:
            counts = collect(counter)
            if counts.inferences != len(vectors):
                raise DeviceError(
                    f"{counts.inferences} inferences were counted, not the {len(vectors)} that ran"
                )
            return Run(outputs, counts)
        assert self.board.timer is not None
        layers = list(zip(*(i.layers for i in inferences), strict=True))
        ticks = [i.ticks for i in inferences]
        return Run(outputs, counts_from_ticks(ticks, layers, self.board.timer.hz))

    def _hooked(self, vectors: Sequence[Vector]) -> Run:
        layout = code_layout(self.program)
        hooks = prepare_hooks(self.image, layout, self.work, self.board.core)
        with self._device(hooks.commands) as device:
            outputs = [device.run(vector).outputs for vector in vectors]
        counts = collect_hooks(hooks, len(vectors))
        if counts is None:
            self.progress("instructions are not counted: this Renode runs no hooks")
        return Run(outputs, counts)

    def _device(self, arguments: Sequence[str] = ()) -> AbstractContextManager[Device]:
        origin = self.program.provenance
        expected = Expected(
            model=self.program.name,
            model_sha256=origin.model_sha256,
            board=self.board.name,
            options=origin.options,
            framework=self.framework,
            tinygen_version=__version__,
            layers=len(self.program.layers),
            stateful=bool(self.program.graph.states),
        )
        options = replace(self.options, arguments=(*self.options.arguments, *arguments))
        return open_device(self.board, self.image, expected, options, self.progress)


def _inference(device: Device, vector: Vector, *, timed: bool) -> Inference:
    return device.counters(vector) if timed else device.run(vector)


def code_layout(program: Program) -> CodeLayout:
    """Which functions of the image are the model's."""
    layers = tuple(layer_function(program, i) for i in range(len(program.layers)))
    return CodeLayout(f"{program.name}_invoke", layers)
