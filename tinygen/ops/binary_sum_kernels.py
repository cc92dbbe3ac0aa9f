"""What ADD and SUB share: from an operator to its arithmetic, and the kernel rows."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.binary import (
    Binary,
    Int8Array,
    binary_call,
    corner_bounds,
    few_loops,
    geometry_of,
    int8_operands,
    one_variable_kernel,
    reference_of,
    rescaling_call,
)
from tinygen.ops.binary_sum import LEFT_SHIFT, ScaledSum, linear_form, scaled_sum
from tinygen.ops.convolution import fused_clamp
from tinygen.quant import activation_range, dtype_range

B = TypeVar("B", bound=Binary)
SumOf = Callable[[B], ScaledSum]


def ratios(op: Binary) -> tuple[float, float, float]:
    """Real multipliers of both inputs and of their sum.

    Source: ``CalculateOpDataAdd``, in double. ``CalculateOpDataSub`` has been seen to divide in
    float32 in TFLite Micro's source; both interpreters that the tests run divide in double.
    """
    twice_max = 2 * max(op.a.scale, op.b.scale)
    return (
        op.a.scale / twice_max,
        op.b.scale / twice_max,
        twice_max / ((1 << LEFT_SHIFT) * op.y.scale),
    )


def output_scale(op: Binary) -> str:
    """The output's scale is more than a 2**-19th of the inputs'.

    The reference kernels stop there; check the ranges that the converter calibrated.
    """
    if int8_operands(op) or ratios(op)[2] < 1:
        return ""
    return f"{op.y.scale:g} against {op.a.scale:g} and {op.b.scale:g}"


def sum_of_operands(op: Binary, sign: int) -> ScaledSum:
    """The arithmetic of a + sign * b."""
    zero_points = (op.a.zero_point, op.b.zero_point, op.y.zero_point)
    return scaled_sum(ratios(op), zero_points, sign, activation_range(op.activation, op.y))


def elementwise_sum(sum_: ScaledSum, a: Array, b: Array) -> Int8Array:
    """The reference on int8 values; each scaled operand is looked up among its 256 values."""
    x = sum_.x.table()[a.astype(np.int8).view(np.uint8)]
    w = sum_.w.table()[b.astype(np.int8).view(np.uint8)]
    return sum_.finish(x + w)


def sum_kernels(sum_of: SumOf[B]) -> tuple[Kernel[B], ...]:
    """The linear form where it is proven, else tables."""

    def oriented(op: B) -> ScaledSum:
        sum_ = sum_of(op)
        return sum_.swapped if geometry_of(op).swapped else sum_

    def is_linear(op: B) -> bool:
        return linear_form(oriented(op)) is not None

    def lower_linear(op: B) -> tuple[Call, ...]:
        form = linear_form(oriented(op))
        assert form is not None, "the row was chosen, so the form exists"
        params = (
            ("a", form.a),
            ("b", form.b),
            ("c", form.c),
            ("shift", form.shift - 1),
        )
        return (binary_call(op, params),)

    def is_flat(op: B) -> bool:
        """Whether the operands have one shape and the output no limits."""
        geometry = geometry_of(op)
        limits = activation_range(op.activation, op.y)
        same = len(geometry.loops) == 1 and geometry.loops[0].b_stride == 1
        return same and limits == dtype_range(DType.INT8) and geometry.loops[0].size > 1

    def lower_flat(op: B) -> tuple[Call, ...]:
        form, geometry = linear_form(oriented(op)), geometry_of(op)
        assert form is not None, "the row was chosen, so the form exists"
        shape = (("size", geometry.loops[0].size), ("shift", form.shift))
        params = (("a", form.a), ("b", form.b), ("c", form.c))
        operands = (op.b, op.a) if geometry.swapped else (op.a, op.b)
        return (Call(shape, params, operands, (op.y,)),)

    def lower_table(op: B) -> tuple[Call, ...]:
        sum_ = oriented(op)
        # Each entry is below 2**28: an input multiplier is at most one half.
        params = (("x_table", sum_.x.table()), ("w_table", sum_.w.table()))
        return (rescaling_call(op, params, sum_.multiplier, sum_.shift),)

    def linear_row(name: str, needs: Isa) -> Kernel[B]:
        header, types = f"{name}.h", "tg_add_linear_s8"
        return Kernel(name, header, types, lower_linear, needs, is_linear, in_place=True)

    flat = "tg_add_linear_s8_dsp"
    return (
        linear_row("tg_add_linear_s8_mve", Isa.MVE),
        Kernel(
            flat,
            f"{flat}.h",
            flat,
            lower_flat,
            needs=Isa.DSP,
            fits=lambda op: is_flat(op) and is_linear(op),
            in_place=True,
            packs=True,
        ),
        linear_row("tg_add_linear_s8", Isa.ANY),
        Kernel(
            "tg_add_table_s8", "tg_add_table_s8.h", "tg_add_table_s8", lower_table, in_place=True
        ),
    )


def definition_of_sum(op: type[B], parse: Callable[[Node], B], sign: int) -> OpDef[B]:
    """The operator a + sign * b."""

    def sum_of(op: B) -> ScaledSum:
        return sum_of_operands(op, sign)

    def elementwise(op: B, a: Array, b: Array) -> Int8Array:
        return elementwise_sum(sum_of(op), a, b)

    return OpDef(
        op=op,
        parse=parse,
        rules=(int8_operands, fused_clamp, output_scale, few_loops),
        reference=reference_of(elementwise),
        kernels=(one_variable_kernel(elementwise), *sum_kernels(sum_of)),
        bounds=corner_bounds(elementwise),
    )
