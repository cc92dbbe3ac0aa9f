"""SOFTMAX over the last axis, int8 to int8 or int16, and int16 to int16."""

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Numerics, Op
from tinygen.ops import softmax_wide
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe, is_integer, only_for
from tinygen.ops.fixedpoint import (
    Raw,
    exp_on_negative_values,
    input_multiplier,
    input_radius,
    reciprocal,
)
from tinygen.ops.floating import LARGEST, Floats, all_float, is_float, ordered_sum, unless_float
from tinygen.ops.tolerance import Tolerance
from tinygen.quant import (
    doubling_high_mul,
    dtype_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
)

DIFFERENCE_INTEGER_BITS = 5
SUM_INTEGER_BITS = 12
# exp() of two libraries differs in the last place; its sum and the division add little.
EXPONENTIALS = Tolerance(units=16, of_largest=1e-6)
MAX_DEPTH = (1 << SUM_INTEGER_BITS) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Softmax(Op):
    """y[..., i] = exp(beta * x[..., i]) / sum over j of exp(beta * x[..., j])."""

    kind: ClassVar[str] = "SOFTMAX"

    beta: float
    numerics: Numerics = Numerics.TFLM

    @property
    def depth(self) -> int:
        """Elements of a row."""
        return self.x.shape[-1]


S = TypeVar("S", bound=Softmax)


def parse(node: Node) -> Softmax:
    """Read the node. Raises ModelError where shapes differ or beta is not a number."""
    import tflite

    node.arity(1)
    x, y = node.present[0], node.outputs[0]
    if x.shape != y.shape or not x.shape:
        raise ModelError(f"SOFTMAX '{node.name}': input {x.shape} and output {y.shape} must agree")
    beta = node.options(tflite.SoftmaxOptions).Beta()
    if not isfinite(beta):
        raise ModelError(f"SOFTMAX '{node.name}': beta is {beta}")
    return Softmax(node.name, (x,), node.outputs, beta, node.numerics)


def types(op: Softmax) -> str:
    """The input is int8, the output int8 (scale 1/256, zero point -128) or int16 (1/65536, -32768).

    Or both are float32.

    Or both are int16 with zero point 0, the output with scale 1/32768.
    Convert the model with full integer post-training quantization (int8).
    """
    if not is_integer(op.x):
        return describe(op.x)
    outputs = (DType.INT16,) if is_wide(op) else (DType.INT8, DType.INT16)
    if op.y.dtype not in outputs or op.y.quant is None or op.y.quant.per_channel:
        return describe(op.y)
    low, high = dtype_range(op.y.dtype)
    step = 2.0**-15 if is_wide(op) else 1.0 / (high - low + 1)
    if op.y.zero_point != (0 if is_wide(op) else low) or abs(op.y.scale - step) > 0.001 * step:
        return describe(op.y)
    return ""


def is_wide(op: Softmax) -> bool:
    """Whether the input is int16."""
    return op.x.dtype is DType.INT16


def depth_fits(op: Softmax) -> str:
    """The last axis has at most 4095 elements.

    The reference's sum of exponentials has 12 integer bits; split the axis in the model.
    """
    return str(op.depth) if op.depth > MAX_DEPTH else ""


def step_is_large(op: Softmax) -> str:
    """The input's scale times beta is more than 2**-26; with int16, positive and below 2.5.

    The reference kernels stop there; check the range that the converter calibrated.
    """
    if types(op):
        return ""
    found = op.beta * op.x.scale
    if is_wide(op):
        return "" if 0 < softmax_wide.ratio(found) < 2**14 else f"{found:g}"
    return "" if found * (1 << (31 - DIFFERENCE_INTEGER_BITS)) > 1 else f"{found:g}"


@lru_cache(maxsize=64)
def exponentials(step: float) -> npt.NDArray[np.int32]:
    """exp(-d * step), no integer bits, for each difference d = 0..255 from the row's maximum.

    Zero where the reference skips the element. Source: TFLite's ``PreprocessSoftmaxScaling`` and
    ``reference_ops::Softmax``.
    """
    multiplier, left_shift = input_multiplier(step, DIFFERENCE_INTEGER_BITS)
    kept = min(255, input_radius(DIFFERENCE_INTEGER_BITS, left_shift))
    differences = -np.arange(kept + 1, dtype=np.int64)
    scaled = multiply_by_quantized_multiplier(differences, multiplier, left_shift)
    table = np.zeros(256, np.int32)
    table[: kept + 1] = exp_on_negative_values(scaled, DIFFERENCE_INTEGER_BITS)
    return table


