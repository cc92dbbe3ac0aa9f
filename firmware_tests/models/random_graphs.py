"""Random graphs of several operators, from a seed: what hand-written cases did not think of.

    python -m firmware_tests.models.random_graphs --seed 1000 --count 500
    python -m firmware_tests.models.random_graphs --minutes 10

checks graph after graph, each in a process of its own, and prints a failing one as small as it gets.
"""

from collections.abc import Sequence

import numpy as np

from firmware_tests.models.random_ops import (
    DRAWS,
    FLOAT_INPUT_SPAN,
    SCALES,
    Illegal,
    Scene,
    Shape,
)
from firmware_tests.kernels.tensors import float32, plain, quantized
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
    made = [op.y for op in scene.ops]
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
    scene.rng.shuffle(found)  # type: ignore[arg-type]
    return tuple(found)
