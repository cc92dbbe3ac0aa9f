"""SignalDelay: a stream of audio, some samples later."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, kept, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalDelay(SignalOp):
    """y are the samples that each stream x had so many samples before; the state are the last."""

    kind: ClassVar[str] = "SignalDelay"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 1),)


def parse(node: Node) -> SignalDelay:
    """Read the node. Raises ModelError."""
    check(node, (DType.INT16,), (DType.INT16,))
    (x,), (y,) = node.present, node.outputs
    require(node, bool(x.shape) and x.shape == y.shape, "input and output should be alike")
    length = node.number("delay_length", 1)
    before, after = kept(node, "samples", (*x.shape[:-1], length), DType.INT16)
    return SignalDelay(node.name, (x, before), (y, after))


def reference(op: SignalDelay, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: DelayEval."""
    x, before = values
    stream = np.concatenate([before, x], axis=-1)
    return stream[..., : x.shape[-1]], stream[..., x.shape[-1] :]


def lower(op: SignalDelay) -> tuple[Call, ...]:
    """The one call."""
    size, delay = op.x.shape[-1], op.inputs[1].shape[-1]
    return one_call(op, (("streams", op.x.elements // size), ("size", size), ("delay", delay)))


SIGNAL_DELAY = OpDef(
    op=SignalDelay,
    parse=parse,
    dtypes=(DType.INT16,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_signal_delay", "tg_signal_frames.h", "tg_signal_delay", lower),),
)
