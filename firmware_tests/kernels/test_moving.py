"""PAD, PADV2, CONCATENATION and the views: they move bytes and compute nothing."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native, graph_of
from firmware_tests.kernels.tensors import constant, plain, quantized
from firmware_tests.models.writer import to_tflite
from tinygen.errors import ModelError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Activation, DType, Numerics, Op, Tensor
from tinygen.ops.concatenation import CONCATENATION, Concatenation
from tinygen.ops.expand_dims import ExpandDims
from tinygen.ops.pad import PAD, PADV2, Pad, Paddings, PadV2
from tinygen.ops.reshape import Reshape
from tinygen.ops.squeeze import Squeeze

Shape = tuple[int, ...]

PADDINGS: tuple[tuple[Shape, Paddings], ...] = (
    ((1, 4, 5, 3), ((0, 0), (1, 2), (3, 0), (0, 0))),
    ((2, 3, 2, 3), ((0, 0), (0, 0), (0, 0), (1, 4))),
    ((2, 3, 2, 3), ((1, 0), (0, 2), (1, 1), (2, 1))),
    ((2, 3), ((2, 0), (0, 3))),
    ((7,), ((1, 2),)),
    ((2, 2, 2, 2, 2), ((1, 2), (0, 1), (2, 0), (0, 2), (1, 1))),
    ((3, 4, 1), ((0, 0), (0, 0), (0, 0))),
)
CONCATENATIONS: tuple[tuple[tuple[Shape, ...], int], ...] = (
    (((1, 4, 4, 3), (1, 4, 4, 5)), 3),
    (((1, 2, 4, 3), (1, 5, 4, 3)), 1),
    (((2, 2, 3), (2, 1, 3), (2, 4, 3)), 1),
    (((1, 3), (2, 3)), 0),
    (((5,),), 0),
)
VIEWS: tuple[tuple[type[Op], Shape, Shape], ...] = (
    (Reshape, (1, 4, 4, 3), (1, 48)),
    (Reshape, (6,), (2, 3)),
    (Squeeze, (1, 5, 1, 3), (5, 3)),
    (ExpandDims, (4, 3), (4, 1, 3)),
)


def padded(index: int, dtype: DType, shape: Shape, paddings: Paddings) -> Pad:
    out = tuple(n + before + after for n, (before, after) in zip(shape, paddings, strict=True))
    name = f"pad_{dtype.value}_{index}"
    if dtype is DType.INT8:
        zero = (-128, 3, 127)[index % 3]
        x, y = quantized(f"{name}_x", shape, 0.1, zero), quantized(name, out, 0.1, zero)
    else:
        x, y = plain(f"{name}_x", shape, dtype), plain(name, out, dtype)
    return Pad(name, (x,), (y,), paddings)


def padded_with_value(
    index: int, shape: Shape, paddings: Paddings, dtype: DType = DType.INT8, fill: float = -100
) -> PadV2:
    out = tuple(n + before + after for n, (before, after) in zip(shape, paddings, strict=True))
    name = f"padv2_{dtype.value}_{index}"
    stored = np.array([fill + index], dtype.numpy)
    if dtype is DType.INT8:
        value = quantized(f"{name}_value", (1,), 0.1, 4, stored)
        x, y = quantized(f"{name}_x", shape, 0.1, 4), quantized(name, out, 0.1, 4)
    else:
        value = replace(plain(f"{name}_value", (), dtype), data=stored.reshape(()))
        x, y = plain(f"{name}_x", shape, dtype), plain(name, out, dtype)
    pairs = Tensor(
        f"{name}_paddings", (len(shape), 2), DType.INT32, None, np.array(paddings, np.int32)
    )
    return PadV2(name, (x, pairs, value), (y,), paddings)


def joined(index: int, dtype: DType, shapes: tuple[Shape, ...], axis: int) -> Concatenation:
    name = f"concatenation_{dtype.value}_{index}"
    rng = np.random.default_rng(index)
    inputs: list[Tensor] = []
    for i, shape in enumerate(shapes):
        if dtype is not DType.INT8:
            inputs.append(plain(f"{name}_{i}", shape, dtype))
        elif i == 1 and index % 2:
            inputs.append(constant(f"{name}_{i}", shape, 0.1, 5, rng))
        else:
            inputs.append(quantized(f"{name}_{i}", shape, 0.1, 5))
    total = sum(shape[axis] for shape in shapes)
    out = (*shapes[0][:axis], total, *shapes[0][axis + 1 :])
    y = quantized(name, out, 0.1, 5) if dtype is DType.INT8 else plain(name, out, dtype)
    return Concatenation(name, tuple(inputs), (y,), axis, Activation.NONE)


def mixed() -> Concatenation:
    """int16 of two scales: both references copy the stored values."""
    tensors = (quantized(f"mixed{i}", (2, 3), 0.1 * i, 0, dtype=DType.INT16) for i in (1, 2))
    y = quantized("mixed", (2, 6), 0.7, 0, dtype=DType.INT16)
    return Concatenation("mixed", tuple(tensors), (y,), 1, Activation.NONE)


def viewed(index: int, op: type[Op], dtype: DType, before: Shape, after: Shape) -> Op:
    name = f"{op.kind.lower()}_{dtype.value}_{index}"
    if dtype is DType.INT8:
        x, y = quantized(f"{name}_x", before, 0.1, 5), quantized(name, after, 0.1, 5)
    else:
        x, y = plain(f"{name}_x", before, dtype), plain(name, after, dtype)
    return op(name, (x,), (y,))


TYPES = (DType.INT8, DType.INT32, DType.FLOAT32)
FILLS = {DType.INT16: -2000, DType.INT32: 70000, DType.FLOAT32: -1.5, DType.INT64: 5 << 40}
MOVING_CASES: tuple[Op, ...] = (
    *(padded(i, dtype, *case) for dtype in TYPES for i, case in enumerate(PADDINGS)),
    *(padded_with_value(i, *case) for i, case in enumerate(PADDINGS)),
    *(
        padded_with_value(i, *PADDINGS[i], dtype, fill)
        for i in (0, 2)
        for dtype, fill in FILLS.items()
    ),
    padded_with_value(0, *PADDINGS[0], DType.BOOL, 1),
    *(joined(i, dtype, *case) for dtype in TYPES for i, case in enumerate(CONCATENATIONS)),
    mixed(),
)
VIEW_CASES: tuple[Op, ...] = tuple(
    viewed(i, op, dtype, before, after)
    for dtype in TYPES
    for i, (op, before, after) in enumerate(VIEWS)
)

CASES: tuple[Op, ...] = (*MOVING_CASES, *VIEW_CASES)


def test_every_row_gives_the_references_bytes() -> None:
    check_native(CASES)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", Numerics)
def test_reference_is_the_interpreters(numerics: Numerics) -> None:
    # TFLite Micro's EXPAND_DIMS has no int32, its PADV2 neither int64 nor bool.
    missing = {("EXPAND_DIMS", DType.INT32), ("PADV2", DType.INT64), ("PADV2", DType.BOOL)}
    assert_interpreter_agrees(
        (op for op in CASES if numerics is Numerics.LITERT or (op.kind, op.x.dtype) not in missing),
        numerics,
    )


def test_a_padding_that_takes_away_is_refused() -> None:
    x, y = quantized("x", (1, 5), 0.1, 5), quantized("y", (1, 5), 0.1, 5)
    graph = graph_of([Pad("y", (x,), (y,), ((0, 0), (-1, 1)))])
    with pytest.raises(ModelError, match=r"paddings .* do not take \(1, 5\) to \(1, 5\)"):
        read_model(to_tflite(graph), "m.tflite", Numerics.TFLM)


def test_inputs_of_another_type_are_refused() -> None:
    op = joined(0, DType.INT8, ((2, 3), (2, 3)), 0)
    broken = replace(op, inputs=(op.inputs[0], plain("wide", (2, 3), DType.INT32)))
    (found,) = CONCATENATION.violations(broken)
    assert "tensor 'wide' int32[2,3]" in found


def test_inputs_of_another_scale_are_refused() -> None:
    op = joined(0, DType.INT8, ((2, 3), (2, 3)), 0)
    other = quantized("other", (2, 3), 0.2, 5)
    broken = Concatenation("y", (op.inputs[0], other), op.outputs, 0, Activation.NONE)
    (found,) = CONCATENATION.violations(broken)
    assert "tensor 'other'" in found
    assert "QUANTIZE" in found


def test_a_border_in_another_quantization_is_refused() -> None:
    op = padded_with_value(0, *PADDINGS[0])
    value = quantized("value", (1,), 0.5, 4, np.array([3], np.int8))
    (found,) = PADV2.violations(PadV2("y", (*op.inputs[:2], value), op.outputs, op.paddings))
    assert "tensor 'value'" in found


def test_a_border_whose_value_the_references_disagree_on_is_refused() -> None:
    x, y = (
        quantized(n, (s,), 2**-16, -(2**15), dtype=DType.INT16) for n, s in (("x", 2), ("y", 4))
    )
    (found,) = PAD.violations(Pad("y", (x,), (y,), ((1, 1),)))
    assert "zero point 0" in found
