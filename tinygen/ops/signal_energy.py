"""SignalEnergy: the power of each frequency of a spectrum."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalEnergy(SignalOp):
    """y[i] = re[i]^2 + im[i]^2 for start <= i < end; x has real and imaginary parts in turn.

    The reference leaves other elements as they are, which is undefined; here they are 0.
    """

    kind: ClassVar[str] = "SignalEnergy"

    start: int
    end: int


def parse(node: Node) -> SignalEnergy:
    """Read the node. Raises ModelError."""
    check(node, (DType.INT16,), (DType.UINT32,))
    (x,), (y,) = node.present, node.outputs
    fits = len(x.shape) == len(y.shape) == 1 and x.elements == 2 * y.elements
    require(node, fits, "two elements of the input should make one of the output")
    end = node.number("end_index", 0, y.elements)
    start = node.number("start_index", 0, end)
    return SignalEnergy(node.name, node.present, node.outputs, start, end)


def reference(op: SignalEnergy, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: SpectrumToEnergy."""
    power = (values[0].reshape(-1, 2).astype(np.int64) ** 2).sum(axis=1).astype(np.uint32)
    power[: op.start] = power[op.end :] = 0
    return (power,)


def lower(op: SignalEnergy) -> tuple[Call, ...]:
    """The one call."""
    return one_call(op, (("size", op.y.elements), ("start", op.start), ("end", op.end)))


SIGNAL_ENERGY = OpDef(
    op=SignalEnergy,
    parse=parse,
    dtypes=(DType.INT16,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_signal_energy", "tg_signal.h", "tg_signal_energy", lower),),
)
