"""PRELU, MAXIMUM, MINIMUM and SQUARED_DIFFERENCE: operators with two inputs, no activation."""

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import any_scale, any_zero_point, constant, quantized
from tinygen.ir import Activation, Numerics
from tinygen.ops.binary import Binary
from tinygen.ops.maximum import MAXIMUM, Maximum
from tinygen.ops.minimum import Minimum
from tinygen.ops.prelu import Prelu
from tinygen.ops.squared_difference import SquaredDifference

CLASSES: tuple[type[Binary], ...] = (Prelu, Maximum, Minimum, SquaredDifference)
SHAPES = (
    ((1, 5, 7, 3), (1, 1, 3)),
    ((1, 5, 7, 3), (5, 7, 3)),
    ((33,), (33,)),
    ((2, 9), (1,)),
    ((2, 3, 4, 5), (1, 3, 1, 5)),
)


def drawn(kind: type[Binary], index: int) -> Binary:
    """A case of ``kind``: shapes in turn, quantization drawn, every other right side constant."""
    rng = np.random.default_rng((index, CLASSES.index(kind)))
    shapes = SHAPES[index % len(SHAPES)]
    scale, zero = any_scale(rng), any_zero_point(rng)
    own, other = (scale, zero), (scale, zero)
    if kind is Prelu:
        other = (any_scale(rng, 1e-4, 0.05), any_zero_point(rng))
        own = (scale * float(rng.choice((0.5, 1.0, 1.5, rng.uniform(0.3, 2)))), any_zero_point(rng))
    if kind is SquaredDifference:
        other = (scale * float(rng.uniform(0.1, 4)), any_zero_point(rng))
        step = max(scale, other[0]) ** 2 * float(rng.choice((0.5, 30, rng.uniform(10, 200))))
        own = (step, any_zero_point(rng))
    name = f"{kind.kind.lower()}{index}"
    a = quantized(f"{name}_a", shapes[0], scale, zero)
    b = quantized(f"{name}_b", shapes[1], *other)
    if index % 2:
        b = constant(f"{name}_c", b.shape, b.scale, b.zero_point, rng)
    operands = (b, a) if kind is not Prelu and index % 3 == 2 else (a, b)
    return kind(name, operands, (quantized(name, shapes[0], *own),), Activation.NONE)


CASES: tuple[Binary, ...] = tuple(drawn(kind, i) for kind in CLASSES for i in range(4))
MORE = tuple(drawn(kind, i) for kind in CLASSES for i in range(4, 24))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *MORE[::4]))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees((*CASES, *MORE), numerics)


def test_values_of_two_scales_are_not_compared() -> None:
    a, b = quantized("a", (3,), 0.1, 0), quantized("b", (3,), 0.2, 0)
    (found,) = MAXIMUM.violations(Maximum("y", (a, b), (a,), Activation.NONE))
    assert "tensor 'b'" in found
