"""SignalFilterBank: the power of a spectrum in overlapping bands."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import UnsupportedError
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe
from tinygen.ops.signal import SignalOp, check, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalFilterBank(SignalOp):
    """y[c] = the weighted sum of band c + 1 and of what band c leaves over, in 64 bits.

    ``inputs`` are the power x, weights and what they lack of one, and for each of channels + 1
    bands its first frequency, its first weight and its width.
    """

    kind: ClassVar[str] = "SignalFilterBank"


def parse(node: Node) -> SignalFilterBank:
    """Read the node.

    Raises ModelError where a band lies outside of the spectrum or of the weights, UnsupportedError
    where its bands are computed by the model.
    """
    check(node, (DType.UINT32, *(DType.INT16,) * 5), (DType.UINT64,))
    (x, weights, unweights, *bands), (y,) = node.present, node.outputs
    count = node.number("num_channels", 1, 2**15 - 1)
    flat = all(len(t.shape) == 1 for t in (*node.present, y))
    bound = y.elements == count and all(t.shape == (count + 1,) for t in bands)
    require(node, flat and bound, f"there should be {count} channels and one band more")
    for tensor in bands:
        if not tensor.is_constant:
            raise UnsupportedError(
                f"{node.kind} '{node.name}': {describe(tensor)} is computed by the model.",
                "Give the bands as constants.",
            )
    starts, firsts, widths = (t.values.astype(np.int64) for t in bands)
    used = widths > 0
    room = min(weights.elements, unweights.elements)
    inside = (starts >= 0) & (firsts >= 0)
    inside &= (starts + widths <= x.elements) & (firsts + widths <= room)
    require(node, bool(inside[used].all()), "a band should lie in the spectrum and the weights")
    return SignalFilterBank(node.name, node.present, node.outputs)


def reference(op: SignalFilterBank, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: FilterbankAccumulateChannels; sums wrap in 64 bits."""
    x = values[0].astype(np.uint64)
    weights, unweights = (v.astype(np.int64).astype(np.uint64) for v in values[1:3])
    results, left = [], np.zeros((), np.uint64)
    for start, first, width in zip(*(v.tolist() for v in values[3:]), strict=True):
        band = slice(first, first + max(width, 0))
        power = x[start : start + max(width, 0)]
        results.append(left + (weights[band] * power).sum(dtype=np.uint64))
        left = (unweights[band] * power).sum(dtype=np.uint64)
    return (np.array(results[1:], np.uint64),)


def lower(op: SignalFilterBank) -> tuple[Call, ...]:
    """The one call."""
    return one_call(op, (("channels", op.y.elements),))


SIGNAL_FILTER_BANK = OpDef(
    op=SignalFilterBank,
    parse=parse,
    dtypes=(DType.UINT32,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_filter_bank", "tg_filter_bank.h", "tg_filter_bank", lower),),
)
