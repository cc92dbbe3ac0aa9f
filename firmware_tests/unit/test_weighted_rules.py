"""What the operators with weights and the pools refuse, and how they say it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_tests.models import samples
from firmware_tests.models.edit import edited
from firmware_tests.models.writer import to_tflite
from tinygen.errors import ModelError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Activation, DType, Graph, Numerics, Op, QuantParams, Tensor
from tinygen.ops import definition_of
from tinygen.ops.fully_connected import FullyConnected, Rounding
from tinygen.ops.pool2d import AveragePool2D

CONVOLUTIONS = (samples.conv2d, samples.depthwise_conv2d)
WEIGHTED = (*CONVOLUTIONS, samples.fully_connected)


def with_input(op: Op, index: int, **changes: Any) -> Op:
    """``op`` with one input changed."""
    inputs = list(op.inputs)
    inputs[index] = replace(inputs[index], **changes)
    return replace(op, inputs=tuple(inputs))


def scaled(tensor: Tensor, factor: float) -> QuantParams:
    assert tensor.quant is not None
    scales = tuple(float(np.float32(s * factor)) for s in tensor.quant.scale)
    return replace(tensor.quant, scale=scales)


def zero_points(tensor: Tensor, value: int) -> QuantParams:
    assert tensor.quant is not None
    return replace(tensor.quant, zero_point=(value,) * len(tensor.quant.zero_point))


BROKEN: tuple[tuple[str, Callable[[Op], Op], str], ...] = (
    ("int16_weights", lambda op: with_input(op, 1, dtype=DType.INT16), "Weights are int8"),
    ("weights_at_run_time", lambda op: with_input(op, 1, data=None), "constants of the model"),
    ("tanh", lambda op: replace(op, activation=Activation.TANH), "fused activation is none"),  # type: ignore[call-arg]
    (
        "two_scales",
        lambda op: with_input(op, 1, quant=QuantParams((0.5, 0.25), (0, 0), 0)),
        "one scale, or one for each output channel",
    ),
    (
        "huge_scale",
        lambda op: with_input(op, 1, quant=scaled(op.inputs[1], 2.0**40)),
        "is below 2**30",
    ),
    (
        "float_input",
        lambda op: with_input(op, 0, dtype=DType.FLOAT32),
        "Where the input is float32",
    ),
)


@pytest.mark.parametrize("sample", WEIGHTED, ids=lambda s: s.__name__)
@pytest.mark.parametrize(("breaks", "message"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_what_is_not_compiled_is_refused_by_name(
    sample: Callable[[], Graph], breaks: Callable[[Op], Op], message: str
) -> None:
    op = sample().ops[0]
    definition = definition_of(op)
    assert definition.violations(op) == []
    found = definition.violations(breaks(op))
    assert any(message in line for line in found), found
    assert all(line.startswith(f"{op.kind} '{op.name}': ") for line in found)


@pytest.mark.parametrize("sample", CONVOLUTIONS, ids=lambda s: s.__name__)
def test_convolutions_refuse_weights_with_a_zero_point(sample: Callable[[], Graph]) -> None:
    op = sample().ops[0]
    found = definition_of(op).violations(with_input(op, 1, quant=zero_points(op.inputs[1], 3)))
    assert len(found) == 1
    assert "symmetric (zero point 0)" in found[0]


def dense() -> FullyConnected:
    op = samples.fully_connected().ops[0]
    assert isinstance(op, FullyConnected)
    return op


def test_fully_connected_takes_a_zero_point_with_one_scale_only() -> None:
    op, definition = dense(), definition_of(dense())
    assert definition.violations(with_input(op, 1, quant=zero_points(op.weights, 3))) == []
    per_channel = QuantParams((0.01,) * 5, (0, 0, 1, 0, 0), 0)
    (found,) = definition.violations(with_input(op, 1, quant=per_channel))
    assert "zero point 0 where they have one scale per channel" in found


def test_fully_connected_refuses_shuffled_weights() -> None:
    (found,) = definition_of(dense()).violations(replace(dense(), shuffled=True))
    assert "default order" in found


def test_pools_refuse_to_rescale() -> None:
    graph = next(g for g in (s() for s in samples.SAMPLES) if isinstance(g.ops[0], AveragePool2D))
    op = graph.ops[0]
    other = replace(op, outputs=(replace(op.y, quant=scaled(op.y, 1.5)),))
    (found,) = definition_of(op).violations(other)
    assert "share scale and zero point" in found
    nearly = replace(op, outputs=(replace(op.y, quant=scaled(op.y, 1 + 1e-6)),))
    assert definition_of(op).violations(nearly) == []


@pytest.mark.parametrize(
    ("numerics", "rounding"), [(Numerics.TFLM, Rounding.TWICE), (Numerics.LITERT, Rounding.ONCE)]
)
def test_numerics_choose_how_fully_connected_rounds(numerics: Numerics, rounding: Rounding) -> None:
    graph = read_model(to_tflite(samples.fully_connected()), "dense.tflite", numerics)
    op = graph.ops[0]
    assert isinstance(op, FullyConnected)
    assert op.rounding is rounding
    assert op.keep_num_dims


def resized(op: Op, index: int, shape: tuple[int, ...]) -> Op:
    """``op`` with constant input ``index`` of another shape."""
    data = np.zeros(shape, op.inputs[index].dtype.numpy)
    return with_input(op, index, shape=shape, data=data, quant=QuantParams((0.5,), (0,)))


@pytest.mark.parametrize(
    ("sample", "index", "shape", "message"),
    [
        (samples.conv2d, 1, (5, 3, 3, 3), "do not fit input"),
        (samples.conv2d, 1, (4, 3, 3, 2), "do not fit input"),
        (samples.conv2d, 1, (4, 3, 3), "not 4"),
        (samples.conv2d, 2, (3,), "bias (3,) is not (4,)"),
        (samples.depthwise_conv2d, 1, (1, 3, 2, 5), "do not fit input"),
        (samples.depthwise_conv2d, 1, (2, 3, 2, 4), "do not fit input"),
        (samples.fully_connected, 1, (5, 7), "do not fit input"),
        (samples.fully_connected, 1, (4, 6), "do not fit input"),
        (samples.fully_connected, 1, (5, 6, 1), "do not fit input"),
    ],
)
def test_shapes_that_contradict_each_other_are_a_broken_model(
    sample: Callable[[], Graph], index: int, shape: tuple[int, ...], message: str
) -> None:
    graph = sample()
    broken = replace(graph, ops=(resized(graph.ops[0], index, shape),))
    with pytest.raises(ModelError) as caught:
        read_model(to_tflite(broken), "broken.tflite", Numerics.TFLM)
    assert message in str(caught.value)


@pytest.mark.parametrize("sample", CONVOLUTIONS)
def test_a_kernel_that_reaches_beyond_32_bits_is_a_broken_model(
    sample: Callable[[], Graph],
) -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].operators[0].builtinOptions.dilationHFactor = 2**30

    with pytest.raises(ModelError, match="reach further"):
        read_model(edited(to_tflite(sample()), change), "broken.tflite", Numerics.TFLM)
