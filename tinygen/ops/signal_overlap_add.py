"""SignalOverlapAdd: frames that overlap, added up to a stream again."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, kept, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalOverlapAdd(SignalOp):
    """y [..., frames * step] from x [..., frames, size]: of int16, which saturates, or of float32.

    The state are the sums that later frames will be added to.
    """

    kind: ClassVar[str] = "SignalOverlapAdd"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 1),)

    step: int


def parse(node: Node) -> SignalOverlapAdd:
    """Read the node. Raises ModelError."""
    if not node.present or node.present[0].dtype not in (DType.INT16, DType.FLOAT32):
        raise ModelError(f"{node.kind} '{node.name}' adds up int16 or float32")
    dtype = node.present[0].dtype
    check(node, (dtype,), (dtype,))
    (x,), (y,) = node.present, node.outputs
    require(node, len(x.shape) >= 2, "the input should be frames")
    *outer, frames, size = x.shape
    step = node.number("frame_step", 1, size)
    fits = y.shape == (*outer, frames * step)
    require(node, fits, f"each frame should make {step} elements of the output")
    before, after = kept(node, "sums", (*outer, size), dtype)
    return SignalOverlapAdd(node.name, (x, before), (y, after), step)


def reference(op: SignalOverlapAdd, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: OverlapAdd."""
    x, sums = values
    pieces = []
    for index in range(x.shape[-2]):
        frame = x[..., index, :]
        if op.x.dtype is DType.INT16:
            wide = frame.astype(np.int32) + sums
            sums = np.clip(wide, -(2**15), 2**15 - 1).astype(np.int16)
        else:
            sums = frame + sums
        pieces.append(sums[..., : op.step])
        sums = np.concatenate([sums[..., op.step :], np.zeros_like(sums[..., : op.step])], axis=-1)
    return np.concatenate(pieces, axis=-1), sums


def lower(op: SignalOverlapAdd) -> tuple[Call, ...]:
    """The one call."""
    frames, size = op.x.shape[-2:]
    shape = (
        ("streams", op.x.elements // (frames * size)),
        ("frames", frames),
        ("size", size),
        ("step", op.step),
    )
    return one_call(op, shape)


def _row(name: str, dtype: DType) -> Kernel[SignalOverlapAdd]:
    return Kernel(name, "tg_signal_frames.h", name, lower, fits=lambda op: op.x.dtype is dtype)


SIGNAL_OVERLAP_ADD = OpDef(
    op=SignalOverlapAdd,
    parse=parse,
    dtypes=(DType.INT16, DType.FLOAT32),
    rules=(),
    reference=reference,
    kernels=(
        _row("tg_signal_overlap_add_s16", DType.INT16),
        _row("tg_signal_overlap_add_f32", DType.FLOAT32),
    ),
)
