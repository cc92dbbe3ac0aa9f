"""CIRCULAR_BUFFER: the last slots of a stream, as streaming models of TFLite Micro keep them."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinygen.errors import UnsupportedError
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.signal import SignalOp, check, one_call, require

# Without options, TFLite Micro takes these numbers of slots for a buffer that every invocation
# fills, and others for one that lets only every second invocation go on.
FULL_RATE = (5, 13, 25)


@dataclass(frozen=True, slots=True, eq=False)
class CircularBuffer(SignalOp):
    """y [1, slots, h, w] are the last slots, x [1, 1, h, w] being the newest.

    In the file, y is a variable tensor. It is what the operator updates, and its only result.
    """

    kind: ClassVar[str] = "CIRCULAR_BUFFER"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 0),)


def parse(node: Node) -> CircularBuffer:
    """Read the node. Raises ModelError, UnsupportedError where it stops an invocation half-way."""
    check(node, (DType.INT8,), (DType.INT8,))
    (x,), (before,) = node.present, node.outputs
    fits = len(x.shape) == len(before.shape) == 4 and x.shape[:2] == (1, 1)
    fits = fits and (before.shape[0], before.shape[2:]) == (1, x.shape[2:])
    require(node, fits, "the input should be one slot of the output")
    slots = before.shape[1]
    cycles = node.number("cycles_max", 0) if node.custom else 0
    cycles = cycles or (1 if slots in FULL_RATE else 2)
    if cycles > 1:
        raise UnsupportedError(
            f"{node.kind} '{node.name}' lets only one invocation in {cycles} go on.",
            "Split the model there, and run the second part when there are new slots.",
        )
    if slots == 1:
        raise UnsupportedError(f"{node.kind} '{node.name}' keeps nothing.", "Take it out.")
    after = replace(before, name=f"{before.name}/after")
    return CircularBuffer(node.name, (x, before), (after,))


def int8(op: CircularBuffer) -> str:
    """Input and output are int8.

    TFLite Micro keeps no others; convert the model with full integer quantization (int8).
    """
    return next((describe(t) for t in (*op.inputs, *op.outputs) if t.dtype is not DType.INT8), "")


def reference(op: CircularBuffer, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: CircularBufferEval."""
    x, before = values
    return (np.concatenate([before[:, 1:], x], axis=1),)


def lower(op: CircularBuffer) -> tuple[Call, ...]:
    """The one call."""
    slot = op.x.nbytes
    return one_call(op, (("kept", op.y.nbytes - slot), ("slot", slot)))


CIRCULAR_BUFFER = OpDef(
    op=CircularBuffer,
    parse=parse,
    dtypes=(DType.INT8,),
    rules=(int8,),
    reference=reference,
    kernels=(Kernel("tg_circular_buffer", "tg_circular_buffer.h", "tg_circular_buffer", lower),),
)
