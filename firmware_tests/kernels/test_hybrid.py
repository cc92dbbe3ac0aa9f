"""float32 activations with int8 weights: LiteRT's numbers, whichever numerics are asked for."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels import test_conv2d, test_depthwise_conv2d, test_fully_connected
from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.floated import hybridized
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.weighted import ONE_INSTANCE
from firmware_tests.models.writer import to_tflite
from tinygen.frontend.tflite import read_model
from tinygen.ir import DType, Numerics, Op
from tinygen.ops import definition_of
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.hybrid import quantized

MATRICES = hybridized(test_fully_connected.CASES)
HYBRID: dict[str, tuple[WeightedOp, ...]] = {
    "convolution": hybridized((*test_conv2d.NAMED, *test_conv2d.DRAWN)),
    "depthwise": hybridized((*test_depthwise_conv2d.NAMED, *test_depthwise_conv2d.DRAWN)),
    "fully_connected": tuple(
        replace(op, asymmetric=index % 2 == 1) for index, op in enumerate(MATRICES)
    ),
}
# Few, for the emulated cores.
CASES: tuple[Op, ...] = tuple(
    op for ops in HYBRID.values() for op in ops[1 :: max(1, len(ops) // 3)]
)


@pytest.mark.parametrize("family", HYBRID)
def test_the_kernel_agrees_with_the_reference(family: str) -> None:
    check_native(HYBRID[family], options=ONE_INSTANCE, every_row=False)


def test_instances_for_one_geometry_agree_with_the_reference() -> None:
    check_native(CASES, every_row=False)


@pytest.mark.reference
@pytest.mark.parametrize("family", HYBRID)
def test_the_reference_agrees_with_litert(family: str) -> None:
    ops = [op for op in HYBRID[family] if isinstance(op, FullyConnected) or op.bias]
    assert_interpreter_agrees(ops, Numerics.LITERT)


@pytest.mark.parametrize("asymmetric", [False, True])
def test_an_image_is_quantized_within_half_a_step(asymmetric: bool) -> None:
    rng = np.random.default_rng(3)
    x = (rng.normal(0, 1, (6, 50)) + np.arange(-3, 3)[:, None]).astype(np.float32)
    x[0] = 0
    steps, scale = quantized(x, asymmetric=asymmetric)
    assert np.abs(steps * scale - x).max() <= 0.5001 * scale.max()
    assert not steps[0].any()
    assert scale[0] == 1
    assert np.ptp(steps[1:], axis=1).min() > (100 if not asymmetric else 127)


def test_the_way_to_quantize_is_read_from_the_file() -> None:
    for op in HYBRID["fully_connected"][:2]:
        for numerics in Numerics:
            (read,) = read_model(to_tflite(graph_of([op])), "m.tflite", numerics).ops
            assert isinstance(read, FullyConnected)
            assert isinstance(op, FullyConnected)
            assert read.asymmetric == op.asymmetric


def test_weights_with_a_zero_point_or_an_integer_bias_are_refused() -> None:
    op = next(op for op in HYBRID["convolution"] if op.bias)
    assert op.weights.quant is not None
    points = (3,) * len(op.weights.quant.zero_point)
    moved = replace(op.weights, quant=replace(op.weights.quant, zero_point=points))
    assert op.bias is not None
    whole = replace(op.bias, dtype=DType.INT32, data=op.bias.values.astype(np.int32))
    for inputs in ((op.x, moved, op.bias), (op.x, op.weights, whole)):
        broken = replace(op, inputs=inputs)
        assert "Where the input is float32" in definition_of(op).violations(broken)[0]


def test_sums_beyond_32_bits_are_refused() -> None:
    op = MATRICES[0]
    out_c = op.weights.shape[0]
    for depth, words in ((1 << 16, ""), ((1 << 16) + 1, "65537")):
        weights = replace(op.weights, shape=(out_c, depth), data=np.zeros((out_c, depth), np.int8))
        x = replace(op.x, shape=(op.y.elements // out_c, depth))
        long = replace(op, inputs=(x, weights, *op.inputs[2:]))
        found = definition_of(op).violations(long)
        assert words in found[0] if words else not found
