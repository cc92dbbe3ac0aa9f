"""MEAN and SUM: every set of axes against the reference, that against the interpreters."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.retyped import retyped
from firmware_tests.kernels.tensors import any_scale, any_zero_point, quantized
from tinygen.ir import DType, Numerics
from tinygen.ops import mean as mean_module
from tinygen.ops.mean import MEAN, Mean
from tinygen.ops.sum import SUM, Sum


def mean(shape: tuple[int, ...], axes: tuple[int, ...], keep: bool, seed: int) -> Mean:
    rng = np.random.default_rng(seed)
    scale = any_scale(rng)
    name = f"mean{seed}_{'x'.join(map(str, shape))}_{axes}_{keep}"
    x = quantized(f"{name}_x", shape, scale, any_zero_point(rng))
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
    out = scale if seed % 3 == 0 else scale * rng.uniform(0.05, 3)
    return Mean(name, (x,), (quantized(name, kept, out, any_zero_point(rng)),), axes, keep)


def faint() -> Mean:
    """Scales so far apart that the count cannot all go into the shift, which ends at 31."""
    x = quantized("faint_x", (1, 49, 3), 2.0**-20, -7)
    return Mean("faint", (x,), (quantized("faint", (1, 3), 2.0**9, 5),), (1,), False)


def total(op: Mean) -> Sum:
    """The SUM over the same axes, with room for it in the output."""
    (y,), name = op.outputs, f"sum_{op.name}"
    real = op.x.scale * (1.0 if len(op.axes) == 1 else op.count * 0.7)
    result = quantized(name, y.shape, real, y.zero_point)
    return Sum(name, op.inputs, (result,), op.axes, op.keep_dims)


def every_axes(rank: int) -> list[tuple[int, ...]]:
    return [axes for n in range(1, rank + 1) for axes in combinations(range(rank), n)]


MEANS: tuple[Mean, ...] = (
    *(
        mean((2, 5, 3, 4), axes, keep, seed)
        for seed, axes in enumerate(every_axes(4))
        for keep in (True, False)
    ),
    *(mean((1, 7, 7, 33), (1, 2), False, seed) for seed in range(20, 26)),
    *(mean((3, 8, 2), axes, True, 30 + i) for i, axes in enumerate(every_axes(3))),
    mean((1024,), (0,), False, 40),
    mean((2, 2, 3, 2, 3), (1, 3), True, 41),
    mean((1, 1, 1, 1), (1, 2), True, 42),
    faint(),
)
PLAIN: tuple[Mean, ...] = tuple(
    retyped(op, dtype) for dtype in mean_module.PLAIN for op in (*MEANS, *map(total, MEANS[::4]))
)
CASES: tuple[Mean, ...] = (*MEANS, *map(total, MEANS[::7]), *PLAIN[::11])


def test_every_row_gives_the_references_bytes() -> None:
    check_native(dict.fromkeys((*CASES, *map(total, MEANS[1::7]), *PLAIN[::3])))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    sums = map(total, MEANS) if numerics is Numerics.TFLM else ()
    plain = (op for op in PLAIN if numerics is Numerics.LITERT or op.x.dtype is DType.FLOAT32)
    assert_interpreter_agrees((*MEANS, *sums, *plain), numerics)


def test_sums_that_wrap_in_litert_are_refused() -> None:
    op = total(mean((4, 3), (0,), False, 0))
    assert SUM.violations(op) == []
    (found,) = SUM.violations(replace(op, numerics=Numerics.LITERT))
    assert "--numerics tflm" in found


def test_three_groups_of_axes_are_refused() -> None:
    (found,) = MEAN.violations(mean((2, 2, 2, 2, 2), (0, 2, 4), False, 0))
    assert "axes (0, 2, 4) of (2, 2, 2, 2, 2)" in found
