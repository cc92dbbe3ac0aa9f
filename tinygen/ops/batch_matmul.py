"""BATCH_MATMUL: products of the matrices of two tensors, int8 or float32, batches broadcast."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, only_for
from tinygen.ops.binary import Pair, int8_operands, merged_loops
from tinygen.ops.convolution import Fields
from tinygen.ops.floating import all_float, is_float, unless_float
from tinygen.ops.tolerance import SUM
from tinygen.quant import multiply_by_quantized_multiplier, quantize_multiplier

MAX_LOOPS = 3
MAX_DEPTH = 2**15 - 1


@dataclass(frozen=True, slots=True, eq=False)
class BatchMatMul(Pair):
    """y[.., i, j] = sum over k of a[.., i, k] * b[.., k, j].

    ``adjoint_a`` and ``adjoint_b`` say that the operand's last two axes are swapped.
    """

    kind: ClassVar[str] = "BATCH_MATMUL"

    adjoint_a: bool
    adjoint_b: bool

    @property
    def depth(self) -> int:
        """Products that make up one sum."""
        return self.a.shape[-2 if self.adjoint_a else -1]


def parse(node: Node) -> BatchMatMul:
    """Read the node. Raises ModelError where the shapes are not those of products."""
    import tflite

    node.arity(2)
    options = node.options(tflite.BatchMatMulOptions)
    a, b = node.present
    flags = bool(options.AdjX()), bool(options.AdjY())
    where = f"BATCH_MATMUL '{node.name}'"
    if min(len(a.shape), len(b.shape)) < 2:
        raise ModelError(f"{where}: {a.shape} and {b.shape} are not both matrices")
    (rows, depth), (inner, columns) = (
        reversed(t.shape[-2:]) if swapped else t.shape[-2:]
        for t, swapped in zip((a, b), flags, strict=True)
    )
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ModelError(f"{where}: {a.shape} and {b.shape} do not broadcast") from None
    if depth != inner:
        raise ModelError(f"{where}: {a.shape} times {b.shape} is no product of matrices")
    node.makes((*batch, rows, columns))
    return BatchMatMul(node.name, (a, b), node.outputs, *flags)


def sums_fit(op: BatchMatMul) -> str:
    """A sum has at most 32767 products.

    Beyond that 32 bits do not hold it; split the matrices.
    """
    return str(op.depth) if op.depth > MAX_DEPTH else ""


def few_batches(op: BatchMatMul) -> str:
    """Broadcasting the batch needs at most three nested loops.

    Expand one operand to the output's batch in the model.
    """
    shapes = (op.y.shape[:-2], op.a.shape[:-2], op.b.shape[:-2])
    return f"{op.a.shape} with {op.b.shape}" if len(merged_loops(*shapes)) > MAX_LOOPS else ""


def multiplier_of(op: BatchMatMul) -> tuple[int, int]:
    """(multiplier, shift) of a sum.

    Source: TFLite's ``GetQuantizedConvolutionMultipler``: the product of scales is a float32.
    """
    product = np.float32(op.a.scale) * np.float32(op.b.scale)
    return quantize_multiplier(float(product) / op.y.scale)


def matrices(op: BatchMatMul, a: Array, b: Array) -> tuple[Array, Array]:
    """The operands as [.., rows, depth] and [.., depth, columns]."""
    return (a.swapaxes(-1, -2) if op.adjoint_a else a), (b.swapaxes(-1, -2) if op.adjoint_b else b)


def reference(op: BatchMatMul, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::BatchMatMul."""
    if is_float(op):
        a, b = matrices(op, *values)
        sums = np.zeros(op.y.shape, np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for k in range(op.depth):
                sums += a[..., :, k, None] * b[..., k, None, :]
        return (sums,)
    a, b = (
        values_.astype(np.int64) - tensor.zero_point
        for tensor, values_ in zip(op.inputs, values, strict=True)
    )
    a, b = matrices(op, a, b)
    scaled = multiply_by_quantized_multiplier(a @ b, *multiplier_of(op)).astype(np.int64)
    return (np.clip(scaled + op.y.zero_point, -128, 127).astype(np.int8),)


def geometry(op: BatchMatMul) -> Fields:
    """The fields that both kernels' shapes have."""
    rows, columns = op.y.shape[-2:]
    sizes = (rows * op.depth, op.depth * columns)
    loops = merged_loops(op.y.shape[:-2], op.a.shape[:-2], op.b.shape[:-2])
    loops = ((1, (0, 0)),) * (MAX_LOOPS - len(loops)) + loops
    shape = [
        ("rows", rows),
        ("depth", op.depth),
        ("columns", columns),
        ("x_row", 1 if op.adjoint_a else op.depth),
        ("x_step", rows if op.adjoint_a else 1),
        ("w_column", op.depth if op.adjoint_b else 1),
        ("w_step", 1 if op.adjoint_b else columns),
    ]
    for index, (count, (a, b)) in enumerate(loops):
        shape += [
            (f"n{index}", count),
            (f"x_stride{index}", a * sizes[0]),
            (f"w_stride{index}", b * sizes[1]),
        ]
    return tuple(shape)


def lower(op: BatchMatMul) -> tuple[Call, ...]:
    """The call of ``tg_batch_matmul_s8``."""
    multiplier, shift = multiplier_of(op)
    right_only = (multiplier == 0 or shift < 0) and op.depth * 255 * 255 < 2**30
    beyond_first = -1 - shift if multiplier else 0
    shape = (*geometry(op), ("right_only", int(right_only)))
    params = (
        ("x_zero_point", op.a.zero_point),
        ("w_zero_point", op.b.zero_point),
        ("multiplier", multiplier),
        ("shift", beyond_first if right_only else shift),
        ("output_zero_point", op.y.zero_point),
    )
    return (Call(shape, params, op.inputs, (op.y,)),)


def lower_float(op: BatchMatMul) -> tuple[Call, ...]:
    """The call of ``tg_batch_matmul_f32``."""
    return (Call(geometry(op), (("unused", 0),), op.inputs, (op.y,)),)


def row(
    name: str, dtype: DType, lowering: Callable[[BatchMatMul], tuple[Call, ...]]
) -> Kernel[BatchMatMul]:
    """The row for operands of ``dtype``."""
    return only_for(dtype, Kernel(name, f"{name}.h", name, lowering))[0]


BATCH_MATMUL = OpDef(
    op=BatchMatMul,
    dtypes=(DType.INT8, DType.FLOAT32),
    parse=parse,
    rules=(all_float, *unless_float(int8_operands, sums_fit), few_batches),
    reference=reference,
    kernels=(
        row("tg_batch_matmul_s8", DType.INT8, lower),
        row("tg_batch_matmul_f32", DType.FLOAT32, lower_float),
    ),
    tolerance=SUM,
    macs=lambda op: prod(op.y.shape) * op.depth,
)
