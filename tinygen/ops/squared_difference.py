"""SQUARED_DIFFERENCE: (a - b)^2 with broadcasting, int8, int16, float32 or int32.

Only TFLite Micro has it for int16.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.interval import Integers
from tinygen.ir import Activation, Array, DType, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, Rule, only_for
from tinygen.ops.binary import (
    Binary,
    binary_call,
    broadcast_operands,
    few_loops,
    geometry_of,
    integer_operands,
    one_variable_kernel,
    reference_of,
    rescaling_call,
)
from tinygen.ops.plain import Plain, operands
from tinygen.quant import (
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)

LEFT_SHIFT = {DType.INT8: 7, DType.INT16: 0}


@dataclass(frozen=True, slots=True, eq=False)
class SquaredDifference(Binary):
    """y = (a - b)^2; files have no fused activation."""

    kind: ClassVar[str] = "SQUARED_DIFFERENCE"

    @property
    def twice_larger_scale(self) -> float:
        """What both operands are brought to, times 2**LEFT_SHIFT of their type."""
        return 2.0 * max(self.a.scale, self.b.scale)


def parse(node: Node) -> SquaredDifference:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    operands = broadcast_operands(node)
    return SquaredDifference(node.name, operands, node.outputs, Activation.NONE)


def input_multiplier(op: SquaredDifference, tensor: Tensor) -> tuple[int, int]:
    """(multiplier, shift) of an operand. Source: TFLite Micro's ``PrepareQuantized``: doubles."""
    return quantize_multiplier(tensor.scale / op.twice_larger_scale)


def output_multiplier(op: SquaredDifference) -> tuple[int, int]:
    """(multiplier, shift) of the square. Source: as above."""
    steps = 1 << (2 * LEFT_SHIFT[op.y.dtype])
    return quantize_multiplier(op.twice_larger_scale * op.twice_larger_scale / (steps * op.y.scale))


def scaled(op: SquaredDifference, tensor: Tensor, values: Array) -> Integers:
    """An operand in the common scale: at most 255 * 2**6 in magnitude, or 2**14."""
    shifted = (values.astype(np.int64) - tensor.zero_point) << LEFT_SHIFT[tensor.dtype]
    found = multiply_by_quantized_multiplier(shifted, *input_multiplier(op, tensor))
    return found.astype(np.int64)


def elementwise(op: SquaredDifference, a: Array, b: Array) -> Array:
    """Source: TFLite Micro's ``SquaredDifference``."""
    difference = scaled(op, op.a, a) - scaled(op, op.b, b)
    square = multiply_by_quantized_multiplier(difference * difference, *output_multiplier(op))
    total = square.astype(np.int64) + op.y.zero_point
    return np.clip(total, *activation_range(op.activation, op.y)).astype(op.y.dtype.numpy)


def scales_in_range(op: SquaredDifference) -> str:
    """The square of the larger scale is less than 2**12 times the output's; int16: a quarter of it.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if PLAIN.takes(op):
        return ""
    larger = max(op.a.scale, op.b.scale)
    fits = larger * larger < 2.0 ** (2 * LEFT_SHIFT[op.y.dtype] - 2) * op.y.scale
    return "" if fits else f"{larger:g} against {op.y.scale:g}"


def lower(op: SquaredDifference) -> tuple[Call, ...]:
    """The call of ``tg_squared_difference_s8``; squares are below 2**30."""
    x, w = (op.b, op.a) if geometry_of(op).swapped else (op.a, op.b)
    (xm, xs), (wm, ws) = input_multiplier(op, x), input_multiplier(op, w)
    params = (
        ("x_zero_point", x.zero_point),
        ("x_multiplier", xm),
        ("x_shift", xs),
        ("w_zero_point", w.zero_point),
        ("w_multiplier", wm),
        ("w_shift", ws),
    )
    return (rescaling_call(op, params, *output_multiplier(op)),)


def lower_wide(op: SquaredDifference) -> tuple[Call, ...]:
    """The call of ``tg_squared_difference_s16``."""
    fields: list[tuple[str, int]] = []
    x, w = (op.b, op.a) if geometry_of(op).swapped else (op.a, op.b)
    scaled_by = (input_multiplier(op, x), input_multiplier(op, w), output_multiplier(op))
    for name, (multiplier, shift) in zip(("x_", "w_", ""), scaled_by, strict=True):
        fields += [(f"{name}multiplier", multiplier), (f"{name}shift", shift)]
    return (binary_call(op, tuple(fields)),)


def _row(
    dtype: DType, function: str, lower: Callable[[SquaredDifference], tuple[Call, ...]]
) -> tuple[Kernel[SquaredDifference], ...]:
    row = Kernel(function, "tg_squared_difference.h", function, lower, in_place=True)
    return only_for(dtype, row)


PLAIN: Plain[SquaredDifference] = Plain(
    "squared_difference", (DType.FLOAT32, DType.INT32), lambda a, b: (a - b) * (a - b)
)
OPERANDS: Rule[SquaredDifference] = operands(
    PLAIN.dtypes, integer_operands, "int8 or int16 (zero points 0), each with one scale"
)


SQUARED_DIFFERENCE = OpDef(
    op=SquaredDifference,
    dtypes=(DType.INT8, DType.INT16, *PLAIN.dtypes),
    parse=parse,
    rules=(OPERANDS, scales_in_range, few_loops),
    reference=reference_of(PLAIN.or_else(elementwise)),
    kernels=(
        one_variable_kernel(elementwise),
        *_row(DType.INT8, "tg_squared_difference_s8", lower),
        *_row(DType.INT16, "tg_squared_difference_s16", lower_wide),
        *PLAIN.kernels,
    ),
)
