"""SignalFilterBankSquareRoot: from power to magnitude."""

from dataclasses import dataclass
from math import isqrt
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalFilterBankSquareRoot(SignalOp):
    """y = sqrt(x) >> bits, where the root is rounded to the nearest and the bits are computed.

    Only the five lowest bits of their number count.
    """

    kind: ClassVar[str] = "SignalFilterBankSquareRoot"


def parse(node: Node) -> SignalFilterBankSquareRoot:
    """Read the node. Raises ModelError."""
    check(node, (DType.UINT64, DType.INT32), (DType.UINT32,))
    (x, bits), (y,) = node.present, node.outputs
    fits = len(x.shape) == 1 and x.shape == y.shape and bits.shape == ()
    require(node, fits, "input and output should be of one size, and the bits one number")
    return SignalFilterBankSquareRoot(node.name, node.present, node.outputs)


def root(x: int) -> int:
    """Source: Sqrt32, which keeps to 16 bits, and Sqrt64, which keeps to 32."""
    found = isqrt(x)
    largest = 0xFFFF if x < 2**32 else 0xFFFFFFFF
    return found + (x - found * found > found and found < largest)


def reference(op: SignalFilterBankSquareRoot, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: FilterbankSqrt."""
    x, bits = values
    return (np.array([root(v) >> (int(bits) & 31) for v in x.tolist()], np.uint32),)


def lower(op: SignalFilterBankSquareRoot) -> tuple[Call, ...]:
    """The one call."""
    return one_call(op, (("channels", op.y.elements),))


SIGNAL_FILTER_BANK_SQUARE_ROOT = OpDef(
    op=SignalFilterBankSquareRoot,
    parse=parse,
    dtypes=(DType.UINT64,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_filter_bank_root", "tg_filter_bank.h", "tg_filter_bank_root", lower),),
)
