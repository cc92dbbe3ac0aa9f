"""DIV: elementwise quotient with broadcasting, int8, int16, float32 or int32.

Only LiteRT has it for int16. int32 rounds towards zero. The references stop where a whole number is
divided by zero; generated C goes on with a quotient of 0. With int8 and int16 they shift very small
quotients right by more than 31 bits, which C++ leaves undefined, and x86 shifts by less; the
quotient here is 0, which is what no bits are.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, Rule, only_for
from tinygen.ops.binary import (
    Binary,
    binary_call,
    few_loops,
    geometry_of,
    integer_operands,
    one_variable_kernel,
    parse_binary,
    reference_of,
)
from tinygen.ops.convolution import fused_clamp
from tinygen.ops.dividing import divided, divisor_not_zero, is_float
from tinygen.ops.fixedpoint import reciprocal
from tinygen.ops.plain import Plain, operands
from tinygen.quant import (
    activation_range,
    doubling_high_mul,
    quantize_multiplier,
    rounding_divide_by_pot,
)

FRACTION_BITS = 31
LARGEST_SHIFT = {DType.INT8: 23, DType.INT16: 15}  # the fewest sign bits of a dividend beyond one


@dataclass(frozen=True, slots=True, eq=False)
class Div(Binary):
    """y = act(a / b)."""

    kind: ClassVar[str] = "DIV"


def parse(node: Node) -> Div:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    import tflite

    return parse_binary(node, Div, tflite.DivOptions)


def multiplier_of(op: Div) -> tuple[int, int]:
    """(multiplier, shift) of the quotient. Source: ``CalculateOpDataDiv``: in float32."""
    a, b, y = (np.float32(tensor.scale) for tensor in (op.a, op.b, op.y))
    with np.errstate(all="ignore"):
        return quantize_multiplier(float(a / (b * y)))


def elementwise(op: Div, a: Array, b: Array) -> Array:
    """Source: TFLite's reference_ops::DivElementwise."""
    multiplier, shift = multiplier_of(op)
    above, below = np.broadcast_arrays(
        a.astype(np.int64) - op.a.zero_point, b.astype(np.int64) - op.b.zero_point
    )
    above, below = np.where(below < 0, -above, above), np.abs(below)
    inverse, digits = reciprocal(np.maximum(below, 1), FRACTION_BITS)
    headroom = sign_bits(above)
    quotient = doubling_high_mul(above << headroom, inverse)
    right = headroom + digits - shift
    scaled = rounding_divide_by_pot(doubling_high_mul(quotient, multiplier), np.clip(right, 0, 31))
    result = np.where((below == 0) | (right > 31), 0, scaled).astype(np.int64)
    limits = activation_range(op.activation, op.y)
    return np.clip(result + op.y.zero_point, *limits).astype(op.y.dtype.numpy)


def sign_bits(values: Array) -> Array:
    """By how many bits an int32 can be moved left without a change of its sign; 31 for zero."""
    magnitudes = np.where(values < 0, ~values, values).reshape(-1).tolist()
    bits = [31 - int(value).bit_length() for value in magnitudes]
    return np.array(bits, np.int64).reshape(values.shape)


def scales_in_range(op: Div) -> str:
    """The dividend's scale is less than 2**23 times those of divisor and output; int16: 2**15.

    Beyond that the reference kernels overflow; check the ranges that the converter calibrated.
    """
    if PLAIN.takes(op) or multiplier_of(op)[1] <= LARGEST_SHIFT[op.y.dtype]:
        return ""
    return f"{op.a.scale:g} by {op.b.scale:g} against {op.y.scale:g}"


def lower(op: Div) -> tuple[Call, ...]:
    """The call of ``tg_div_s8`` or ``tg_div_s16``."""
    multiplier, shift = multiplier_of(op)
    params = (
        ("a_zero_point", op.a.zero_point),
        ("b_zero_point", op.b.zero_point),
        ("multiplier", multiplier),
        ("shift", shift),
        ("output_zero_point", op.y.zero_point),
        ("swapped", int(geometry_of(op).swapped)),
    )
    return (binary_call(op, params),)


def _row(dtype: DType, function: str) -> tuple[Kernel[Div], ...]:
    return only_for(dtype, Kernel(function, "tg_div.h", "tg_div", lower, in_place=True))


def quotient(a: Array, b: Array) -> Array:
    """Source: TFLite's reference_ops::Div: C's division, which rounds towards zero."""
    if is_float(a):
        return np.asarray(a / b)
    wide = a.astype(np.int64), b.astype(np.int64)
    return divided(lambda x, w: np.sign(x) * np.sign(w) * (np.abs(x) // np.abs(w)), *wide)


PLAIN: Plain[Div] = Plain("div", (DType.FLOAT32, DType.INT32), quotient, lambda op: op.activation)
OPERANDS: Rule[Any] = operands(
    PLAIN.dtypes, integer_operands, "int8 or int16 (zero points 0), each with one scale"
)

DIV = OpDef(
    op=Div,
    dtypes=(DType.INT8, DType.INT16, *PLAIN.dtypes),
    parse=parse,
    rules=(OPERANDS, fused_clamp, scales_in_range, divisor_not_zero, few_loops),
    reference=reference_of(PLAIN.or_else(elementwise)),
    kernels=(
        one_variable_kernel(elementwise),
        *_row(DType.INT8, "tg_div_s8"),
        *_row(DType.INT16, "tg_div_s16"),
        *PLAIN.kernels,
    ),
)
