"""SignalPCAN: automatic gain control per channel, by a table of gains over the noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, one_call, require

TABLE = 125  # entries: for 0, 1 and 2, and three for each power of two beyond
SNR_BITS, OUTPUT_BITS = 12, 6


@dataclass(frozen=True, slots=True, eq=False)
class SignalPcan(SignalOp):
    """y = shrunk(x * gain(noise) >> snr_shift).

    gain is a parabola between the powers of two, whose coefficients the table has; shrunk is a
    parabola up to 2, and a line beyond. ``inputs`` are x, the noise, and the table.
    """

    kind: ClassVar[str] = "SignalPCAN"

    snr_shift: int


def parse(node: Node) -> SignalPcan:
    """Read the node. Raises ModelError."""
    check(node, (DType.UINT32, DType.UINT32, DType.INT16), (DType.UINT32,))
    (x, noise, table), (y,) = node.present, node.outputs
    fits = len(x.shape) == 1 and x.shape == noise.shape == y.shape and table.elements >= TABLE
    require(node, fits, f"there should be one noise for each element, and {TABLE} gains")
    return SignalPcan(node.name, node.present, node.outputs, node.number("snr_shift", 0, 63))


def gain(x: int, table: list[int]) -> int:
    """Source: WideDynamicFunction; int16."""
    if x <= 2:
        return table[x]
    length = x.bit_length()
    a, b, c = table[4 * length - 6 : 4 * length - 3]
    rest = (x << (11 - length) if length < 11 else x >> (length - 11)) & 0x3FF
    slope = ((c * rest) >> 5) + (b << 5)
    found = ((slope * rest + (1 << 14)) >> 15) + a
    return (found + (1 << 15)) % (1 << 16) - (1 << 15)


def reference(op: SignalPcan, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: ApplyPcanAutoGainControlFixed, PcanShrink."""
    x, noise, table = values
    gains = [gain(v, table.tolist()) for v in noise.tolist()]
    factors = np.array(gains, np.int64).astype(np.uint32).astype(np.uint64)
    ratio = ((x.astype(np.uint64) * factors) >> np.uint64(op.snr_shift)).astype(np.uint32)
    parabola = (ratio * ratio) >> np.uint32(2 + 2 * SNR_BITS - OUTPUT_BITS)
    line = (ratio >> np.uint32(SNR_BITS - OUTPUT_BITS)) - np.uint32(1 << OUTPUT_BITS)
    return (np.where(ratio < 2 << SNR_BITS, parabola, line).astype(np.uint32),)


def lower(op: SignalPcan) -> tuple[Call, ...]:
    """The one call."""
    return one_call(op, (("channels", op.y.elements),), (("snr_shift", op.snr_shift),))


SIGNAL_PCAN = OpDef(
    op=SignalPcan,
    parse=parse,
    dtypes=(DType.UINT32,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_filter_bank_gain", "tg_filter_bank.h", "tg_filter_bank_gain", lower),),
)
