"""Random graphs of several operators, from a seed: what hand-written cases did not think of.

    python -m firmware_tests.models.random_graphs --seed 1000 --count 500
    python -m firmware_tests.models.random_graphs --minutes 10

checks graph after graph, each in a process of its own, and prints
those that fail, as small as they get.
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from firmware_tests.kernels.tensors import float32, plain, quantized
from firmware_tests.models.random_ops import DRAWS
from firmware_tests.models.scene import FLOAT_INPUT_SPAN, SCALES, Illegal, Scene, Shape
from tinygen.ir import DType, Graph, Numerics, Tensor

_WEIGHTS = np.array([weight for _, weight in DRAWS], float)
_PROBABILITIES = _WEIGHTS / _WEIGHTS.sum()
_PATIENCE = 200


def random_graph(seed: int, numerics: Numerics, *, most_ops: int = 12) -> Graph:
    """The graph of ``seed``: within the rules of the operator table, anything goes."""
    scene = Scene(np.random.default_rng((seed, list(Numerics).index(numerics))), numerics)
    inputs = tuple(_input(scene, index) for index in range(scene.choice((1, 1, 2, 3))))
    scene.tensors += inputs
    wanted = scene.integer(2, most_ops)
    for _ in range(_PATIENCE):
        draw, _ = DRAWS[int(scene.rng.choice(len(DRAWS), p=_PROBABILITIES))]
        try:
            draw(scene)
        except Illegal:
            continue
        if len(scene.ops) >= wanted:
            break
    return Graph(f"graph{seed}", inputs, _outputs(scene, inputs), tuple(scene.ops))


def _input(scene: Scene, index: int) -> Tensor:
    name, shape = f"input{index}", _shape(scene)
    kind = scene.rng.random()
    if kind < 0.12:
        x = plain(name, shape, DType.FLOAT32)
        scene.magnitude[x] = FLOAT_INPUT_SPAN
        return x
    if kind < 0.18:
        zero = scene.integer(0, 255)
        return quantized(name, shape, float32(SCALES[1]), zero, dtype=DType.UINT8)
    return quantized(name, shape, scene.scale(), scene.zero_point())


def _shape(scene: Scene) -> Shape:
    """An image, mostly."""
    if scene.chance(0.15):
        return tuple(scene.integer(1, 6) for _ in range(scene.integer(0, 4)))
    batch = 1 if scene.chance(0.8) else scene.integer(2, 3)
    channels = scene.choice((1, 2, 3, 4, 5, 7, 8))
    return (batch, scene.integer(1, 8), scene.integer(1, 8), channels)


def _outputs(scene: Scene, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What nobody reads, most of it; at times what somebody reads, an input, or one twice."""
    read = {t for op in scene.ops for t in op.inputs}
    made = [t for op in scene.ops for t in op.outputs]
    found = [t for t in made if t not in read and not scene.chance(0.15)]
    found += [t for t in made if t in read and scene.chance(0.12)]
    if scene.chance(0.08):
        found.append(scene.choice(inputs))
    if scene.chance(0.05):
        found += [t for t in scene.tensors if t.is_constant][:1]
    if not found:
        found.append(scene.choice(made or inputs))
    if scene.chance(0.08):
        found.append(scene.choice(found))
    scene.rng.shuffle(found)
    return tuple(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check graphs as the command line says; the exit code is 1 where one failed."""
    from firmware_tests.models.hunting import hunt

    parser = argparse.ArgumentParser(
        prog="python -m firmware_tests.models.random_graphs", description="Check random graphs."
    )
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, help="how many seeds")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    given = parser.parse_args(arguments)
    if given.count is None and given.minutes is None:
        parser.error("say --count or --minutes")
    tell = partial(print, flush=True)
    seconds = math.inf if given.minutes is None else 60 * given.minutes
    count = sys.maxsize if given.count is None else given.count
    return 1 if hunt(given.seed, count, seconds, given.jobs, tell) else 0


if __name__ == "__main__":
    sys.exit(main())
