"""What ADD and SUB share: from an operator to its arithmetic, and the kernel rows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from tinygen.errors import UnsupportedError
from tinygen.ir import Activation, Array, DType, Numerics
from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel, Node, OpDef, Rule, only_for
from tinygen.ops.binary import (
    Binary,
    binary_call,
    corner_bounds,
    few_loops,
    geometry_of,
    integer_operands,
    one_variable_kernel,
    parse_binary,
    reference_of,
    rescaling_call,
)
from tinygen.ops.binary_sum import LEFT_SHIFT, ScaledSum, linear_form, scaled_sum
from tinygen.ops.convolution import fused_clamp
from tinygen.ops.plain import Function, Plain, operands
from tinygen.quant import activation_range, dtype_range

B = TypeVar("B", bound=Binary)
SumOf = Callable[[B], ScaledSum]


def parse_sum(node: Node, op: type[B], options: type[Any]) -> B:
    """Read the node; TFLite Micro's ADD of int32 leaves its fused activation out.

    Raises ModelError where the shapes do not broadcast, UnsupportedError for int16 in a form that
    LiteRT computes in another way, and TFLite Micro in this one.
    """
    parsed = parse_binary(node, op, options)
    if (node.kind, parsed.y.dtype, node.numerics) == ("ADD", DType.INT32, Numerics.TFLM):
        return replace(parsed, activation=Activation.NONE)
    by_powers = parsed.y.dtype is DType.INT16 and node.options(options).PotScaleInt16()
    if by_powers and node.numerics is Numerics.LITERT:
        raise UnsupportedError(
            f"{node.kind} '{node.name}' asks LiteRT for int16 with scales that are powers of two",
            "use --numerics tflm, or convert the model with pot_scale_int16 off",
        )
    return parsed


def ratios(op: Binary) -> tuple[float, float, float]:
    """Real multipliers of both inputs and of their sum.

    Source: ``CalculateOpDataAdd``, in double. ``CalculateOpDataSub`` has been seen to divide in
    float32 in TFLite Micro's source; both interpreters that the tests run divide in double.
    """
    twice_max = 2 * max(op.a.scale, op.b.scale)
    return (
        op.a.scale / twice_max,
        op.b.scale / twice_max,
        twice_max / ((1 << LEFT_SHIFT[op.y.dtype]) * op.y.scale),
    )


def output_scale(op: Binary) -> str:
    """The output's scale is more than a 2**-19th of the inputs', or a 2**-14th with int16.

    The reference kernels stop there; check the ranges that the converter calibrated.
    """
    if integer_operands(op) or ratios(op)[2] < 1:
        return ""
    return f"{op.y.scale:g} against {op.a.scale:g} and {op.b.scale:g}"


def sum_of_operands(op: Binary, sign: int) -> ScaledSum:
    """The arithmetic of a + sign * b."""
    zero_points = (op.a.zero_point, op.b.zero_point, op.y.zero_point)
    limits = activation_range(op.activation, op.y)
    return scaled_sum(ratios(op), zero_points, sign, limits, op.y.dtype)


def elementwise_sum(sum_: ScaledSum, a: Array, b: Array) -> Array:
    """The reference on values; each scaled int8 operand is looked up among its 256 values."""
    if DType.INT16.numpy in (a.dtype, b.dtype):
        return sum_.finish(sum_.x.scaled(a) + sum_.w.scaled(b)).astype(np.int16)
    x = sum_.x.table()[a.astype(np.int8).view(np.uint8)]
    w = sum_.w.table()[b.astype(np.int8).view(np.uint8)]
    return sum_.finish(x + w).astype(np.int8)


def sum_kernels(sum_of: SumOf[B]) -> tuple[Kernel[B], ...]:
    """For int8 the linear form where it is proven, else tables."""

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

    def lower_wide(op: B) -> tuple[Call, ...]:
        sum_ = oriented(op)
        operands = tuple(
            (f"{side}_{name}", value)
            for side, term in (("x", sum_.x), ("w", sum_.w))
            for name, value in (
                ("sign", term.sign),
                ("multiplier", term.multiplier),
                ("shift", term.shift),
            )
        )
        output = (("multiplier", sum_.multiplier), ("shift", sum_.shift))
        return (binary_call(op, (*operands, *output)),)

    def linear_row(name: str, needs: Isa) -> Kernel[B]:
        header, types = f"{name}.h", "tg_add_linear_s8"
        return Kernel(name, header, types, lower_linear, needs, is_linear, in_place=True)

    flat = "tg_add_linear_s8_dsp"
    narrow = (
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
    wide = Kernel("tg_add_s16", "tg_add_s16.h", "tg_add_s16", lower_wide, in_place=True)
    return (*only_for(DType.INT8, *narrow), *only_for(DType.INT16, wide))


PLAIN = (DType.FLOAT32, DType.INT32, DType.INT64)
OPERANDS: Rule[Any] = operands(
    PLAIN, integer_operands, "int8 or int16 (zero points 0), each with one scale"
)


def definition_of_sum(
    op: type[B], parse: Callable[[Node], B], sign: int, name: str, function: Function
) -> OpDef[B]:
    """The operator a + sign * b, which is numpy's ``function`` of values without a scale."""
    plain: Plain[B] = Plain(name, PLAIN, function, lambda op: op.activation)

    def sum_of(op: B) -> ScaledSum:
        return sum_of_operands(op, sign)

    def elementwise(op: B, a: Array, b: Array) -> Array:
        return elementwise_sum(sum_of(op), a, b)

    return OpDef(
        op=op,
        dtypes=(DType.INT8, DType.INT16, *PLAIN),
        parse=parse,
        rules=(OPERANDS, fused_clamp, output_scale, few_loops),
        reference=reference_of(plain.or_else(elementwise)),
        kernels=(one_variable_kernel(elementwise), *sum_kernels(sum_of), *plain.kernels),
        bounds=corner_bounds(elementwise),
    )