def reference(op: Softmax, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::Softmax, for integers and for floats.

    Where the reference would shift by more than 31 bits it aborts (the sum is 512 or more for an
    int8 output); here such rows give what the formula gives: 0.
    """
    if is_float(op):
        scaled = below_largest(values[0]) * np.float32(op.beta)
        exps = np.exp(scaled.astype(np.float64)).astype(np.float32)
        return (exps / ordered_sum(np.moveaxis(exps, -1, 0))[..., None],)
    if is_wide(op):
        return (softmax_wide.softmax(values[0], op.beta * op.x.scale, op.numerics),)
    rows = values[0].reshape(-1, op.depth).astype(np.int64)
    exps = exponentials(op.beta * op.x.scale)[rows.max(axis=1, keepdims=True) - rows]
    sums: Raw = rounding_divide_by_pot(exps, SUM_INTEGER_BITS).sum(axis=1, dtype=np.int64)
    scale, over_unit = reciprocal(sums[:, None], SUM_INTEGER_BITS)
    exponent = over_unit + 31 - 8 * op.y.dtype.size
    low, high = dtype_range(op.y.dtype)
    share = rounding_divide_by_pot(doubling_high_mul(exps, scale), np.minimum(exponent, 32))
    result = np.clip(share.astype(np.int64) + low, low, high)
    return (result.reshape(op.y.shape).astype(op.y.dtype.numpy),)


def below_largest(x: Array) -> Floats:
    """Float32 values minus the greatest of their row."""
    with np.errstate(over="ignore", invalid="ignore"):
        most = np.fmax.reduce(x, axis=-1, keepdims=True, initial=-LARGEST)
        return np.asarray(x - most, np.float32)


def lower_float(op: Softmax) -> tuple[Call, ...]:
    """The call of ``tg_softmax_f32`` or ``tg_log_softmax_f32``."""
    shape = (("rows", op.x.elements // op.depth), ("depth", op.depth))
    return (Call(shape, (("beta", op.beta),), (op.x,), (op.y,)),)


def float_row(function: str) -> Kernel[S]:
    """The row on float32 of SOFTMAX or LOG_SOFTMAX."""
    row: Kernel[S] = Kernel(
        function, "tg_softmax_f32.h", "tg_softmax_f32", lower_float, in_place=True
    )
    return only_for(DType.FLOAT32, row)[0]


def lower(op: Softmax) -> tuple[Call, ...]:
    """The call of either kernel; the table ends with its last value that is not zero."""
    table = exponentials(op.beta * op.x.scale)
    table = table[: int(np.flatnonzero(table)[-1]) + 1]
    shape = (("rows", op.x.elements // op.depth), ("depth", op.depth))
    params = (("exponentials", table), ("count", table.size))
    return (Call(shape, params, (op.x,), (op.y,)),)


def lower_wide(op: Softmax) -> tuple[Call, ...]:
    """The call of ``tg_softmax_s16``."""
    multiplier, shift = quantize_multiplier(softmax_wide.ratio(op.beta * op.x.scale))
    shape = (("rows", op.x.elements // op.depth), ("depth", op.depth))
    params = (
        ("exponentials", softmax_wide.exponentials(op.numerics)),
        ("reciprocals", softmax_wide.reciprocals(op.numerics)),
        ("multiplier", multiplier),
        ("shift", shift),
    )
    return (Call(shape, params, (op.x,), (op.y,)),)


SOFTMAX = OpDef(
    op=Softmax,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    parse=parse,
    rules=(all_float, *unless_float(types, depth_fits, step_is_large)),
    reference=reference,
    kernels=(
        Kernel(
            "tg_softmax_s8",
            "tg_softmax_s8.h",
            "tg_softmax_s8",
            lower,
            fits=lambda op: op.y.dtype is DType.INT8,
            in_place=True,
        ),
        Kernel(
            "tg_softmax_s8_s16",
            "tg_softmax_s8.h",
            "tg_softmax_s8",
            lower,
            fits=lambda op: op.y.dtype is DType.INT16 and not is_wide(op),
        ),
        Kernel(
            "tg_softmax_s16",
            "tg_softmax_s16.h",
            "tg_softmax_s16",
            lower_wide,
            fits=is_wide,
            in_place=True,
        ),
        float_row("tg_softmax_f32"),
    ),
    tolerance=EXPONENTIALS,
)
