"""ADD_N: the sum of two to four tensors of one shape and scale, int8."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType, Op
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe, int8_per_tensor
from tinygen.ops.running_sum import finished, sum_in_range, sum_params

COUNTS = range(2, 5)


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


def reference(op: AddN, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLite's reference_ops::AddN for int8."""
    total = np.sum([v.astype(np.int64) for v in values], axis=0)
    return (finished(op, np.asarray(total - len(values) * op.x.zero_point)),)


def lower(op: AddN) -> tuple[Call, ...]:
    """The call of the kernel for so many inputs."""
    return (Call((("size", op.y.elements),), sum_params(op), op.inputs, (op.y,)),)


def _row(count: int) -> Kernel[AddN]:
    return Kernel(
        f"tg_add_{count}_s8",
        "tg_running_sum_s8.h",
        "tg_add_n_s8",
        lower,
        fits=lambda op: len(op.inputs) == count,
    )


ADD_N = OpDef(
    op=AddN,
    dtypes=(DType.INT8,),
    parse=parse,
    rules=(few_inputs, one_quantization, int8_per_tensor, sum_in_range),
    reference=reference,
    kernels=tuple(map(_row, COUNTS)),
)
