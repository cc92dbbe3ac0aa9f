"""RELU, RELU6 and RELU_N1_TO_1 as operators of their own, int8."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from tinygen.ir import Activation, Array, DType, Numerics, Op
from tinygen.ops.base import Node, OpDef, int8_per_tensor
from tinygen.ops.lut import bounds_of_table, clamp_kernel, every_value, lookup, lut_kernel
from tinygen.ops.unary import check_unary, ratio_of_scales, scale_in_range
from tinygen.quant import (
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)

R = TypeVar("R", bound=Op)


@dataclass(frozen=True, slots=True, eq=False)
class Relu(Op):
    """y = max(x, 0)."""

    kind: ClassVar[str] = "RELU"

    numerics: Numerics = Numerics.TFLM


@dataclass(frozen=True, slots=True, eq=False)
class Relu6(Op):
    """y = min(max(x, 0), 6).

    TFLite Micro limits the input in its own quantization and copies it; LiteRT rescales to the
    output's.
    """

    kind: ClassVar[str] = "RELU6"

    numerics: Numerics = Numerics.TFLM


@dataclass(frozen=True, slots=True, eq=False)
class ReluN1To1(Op):
    """y = min(max(x, -1), 1)."""

    kind: ClassVar[str] = "RELU_N1_TO_1"


def rescaled_table(op: Op, activation: Activation, numerics: Numerics) -> Array:
    """Requantize to the output's scale, then clamp there.

    Source: TFLite's ``ReluQuantized`` and ``QuantizedReluX``.
    """
    ratio = ratio_of_scales(op, numerics)
    offsets = every_value(DType.INT8) - op.x.zero_point
    scaled = multiply_by_quantized_multiplier(offsets, *quantize_multiplier(ratio))
    low, high = activation_range(activation, op.y)
    # The lower bound is applied first: where both lie outside int8, the upper one wins.
    bounded = np.maximum(scaled.astype(np.int64) + op.y.zero_point, low)
    return np.minimum(bounded, high).astype(np.int8)


def relu_table(op: Relu) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return rescaled_table(op, Activation.RELU, op.numerics)


def relu_n1_to_1_table(op: ReluN1To1) -> Array:
    """int8 results by the input's byte read as unsigned."""
    return rescaled_table(op, Activation.RELU_N1_TO_1, Numerics.LITERT)


def relu6_table(op: Relu6) -> Array:
    """int8 results by the input's byte read as unsigned."""
    if op.numerics is Numerics.LITERT:
        return rescaled_table(op, Activation.RELU6, op.numerics)
    _, six = activation_range(Activation.RELU6, op.x)
    values = np.minimum(every_value(DType.INT8), six)
    return np.where(values < op.x.zero_point, op.x.zero_point, values).astype(np.int8)


def parse_relu(node: Node) -> Relu:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Relu(node.name, node.present, node.outputs, node.numerics)


def parse_relu6(node: Node) -> Relu6:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return Relu6(node.name, node.present, node.outputs, node.numerics)


def parse_relu_n1_to_1(node: Node) -> ReluN1To1:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return ReluN1To1(node.name, node.present, node.outputs)


def definition(op: type[R], parse: Callable[[Node], R], table: Callable[[R], Array]) -> OpDef[R]:
    """The operator that ``table`` computes."""
    return OpDef(
        op=op,
        dtypes=(DType.INT8,),
        parse=parse,
        rules=(int8_per_tensor, scale_in_range),
        reference=lambda op, values: (lookup(table(op), values[0]),),
        kernels=(clamp_kernel(table), lut_kernel(table)),
        bounds=bounds_of_table(table),
    )


RELU = definition(Relu, parse_relu, relu_table)
RELU6 = definition(Relu6, parse_relu6, relu6_table)
RELU_N1_TO_1 = definition(ReluN1To1, parse_relu_n1_to_1, relu_n1_to_1_table)
