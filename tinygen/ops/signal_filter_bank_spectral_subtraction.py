"""SignalFilterBankSpectralSubtraction: magnitudes less an estimate of the noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, kept, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalFilterBankSpectralSubtraction(SignalOp):
    """With u = x << smoothing_bits, and n the noise so far, per channel:

        n := (u * smoothing + n * one_minus_smoothing) >> subtraction_bits
        y = max((u - min(n, u)) >> smoothing_bits, x * min_signal_remaining >> subtraction_bits)

    Channels of odd numbers have factors of their own. Where it is ``clamping``, n keeps to u. The
    results are y, n, and n again as the state.
    """

    kind: ClassVar[str] = "SignalFilterBankSpectralSubtraction"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 2),)

    smoothing: int
    one_minus_smoothing: int
    alternate_smoothing: int
    alternate_one_minus_smoothing: int
    min_signal_remaining: int
    smoothing_bits: int
    subtraction_bits: int
    clamping: bool


def parse(node: Node) -> SignalFilterBankSpectralSubtraction:
    """Read the node. Raises ModelError."""
    check(node, (DType.UINT32,), (DType.UINT32,) * 2)
    (x,), (y, noise) = node.present, node.outputs
    fits = len(x.shape) == 1 and x.shape == y.shape == noise.shape
    fits &= node.number("num_channels") == x.elements
    require(node, fits, "input and outputs should be one element for each channel")
    before, after = kept(node, "noise", x.shape, DType.UINT32)
    return SignalFilterBankSpectralSubtraction(
        node.name,
        (x, before),
        (y, noise, after),
        node.number("smoothing"),
        node.number("one_minus_smoothing"),
        node.number("alternate_smoothing"),
        node.number("alternate_one_minus_smoothing"),
        node.number("min_signal_remaining"),
        node.number("smoothing_bits", 0, 31),
        node.number("spectral_subtraction_bits", 0, 63),
        bool(node.number("clamping", 0, 1)),
    )


def reference(
    op: SignalFilterBankSpectralSubtraction, values: tuple[Array, ...]
) -> tuple[Array, ...]:
    """Source: FilterbankSpectralSubtraction; all wraps, in 64 bits and then in 32."""
    x, noise = (v.astype(np.uint64) for v in values)
    odd = np.arange(x.size) % 2 == 1
    rise = np.where(odd, op.alternate_smoothing, op.smoothing).astype(np.uint64)
    stay = np.where(odd, op.alternate_one_minus_smoothing, op.one_minus_smoothing)
    bits, down = np.uint64(op.smoothing_bits), np.uint64(op.subtraction_bits)
    scaled = (x << bits).astype(np.uint32).astype(np.uint64)
    sums = (scaled * rise + noise * stay.astype(np.uint64)) >> down
    estimate = sums.astype(np.uint32).astype(np.uint64)
    least = np.minimum(estimate, scaled)
    floor = ((x * np.uint64(op.min_signal_remaining)) >> down).astype(np.uint32)
    y = np.maximum(((scaled - least) >> bits).astype(np.uint32), floor)
    after = (least if op.clamping else estimate).astype(np.uint32)
    return y, after, after


def lower(op: SignalFilterBankSpectralSubtraction) -> tuple[Call, ...]:
    """The one call."""
    params = tuple((name, int(value)) for name, value in op.attributes().items())
    return one_call(op, (("channels", op.y.elements),), params)


SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION = OpDef(
    op=SignalFilterBankSpectralSubtraction,
    parse=parse,
    dtypes=(DType.UINT32,),
    rules=(),
    reference=reference,
    kernels=(
        Kernel("tg_filter_bank_subtract", "tg_filter_bank.h", "tg_filter_bank_subtract", lower),
    ),
)
