"""Draws of the audio front end's operators."""

from collections.abc import Callable
from dataclasses import replace

from firmware_tests.conformance.bench import Bench
from firmware_tests.models.random_signal import EXACT, FLOAT, Draw, full_stacker
from tinygen.ir import Tensor
from tinygen.ops.circular_buffer import CircularBuffer


def signal(draw: Draw) -> Callable[[Bench], Tensor]:
    """Outputs of which the reference leaves some undefined are not drawn."""
    return lambda bench: bench.add(draw(bench.rng, bench.name()))


def circular_buffer(bench: Bench) -> Tensor:
    """The last slots of a stream."""
    slots, height, width = bench.integer(2, 9), bench.integer(1, 4), bench.integer(1, 9)
    x = bench.tensor((1, 1, height, width))
    before = bench.like(x, (1, slots, height, width))
    after = replace(before, name=f"{before.name}/after")
    return bench.add(CircularBuffer(before.name, (x, before), (after,)))


DRAWS = (
    circular_buffer,
    *(signal(draw) for draw in (*EXACT.values(), *FLOAT.values(), full_stacker)),
)
