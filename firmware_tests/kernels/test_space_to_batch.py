"""SPACE_TO_BATCH_ND: borders of both references, blocks of several shapes, and types."""

from dataclasses import replace

import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.tensors import quantized
from firmware_tests.kernels.test_strided import moved
from tinygen.ir import DType, Numerics
from tinygen.ops import definition_of
from tinygen.ops.space_to_batch_nd import SpaceToBatchND

Sizes = tuple[int, ...]
TYPES = (DType.INT8, DType.FLOAT32, DType.INT16)
SHAPES: tuple[tuple[Sizes, Sizes, tuple[Sizes, ...]], ...] = (
    ((2, 3, 5, 3), (2, 3), ((1, 0), (0, 1))),
    ((1, 2, 2, 4), (3, 1), ((4, 0), (1, 2))),
    ((2, 7, 2), (3,), ((1, 4),)),
    ((3, 4, 6, 1), (2, 2), ((0, 0), (0, 0))),
)


def parted(index: int, numerics: Numerics, dtype: DType = DType.INT8) -> SpaceToBatchND:
    x, block, paddings = SHAPES[index]
    padded = (n + sum(pair) for n, pair in zip(x[1:-1], paddings, strict=True))
    shape = (*(n // size for n, size in zip(padded, block, strict=True)), x[-1])
    batch = x[0]
    for size in block:
        batch *= size
    name = f"part{index}_{numerics.value}_{dtype.value}"
    op = moved(SpaceToBatchND, name, x, (batch, *shape), block, paddings, numerics, dtype=dtype)
    assert isinstance(op, SpaceToBatchND)
    return op


def all_of(numerics: Numerics) -> tuple[SpaceToBatchND, ...]:
    every = range(len(SHAPES))
    return tuple(parted(i, numerics, t) for t in TYPES for i in every)


CASES = (parted(0, Numerics.LITERT), parted(2, Numerics.TFLM), parted(1, Numerics.TFLM))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*all_of(Numerics.TFLM), *all_of(Numerics.LITERT)), count=3)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    # TFLite Micro's border is what its memory held before, and it has no int16.
    known = [op for op in all_of(numerics) if numerics is Numerics.LITERT or alike(op)]
    assert known
    assert_interpreter_agrees(known, numerics)


def alike(op: SpaceToBatchND) -> bool:
    return op.x.dtype is not DType.INT16 and not any(map(any, op.paddings))


def test_a_border_that_is_not_zero_is_refused_where_it_is_not_of_8_bits() -> None:
    op = parted(0, Numerics.TFLM, DType.INT16)
    assert not definition_of(op).violations(op)
    y = quantized("y", op.y.shape, 0.1, 3, dtype=DType.INT16)
    assert "zero point 0" in definition_of(op).violations(replace(op, outputs=(y,)))[0]
    one = replace(op, outputs=parted(0, Numerics.TFLM).outputs)
    assert "one type" in definition_of(one).violations(one)[0]
