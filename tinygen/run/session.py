"""One run of a program on its board: vectors in; outputs, counts and layer traces out."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

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
from tinygen.run.device import Device, Inference
from tinygen.run.runners import open_device

Vector = Sequence[Array]


@dataclass(frozen=True, slots=True)
class Session:
    """A program's linked ``image`` on a board; ``work`` is a directory for what counting leaves.

    ``progress`` is told where instructions cannot be counted exactly, and why.
    """

    program: Program
    board: Board
    image: Path
    work: Path
    progress: Callable[[str], None] = lambda text: None

    def run(self, vectors: Sequence[Vector]) -> tuple[list[tuple[Array, ...]], Counts | None]:
        """The outputs of all vectors, and the counts of one inference where the runner counts.

        Raises ToolError, DeviceError.
        """
        if not self.board.machine:
            return [i.outputs for i in self._inferences(vectors)], None
        counter = prepare(self.image, code_layout(self.program), self.work)
        timed = counter.method == ICOUNT
        if counter.reason:
            self.progress(f"counting with QEMU's clock, without cycles: {counter.reason}")
        inferences = self._inferences(vectors, counter.arguments, timed=timed)
        outputs = [i.outputs for i in inferences]
        if counter.method == PLUGIN:
            counts = collect(counter, self.board.core.timing)
            if counts.inferences != len(vectors):
                raise DeviceError(
                    f"{counts.inferences} inferences were counted, not the {len(vectors)} that ran"
                )
            return outputs, counts
        assert self.board.timer is not None
        layers = list(zip(*(i.layers for i in inferences), strict=True))
        ticks = [i.ticks for i in inferences]
        return outputs, counts_from_ticks(ticks, layers, self.board.timer.hz)

    def trace(self, vectors: Sequence[Vector]) -> tuple[int, ...]:
        """CRC-32 of each layer's output for the last of ``vectors``, after running the others."""
        with self._device() as device:
            for vector in vectors[:-1]:
                device.run(vector)
            return device.trace(vectors[-1]).layers

    def _inferences(
        self, vectors: Sequence[Vector], arguments: Sequence[str] = (), *, timed: bool = False
    ) -> list[Inference]:
        with self._device(arguments) as device:
            return [_inference(device, vector, timed=timed) for vector in vectors]

    def _device(self, arguments: Sequence[str] = ()) -> AbstractContextManager[Device]:
        sha256 = self.program.provenance.model_sha256
        return open_device(self.board, self.image, sha256, arguments)


def _inference(device: Device, vector: Vector, *, timed: bool) -> Inference:
    return device.counters(vector) if timed else device.run(vector)


def code_layout(program: Program) -> CodeLayout:
    """Which functions of the image are the model's."""
    layers = tuple(layer_function(program, i) for i in range(len(program.layers)))
    return CodeLayout(f"{program.name}_invoke", layers)
