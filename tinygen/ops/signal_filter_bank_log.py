"""SignalFilterBankLog: the natural logarithm of magnitudes, in fixed point."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, require

SEGMENT_BITS, BITS = 7, 16
LN_2 = 45426  # with 16 bits


@dataclass(frozen=True, slots=True, eq=False)
class SignalFilterBankLog(SignalOp):
    """y = output_scale * ln(x << correction_bits), at most 32767; 0 where that is 0 or 1."""

    kind: ClassVar[str] = "SignalFilterBankLog"

    output_scale: int
    correction_bits: int


def parse(node: Node) -> SignalFilterBankLog:
    """Read the node. Raises ModelError."""
    check(node, (DType.UINT32,), (DType.INT16,))
    (x,), (y,) = node.present, node.outputs
    require(node, len(x.shape) == 1 and x.shape == y.shape, "input and output should be alike")
    scale, bits = node.number("output_scale"), node.number("input_correction_bits", 0, 31)
    return SignalFilterBankLog(node.name, node.present, node.outputs, scale, bits)


@cache
def table() -> npt.NDArray[np.uint16]:
    """log2(1 + f) - f at each 128th f, with 16 bits, and one entry beyond."""
    f = np.arange((1 << SEGMENT_BITS) + 1) / (1 << SEGMENT_BITS)
    values = np.floor((np.log2(1 + f) - f) * (1 << BITS) + 0.5)
    return np.append(values, 0).astype(np.uint16)


def logarithm(x: int, scale: int) -> int:
    """Source: Log32. The line between two entries has a slope of a 128th of what it should have."""
    whole = x.bit_length() - 1
    rest = x - (1 << whole)
    rest = rest << (BITS - whole) if whole < BITS else rest >> (whole - BITS)
    segment = rest >> (BITS - SEGMENT_BITS)
    low, high = (int(table()[segment + i]) for i in (0, 1))
    between = ((high - low) * (rest & ((1 << (BITS - SEGMENT_BITS)) - 1))) >> BITS
    log2 = (whole << BITS) + rest + low + between
    natural = (LN_2 * log2 + (1 << (BITS - 1))) >> BITS
    return ((scale * natural + (1 << (BITS - 1))) % (1 << 32)) >> BITS


def reference(op: SignalFilterBankLog, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: FilterbankLog."""
    scaled = (values[0].astype(np.uint64) << np.uint64(op.correction_bits)).astype(np.uint32)
    found = [logarithm(v, op.output_scale) if v > 1 else 0 for v in scaled.tolist()]
    return (np.minimum(found, 2**15 - 1).astype(np.int16),)


def lower(op: SignalFilterBankLog) -> tuple[Call, ...]:
    """The one call."""
    params = (
        ("table", table()),
        ("output_scale", op.output_scale),
        ("correction_bits", op.correction_bits),
    )
    return (Call((("channels", op.y.elements),), params, op.inputs, op.outputs),)


SIGNAL_FILTER_BANK_LOG = OpDef(
    op=SignalFilterBankLog,
    parse=parse,
    dtypes=(DType.UINT32,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_filter_bank_log", "tg_filter_bank.h", "tg_filter_bank_log", lower),),
)
