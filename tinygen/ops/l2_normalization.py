"""L2_NORMALIZATION: vectors along the last axis, brought to length one, int8 or float32."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Activation, Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe, int8_per_tensor, only_for
from tinygen.ops.fixedpoint import inverse_square_root
from tinygen.ops.floating import all_float, is_float, ordered_sum, unless_float
from tinygen.ops.tolerance import SUM
from tinygen.ops.unary import check_unary
from tinygen.quant import multiply_by_quantized_multiplier

OUTPUT_BITS = 7  # of the fraction
MAX_DEPTH = 2**15 - 1
LEAST_LENGTH = 1e-6  # of a float vector, in the reference


@dataclass(frozen=True, slots=True, eq=False)
class L2Normalization(Op):
    """y[.., i] = x[.., i] / sqrt(sum over j of x[.., j]^2).

    ``unsigned`` means that int8 stands for uint8 (``frontend/unsigned.py``), for which the
    reference scales by 128 before the product, not after it.
    """

    kind: ClassVar[str] = "L2_NORMALIZATION"

    activation: Activation
    unsigned: bool = False

    @property
    def early_bits(self) -> int:
        """Of the output's bits of fraction, how many come before the product."""
        return OUTPUT_BITS if self.unsigned else 0

    @property
    def depth(self) -> int:
        """Elements of a vector."""
        return self.x.shape[-1]


def parse(node: Node) -> L2Normalization:
    """Read the node. Raises ModelError where the shapes differ, or there is no axis."""
    import tflite

    check_unary(node)
    if not node.present[0].shape:
        raise ModelError(f"L2_NORMALIZATION '{node.name}': a scalar is no vector")
    activation = node.activation(node.options(tflite.L2NormOptions).FusedActivationFunction())
    return L2Normalization(node.name, node.present, node.outputs, activation, node.unsigned)


def output_scale(op: L2Normalization) -> str:
    """The output's scale is 1/128, its zero point 0.

    The reference kernels know no other; convert the model anew.
    """
    return "" if (op.y.scale, op.y.zero_point) == (1 / 128, 0) else describe(op.y)


def no_activation(op: L2Normalization) -> str:
    """There is no fused activation.

    The reference kernels know none; use an operator of its own.
    """
    return "" if op.activation is Activation.NONE else op.activation.value


def sums_fit(op: L2Normalization) -> str:
    """The last axis has at most 32767 elements.

    Beyond that 32 bits do not hold the sum of squares.
    """
    return str(op.depth) if op.depth > MAX_DEPTH else ""


def reference(op: L2Normalization, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_integer_ops::L2Normalization, reference_ops::L2Normalization."""
    if is_float(op):
        with np.errstate(over="ignore", invalid="ignore"):
            root = np.sqrt(ordered_sum(np.moveaxis(np.square(values[0]), -1, 0)))
            length = np.where(root < LEAST_LENGTH, np.float32(LEAST_LENGTH), root)
            return (values[0] / length[..., None],)
    rows = values[0].reshape(-1, op.depth).astype(np.int64) - op.x.zero_point
    found = [inverse_square_root(int(total)) for total in (rows * rows).sum(axis=1)]
    multipliers, shifts = (np.array(column)[:, None] for column in zip(*found, strict=True))
    late = OUTPUT_BITS - op.early_bits
    scaled = multiply_by_quantized_multiplier(rows << op.early_bits, multipliers, late - shifts)
    return (np.clip(scaled, -128, 127).astype(np.int8).reshape(op.y.shape),)


def lower(op: L2Normalization) -> tuple[Call, ...]:
    """The call of ``tg_l2_normalization_s8``."""
    shape = (
        ("rows", op.x.elements // op.depth),
        ("depth", op.depth),
        ("early_bits", op.early_bits),
    )
    return (Call(shape, (("zero_point", op.x.zero_point),), (op.x,), (op.y,)),)


def lower_float(op: L2Normalization) -> tuple[Call, ...]:
    """The call of ``tg_l2_normalization_f32``."""
    shape = (("rows", op.x.elements // op.depth), ("depth", op.depth))
    return (Call(shape, (("least", LEAST_LENGTH),), (op.x,), (op.y,)),)


def row(
    name: str, dtype: DType, lowering: Callable[[L2Normalization], tuple[Call, ...]]
) -> Kernel[L2Normalization]:
    """The row for ``dtype``."""
    return only_for(dtype, Kernel(name, f"{name}.h", name, lowering, in_place=True))[0]


L2_NORMALIZATION = OpDef(
    op=L2Normalization,
    dtypes=(DType.INT8, DType.FLOAT32),
    parse=parse,
    rules=(all_float, no_activation, *unless_float(int8_per_tensor, output_scale, sums_fit)),
    reference=reference,
    kernels=(
        row("tg_l2_normalization_s8", DType.INT8, lower),
        row("tg_l2_normalization_f32", DType.FLOAT32, lower_float),
    ),
    tolerance=SUM,
)
