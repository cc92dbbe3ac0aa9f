"""Random operators with two operands that ask something of them: a divisor, a condition.

As in ``random_ops``, a function raises ``Illegal`` where it finds no operand.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from firmware_tests.models.random_curves import plausible
from firmware_tests.models.scene import Illegal, Scene, is_int8, is_vector, thinned
from tinygen.ir import DType, Numerics, Tensor
from tinygen.ops.binary import Binary
from tinygen.ops.div import Div
from tinygen.ops.floor_div import FloorDiv
from tinygen.ops.floor_mod import FloorMod
from tinygen.ops.select import Select

# Binary logarithms of DIV's ratio of scales: no shift is longer than 31 bits, nor one to the left,
# also with int16 of the same ranges.
RATIOS = (6.05, 6.95)


def quotient(scene: Scene) -> Tensor:
    """DIV, FLOOR_DIV or FLOOR_MOD by a constant in which no value stops a reference."""
    a = scene.pick(is_int8)
    b = scene.tensor(thinned(scene, a.shape))
    kind: type[Binary] = scene.choice((Div, Div, FloorDiv, FloorMod))
    y, clamp = scene.tensor(a.shape), scene.clamp()
    if kind is Div:
        scale = plausible(a.scale / (b.scale * 2.0 ** scene.rng.uniform(*RATIOS)))
        y = scene.tensor(a.shape, scale)
    elif scene.numerics is Numerics.TFLM:
        raise Illegal  # TFLite Micro has them for float32 only
    data = scene.rng.integers(-128, 128, b.shape).astype(np.int8)
    data[np.isin(data, (b.zero_point, 0, -1))] = 3 if b.zero_point != 3 else 5
    by = replace(b, name=f"{b.name}_by", data=data)
    made = kind(y.name, (a, by), (y,), clamp)
    return scene.add(made if kind is Div else replace(made, activation=type(clamp).NONE))


def selection(scene: Scene) -> Tensor:
    """SELECT, which LiteRT alone has, by a value for each element, for each row, or for all."""
    if scene.numerics is Numerics.TFLM:
        raise Illegal
    a = scene.pick(is_vector)
    b = scene.constant_like(a, a.shape)
    shape = scene.choice((a.shape, a.shape[:1], ()))
    data = scene.rng.integers(0, 2, shape).astype(bool)
    condition = Tensor(f"{scene.name()}_where", shape, DType.BOOL, None, data)
    pair = (a, b) if scene.chance(0.5) else (b, a)
    y = scene.like(a)
    return scene.add(Select(y.name, (condition, *pair), (y,)))


PAIRS: tuple[tuple[Callable[[Scene], Any], int], ...] = (
    (quotient, 4),
    (selection, 2),
)
