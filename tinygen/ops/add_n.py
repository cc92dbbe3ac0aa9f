"""ADD_N: the sum of two to four tensors of one shape and scale, int8, float32 or int32.

Only TFLite Micro has it for int8, and only LiteRT for int32, where sums wrap.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, Rule, describe, int8_per_tensor, only_for
from tinygen.ops.plain import SUFFIXES, operands
from tinygen.ops.running_sum import finished, sum_in_range, sum_params

COUNTS = range(2, 5)
PLAIN = (DType.FLOAT32, DType.INT32)
OPERANDS: Rule[Any] = operands(PLAIN, int8_per_tensor, "int8 with one scale and zero point")


@dataclass(frozen=True, slots=True, eq=False)
class AddN(Op):
    """y = the sum of all inputs."""

    kind: ClassVar[str] = "ADD_N"


def parse(node: Node) -> AddN:
    """Read the node. Raises ModelError where shapes differ or an input is missing."""
    if len(node.inputs) < COUNTS.start or None in node.inputs or len(node.outputs) != 1:
        raise ModelError(f"ADD_N '{node.name}' lacks an input or an output")
    if {t.shape for t in node.present} != {node.outputs[0].shape}:
        shapes = ", ".join(str(t.shape) for t in (*node.present, *node.outputs))
        raise ModelError(f"ADD_N '{node.name}': shapes differ: {shapes}")
    return AddN(node.name, node.present, node.outputs)


def few_inputs(op: AddN) -> str:
    """There are two to four inputs.

    Add in several steps.
    """
    return "" if len(op.inputs) in COUNTS else str(len(op.inputs))


def one_quantization(op: AddN) -> str:
    """All inputs have one type, scale and zero point.

    The reference kernels stop otherwise; use ADD, or insert QUANTIZE operators.
    """
    wrong = (t for t in op.inputs if (t.dtype, t.quant) != (op.x.dtype, op.x.quant))
    return next((f"{describe(t)} beside {describe(op.x)}" for t in wrong), "")


def scale_in_range(op: AddN) -> str:
    """The scale of int8 inputs is less than 2**19 times the output's.

    The reference kernels stop there; check the ranges that the converter calibrated.
    """
    return "" if op.y.dtype in PLAIN else sum_in_range(op)


def reference(op: AddN, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::AddN, which adds to zero, from the first on."""
    if op.y.dtype in PLAIN:
        sums = np.zeros(op.y.shape, op.y.dtype.numpy)
        with np.errstate(all="ignore"):
            for value in values:
                sums = np.asarray(sums + value)
        return (sums,)
    total = np.sum([v.astype(np.int64) for v in values], axis=0)
    return (finished(op, np.asarray(total - len(values) * op.x.zero_point)),)


def lower(op: AddN) -> tuple[Call, ...]:
    """The call of the kernel for so many inputs."""
    return (Call((("size", op.y.elements),), sum_params(op), op.inputs, (op.y,)),)


def lower_plain(op: AddN) -> tuple[Call, ...]:
    """The call of the kernel for so many inputs without a scale."""
    return (Call((("size", op.y.elements),), (("unused", 0),), op.inputs, (op.y,)),)


def _row(count: int, dtype: DType) -> Kernel[AddN]:
    scaled = dtype is DType.INT8
    row = Kernel(
        f"tg_add_{count}_{SUFFIXES[dtype]}",
        "tg_running_sum_s8.h" if scaled else "tg_add_n_plain.h",
        "tg_add_n_s8" if scaled else "tg_add_n_plain",
        lower if scaled else lower_plain,
        fits=lambda op: len(op.inputs) == count,
    )
    return only_for(dtype, row)[0]


ADD_N = OpDef(
    op=AddN,
    dtypes=(DType.INT8, *PLAIN),
    parse=parse,
    rules=(few_inputs, one_quantization, OPERANDS, scale_in_range),
    reference=reference,
    kernels=tuple(_row(count, dtype) for dtype in (DType.INT8, *PLAIN) for count in COUNTS),
)
