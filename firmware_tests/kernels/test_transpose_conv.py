"""TRANSPOSE_CONV: drawn windows over the output, weights and quantization as convolutions have."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.weighted import CLAMPS, Range, drawn_window, weighted_tensors
from firmware_tests.models.writer import to_tflite
from tinygen.errors import ModelError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Numerics
from tinygen.ops.transpose_conv import TRANSPOSE_CONV, TransposeConv


def drawn(index: int) -> TransposeConv:
    rng = np.random.default_rng(index)
    size, window, source = drawn_window(rng, dilated=False)
    batch, in_c, out_c = (int(n) for n in rng.integers(1, (3, 8, 6)))
    shapes = (batch, *source, in_c), (out_c, *window.kernel, in_c), (batch, *size, out_c)
    kind = list(Range)[index % 4] if index % 3 == 0 else Range.USUAL
    depth, axis = in_c * int(np.prod(window.kernel)), 0 if index % 4 else None
    inputs, y = weighted_tensors(
        f"transpose_conv{index}", kind, shapes, depth, axis, index % 5 > 0, rng
    )
    return TransposeConv(y.name, inputs, (y,), window, CLAMPS[index % len(CLAMPS)])


CASES = tuple(drawn(index) for index in range(8))
MORE = tuple(drawn(index) for index in range(8, 70))


def test_every_row_gives_the_references_bytes() -> None:
    check_native((*CASES, *MORE[::2]))


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees((*CASES, *MORE), numerics)


def test_multiplications_are_those_of_every_pixel_with_the_kernel() -> None:
    op = CASES[0]
    out_c, kernel_h, kernel_w, in_c = op.weights.shape
    pixels = op.x.elements // in_c
    assert TRANSPOSE_CONV.macs(op) == pixels * out_c * kernel_h * kernel_w * in_c


def test_an_output_that_no_convolution_takes_to_the_input_is_refused() -> None:
    op = CASES[0]
    taller = replace(op.y, shape=(op.y.shape[0], op.y.shape[1] + 20, *op.y.shape[2:]))
    data = to_tflite(graph_of([op])).replace(
        np.array(op.y.shape, np.int32).tobytes(), np.array(taller.shape, np.int32).tobytes()
    )
    with pytest.raises(ModelError, match="TRANSPOSE_CONV"):
        read_model(data, "m.tflite", Numerics.TFLM)
