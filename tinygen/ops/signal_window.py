"""SignalWindow: frames of audio times a window."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalWindow(SignalOp):
    """y = x * window >> shift, saturated; x is one or more frames of the window's length."""

    kind: ClassVar[str] = "SignalWindow"

    shift: int


def parse(node: Node) -> SignalWindow:
    """Read the node. Raises ModelError."""
    check(node, (DType.INT16,) * 2, (DType.INT16,))
    (x, window), (y,) = node.present, node.outputs
    fits = len(window.shape) == 1 and x.shape == y.shape and x.elements % window.elements == 0
    require(node, fits, "the input should be frames of the window's length")
    return SignalWindow(node.name, node.present, node.outputs, node.number("shift", 0, 31))


def reference(op: SignalWindow, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: ApplyWindow."""
    x, window = (v.astype(np.int64) for v in values)
    product = (x.reshape(-1, window.size) * window) >> op.shift
    return (np.clip(product, -(2**15), 2**15 - 1).astype(np.int16).reshape(op.y.shape),)


def lower(op: SignalWindow) -> tuple[Call, ...]:
    """The one call."""
    size = op.inputs[1].elements
    return one_call(op, (("frames", op.x.elements // size), ("size", size)), (("shift", op.shift),))


SIGNAL_WINDOW = OpDef(
    op=SignalWindow,
    parse=parse,
    dtypes=(DType.INT16,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_signal_window", "tg_signal.h", "tg_signal_window", lower),),
)
