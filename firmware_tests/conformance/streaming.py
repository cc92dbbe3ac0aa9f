"""Draws of the audio front end's operators."""

from collections.abc import Callable

from firmware_tests.conformance.bench import Bench
from firmware_tests.models.random_signal import EXACT, FLOAT, Draw, full_stacker
from tinygen.ir import Tensor


def signal(draw: Draw) -> Callable[[Bench], Tensor]:
    """Outputs of which the reference leaves some undefined are not drawn."""
    return lambda bench: bench.add(draw(bench.rng, bench.name()))


DRAWS = tuple(signal(draw) for draw in (*EXACT.values(), *FLOAT.values(), full_stacker))
