"""What came of a choice of kernels: which it is, why, and what it takes beside the smallest."""

from collections.abc import Sequence
from dataclasses import dataclass

from tinygen.emit import Program
from tinygen.firmware.fit import Fitted
from tinygen.optimize import Optimize

_MEANING = {
    Optimize.SPEED: "the quickest kernel of each layer",
    Optimize.BALANCED: "short loops, and of what packs weights only what pays",
    Optimize.SIZE: "weights as they are, and one function for each kernel",
}


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A layer that has a slower kernel than it could have: what that costs and saves, estimated."""

    layer: int
    name: str
    op: str
    kernel: str
    instead_of: str
    cycles: int
    bytes: int


@dataclass(frozen=True, slots=True)
class MoreFlash:
    """Bytes of flash beyond those of --optimize size; negative is less.

    ``code`` is None where the smaller firmware was not built.
    """

    weights: int
    code: int | None


@dataclass(frozen=True, slots=True)
class ChoiceReport:
    """How a program's kernels were chosen.

    ``asked`` is the user's choice; ``taken`` says in words what came of it; ``short`` is the memory
    for whose sake kernels were ``given_up``, "" for none.
    """

    asked: str
    taken: str
    short: str
    given_up: tuple[GivenUp, ...]
    beside_size: MoreFlash | None

    def to_text(self) -> list[str]:
        """One line, or two, for a person."""
        lines = [f"choice  {self.taken}"]
        more = self.beside_size
        if more is not None:
            code = "" if more.code is None else f", code {more.code:+,}"
            lines.append(f"        beside --optimize size: weights {more.weights:+,} bytes{code}")
        return lines


def kernel_labels(program: Program) -> tuple[str, ...]:
    """The row of each layer."""
    return tuple(step.kernel.label for step in program.layers if step.kernel)


def choice_report(
    fitted: Fitted, asked: Optimize, beside_size: MoreFlash | None, tuned: str = ""
) -> ChoiceReport:
    """What came of ``fitted``; ``tuned`` names the file that its kernels are from."""
    given_up = _given_up(fitted)
    taken = f"{asked.value}: {_MEANING[asked]}"
    if tuned:
        taken = f"{asked.value}: the kernels that {tuned} names"
    elif fitted.program.provenance.optimize is not asked:
        taken = f"size: {fitted.short} is short even for the smallest kernels of {asked.value}"
    elif given_up:
        cycles = sum(g.cycles for g in given_up)
        count = sum(step.kernel is not None for step in fitted.program.steps)
        taken = (
            f"{asked.value}, as far as {fitted.short} goes: {len(given_up)} of {count} layers have "
            f"slower kernels, for an estimated {cycles:,} cycles"
        )
    return ChoiceReport(asked.value, taken, fitted.short, given_up, beside_size)


def _given_up(fitted: Fitted) -> tuple[GivenUp, ...]:
    """Each layer that has another candidate than was wanted."""
    numbers = _layer_numbers(fitted)
    found = []
    for index in fitted.given_up:
        layer = fitted.layers[index]
        old = layer.candidates[fitted.wanted[index]]
        new = layer.candidates[fitted.chosen[index]]
        found.append(
            GivenUp(
                numbers[index], layer.op.name, layer.op.kind, new.row.label, old.row.label,
                new.cycles - old.cycles, old.bytes - new.bytes,
            )
        )  # fmt: skip
    return tuple(found)


def _layer_numbers(fitted: Fitted) -> Sequence[int]:
    """For each step the number of its layer: views have none, and count for nothing."""
    numbers, count = [], 0
    for step in fitted.program.steps:
        numbers.append(count)
        count += step.kernel is not None
    return numbers
