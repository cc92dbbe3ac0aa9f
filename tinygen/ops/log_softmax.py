"""LOG_SOFTMAX over the last axis, int8 or float32."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.interval import Integers
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe, int8_per_tensor, only_for
from tinygen.ops.fixedpoint import input_multiplier, input_radius, log_of_sum
from tinygen.ops.floating import Floats, all_float, is_float, ordered_sum, unless_float
from tinygen.ops.softmax import (
    DIFFERENCE_INTEGER_BITS,
    EXPONENTIALS,
    SUM_INTEGER_BITS,
    Softmax,
    below_largest,
    depth_fits,
    exponentials,
    float_row,
)
from tinygen.ops.unary import check_unary
from tinygen.quant import (
    INT32_MIN,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
)

OUTPUT_INTEGER_BITS = 4
OUTPUT_SHIFT = 31 - DIFFERENCE_INTEGER_BITS - OUTPUT_INTEGER_BITS


@dataclass(frozen=True, slots=True, eq=False)
class LogSoftmax(Softmax):
    """y[.., i] = x[.., i] - log(sum over j of exp(x[.., j])); ``beta`` is 1."""

    kind: ClassVar[str] = "LOG_SOFTMAX"


def parse(node: Node) -> LogSoftmax:
    """Read the node. Raises ModelError where the shapes differ, or there is no axis."""
    check_unary(node)
    if not node.present[0].shape:
        raise ModelError(f"LOG_SOFTMAX '{node.name}': a scalar has no axis")
    return LogSoftmax(node.name, node.present, node.outputs, 1.0)


def output_scale(op: LogSoftmax) -> str:
    """The output's scale is 1/16, its zero point 127.

    The reference kernels know no other; convert the model anew.
    """
    return "" if (op.y.scale, op.y.zero_point) == (1 / 16, 127) else describe(op.y)


def step_is_large(op: LogSoftmax) -> str:
    """The input's scale is more than 2**-25.

    The reference kernels stop there; check the range that the converter calibrated.
    """
    return "" if op.x.scale > 2.0**-25 else f"{op.x.scale:g}"


def scaled_differences(op: LogSoftmax) -> Integers:
    """-d steps with five integer bits, for each difference d from the row's maximum that counts."""
    multiplier, shift = input_multiplier(op.x.scale, DIFFERENCE_INTEGER_BITS)
    radius = min(255, input_radius(DIFFERENCE_INTEGER_BITS, shift))
    differences = -np.arange(radius + 1, dtype=np.int64)
    return multiply_by_quantized_multiplier(differences, multiplier, shift).astype(np.int64)


def divisor_of(op: LogSoftmax) -> tuple[int, int]:
    """(multiplier, shift) back from five integer bits to steps of the input.

    Source: TFLite's ``PreprocessLogSoftmaxScalingExp``.
    """
    multiplier, shift = input_multiplier(op.x.scale, DIFFERENCE_INTEGER_BITS)
    return quantize_multiplier((1 << (31 - shift)) / multiplier)


def reference(op: LogSoftmax, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::LogSoftmaxQuantized; reference_ops::LogSoftmax for floats."""
    if is_float(op):
        return (float_reference(values[0]),)
    rows = values[0].reshape(-1, op.depth).astype(np.int64)
    below = rows.max(axis=1, keepdims=True) - rows
    exps = rounding_divide_by_pot(exponentials(op.x.scale)[below], SUM_INTEGER_BITS)
    log = log_of_sum(exps.sum(axis=1, dtype=np.int64), SUM_INTEGER_BITS)[:, None]
    least = multiply_by_quantized_multiplier(log + INT32_MIN, *divisor_of(op)).astype(np.int64)
    table = scaled_differences(op)
    counted = (below < len(table)) & (-below > least)
    raw = (table[np.minimum(below, len(table) - 1)] - log).astype(np.int32)
    found = rounding_divide_by_pot(raw, OUTPUT_SHIFT).astype(np.int64) + 127
    result = np.where(counted, np.clip(found, -128, 127), -128)
    return (result.astype(np.int8).reshape(op.y.shape),)


def float_reference(x: Array) -> Floats:
    """The results along the last axis of float32 values."""
    below = below_largest(x)
    exps = np.exp(below.astype(np.float64)).astype(np.float32)
    total = ordered_sum(np.moveaxis(exps, -1, 0)).astype(np.float64)
    return np.asarray(below - np.log(total).astype(np.float32)[..., None], np.float32)


def lower(op: LogSoftmax) -> tuple[Call, ...]:
    """The call of ``tg_log_softmax_s8``."""
    table = scaled_differences(op).astype(np.int32)
    multiplier, shift = divisor_of(op)
    shape = (("rows", op.x.elements // op.depth), ("depth", op.depth))
    params = (
        ("exponentials", exponentials(op.x.scale)[: table.size]),
        ("differences", table),
        ("count", table.size),
        ("multiplier", multiplier),
        ("shift", shift),
    )
    return (Call(shape, params, (op.x,), (op.y,)),)


LOG_SOFTMAX = OpDef(
    op=LogSoftmax,
    dtypes=(DType.INT8, DType.FLOAT32),
    parse=parse,
    rules=(all_float, *unless_float(int8_per_tensor, output_scale, depth_fits, step_is_large)),
    reference=reference,
    kernels=(
        *only_for(
            DType.INT8,
            Kernel(
                "tg_log_softmax_s8",
                "tg_log_softmax_s8.h",
                "tg_log_softmax_s8",
                lower,
                in_place=True,
            ),
        ),
        float_row("tg_log_softmax_f32"),
    ),
    tolerance=EXPONENTIALS,
)
