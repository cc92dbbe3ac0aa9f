"""RESIZE_BILINEAR: drawn sizes in every convention."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.retyped import retyped
from firmware_tests.kernels.tensors import any_zero_point, plain, quantized
from tinygen.ir import DType, Numerics
from tinygen.ops.resize_bilinear import RESIZE_BILINEAR, ResizeBilinear


def drawn(index: int) -> ResizeBilinear:
    rng = np.random.default_rng(index)
    batch, channels = int(rng.integers(1, 3)), int(rng.integers(1, 5))
    old, new = rng.integers(1, 9, 2).tolist(), rng.integers(1, 14, 2).tolist()
    if index % 4 == 0:
        new = [2 * n for n in old]
    corners, middles = index % 3 == 1, index % 3 == 2
    name, zero = f"resize{index}", any_zero_point(rng)
    x = quantized(f"{name}_x", (batch, *old, channels), 0.1, zero)
    y = quantized(name, (batch, *new, channels), 0.1, zero)
    return ResizeBilinear(name, (x,), (y,), corners, middles)


TYPED = tuple(
    retyped(drawn(index), dtype) for index in range(66) for dtype in (DType.INT16, DType.FLOAT32)
)
CASES = (*(drawn(index) for index in range(6)), *TYPED[:6])
MORE = tuple(drawn(index) for index in range(6, 66))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *MORE[::3], *TYPED[6::3]))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    typed = [op for op in TYPED if numerics is Numerics.LITERT or op.x.dtype is DType.FLOAT32]
    assert_interpreter_agrees((*CASES[:6], *MORE, *typed), numerics)


def test_conventions_exclude_each_other() -> None:
    (found,) = RESIZE_BILINEAR.violations(
        replace(CASES[0], align_corners=True, half_pixel_centers=True)
    )
    assert "align_corners" in found


def test_places_beyond_the_image_are_refused() -> None:
    x, y = quantized("x", (1, 3, 1, 1), 0.1, 0), quantized("y", (1, 2000, 1, 1), 0.1, 0)
    (found,) = RESIZE_BILINEAR.violations(ResizeBilinear("y", (x,), (y,), False, False))
    assert "outside of the image" in found
    x, y = plain("x", (1, 18, 1, 1), DType.FLOAT32), plain("y", (1, 9274223, 1, 1), DType.FLOAT32)
    (found,) = RESIZE_BILINEAR.violations(ResizeBilinear("y", (x,), (y,), False, False))
    assert "outside of the image" in found
