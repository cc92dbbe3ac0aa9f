"""SignalFftAutoScale: audio shifted to the left as far as its loudest sample allows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalFftAutoScale(SignalOp):
    """y = x << bits, and the number of bits.

    A sample of -32768 counts for itself: from it on, the reference takes the next sample for the
    loudest so far, whatever it is, and results that do not fit lose their upper bits.
    """

    kind: ClassVar[str] = "SignalFftAutoScale"


def parse(node: Node) -> SignalFftAutoScale:
    """Read the node. Raises ModelError."""
    check(node, (DType.INT16,), (DType.INT16, DType.INT32))
    (x,), (y, bits) = node.present, node.outputs
    fits = len(x.shape) == 1 and x.shape == y.shape and bits.shape == ()
    require(node, fits, "there should be one frame of audio, and one number of bits")
    return SignalFftAutoScale(node.name, node.present, node.outputs)


def loudest(x: Array) -> int:
    """Source: MaxAbs16, whose negation of -32768 is cut to 16 bits."""
    found = 0
    for value in x.tolist():
        if value > found:
            found = value
        elif -value > found:
            found = -value if value > -(2**15) else value
    return int(found)


def reference(op: SignalFftAutoScale, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: FftAutoScale."""
    (x,) = values
    found = loudest(x)
    bits = 15 - found.bit_length() if found > 0 else 0
    scaled = (x.astype(np.int64) << bits).astype(np.int16)
    return scaled, np.array(bits, np.int32)


def lower(op: SignalFftAutoScale) -> tuple[Call, ...]:
    """The one call."""
    return one_call(op, (("size", op.x.elements),))


SIGNAL_FFT_AUTO_SCALE = OpDef(
    op=SignalFftAutoScale,
    parse=parse,
    dtypes=(DType.INT16,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_signal_auto_scale", "tg_signal.h", "tg_signal_auto_scale", lower),),
)
