"""SignalFramer: overlapping frames of a stream of audio."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import UnsupportedError
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, kept, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalFramer(SignalOp):
    """y [..., frames, size] are the next frames of each stream x [..., frames * step].

    With ``prefill``, zeros come before the stream. Without, the first invocations lack samples, and
    say so by the second output; what the reference gives out then is undefined, here frames begin
    with zeros. The states are the samples to come again, and how many frames there were, up to
    those that are missing at first.
    """

    kind: ClassVar[str] = "SignalFramer"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 2), (2, 3))

    step: int
    prefill: bool

    @property
    def size(self) -> int:
        """Samples of a frame."""
        return self.y.shape[-1]

    @property
    def frames(self) -> int:
        """Frames of a stream in one invocation."""
        return self.x.shape[-1] // self.step

    @property
    def missing(self) -> int:
        """Frames until there are enough samples."""
        return 0 if self.prefill else self.inputs[1].shape[-1] // self.step


def parse(node: Node) -> SignalFramer:
    """Read the node.

    Raises ModelError, and UnsupportedError where nothing is to be kept: frames that do not overlap
    are a RESHAPE.
    """
    check(node, (DType.INT16,), (DType.INT16, DType.BOOL))
    (x,), (y, valid) = node.present, node.outputs
    size, step = node.number("frame_size", 1), node.number("frame_step", 1)
    prefill = bool(node.number("prefill", 0, 1))
    fits = bool(x.shape) and x.shape[-1] % step == 0 and valid.shape == ()
    fits = fits and y.shape == (*x.shape[:-1], x.shape[-1] // step, size)
    require(node, fits, f"there should be frames of {size} for each {step} of the input")
    if size <= step:
        raise UnsupportedError(
            f"{node.kind} '{node.name}': frames of {size} samples, {step} apart, do not overlap.",
            "Use SLICE and RESHAPE.",
        )
    samples = size - step if prefill else -(-(size - step) // step) * step
    buffer, buffer_after = kept(node, "samples", (*x.shape[:-1], samples), DType.INT16)
    seen, seen_after = kept(node, "seen", (1,), DType.INT32)
    outputs = (y, valid, buffer_after, seen_after)
    return SignalFramer(node.name, (x, buffer, seen), outputs, step, prefill)


def reference(op: SignalFramer, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: FramerEval."""
    x, buffer, seen = values
    stream = np.concatenate([buffer, x], axis=-1)
    starts = range(0, op.frames * op.step, op.step)
    y = np.stack([stream[..., s : s + op.size] for s in starts], axis=-2)
    valid = np.array(int(seen[0]) >= op.missing)
    after = np.minimum(seen + op.frames, op.missing).astype(np.int32)
    return y, valid, stream[..., x.shape[-1] :], after


def lower(op: SignalFramer) -> tuple[Call, ...]:
    """The one call."""
    shape = (
        ("streams", op.x.elements // op.x.shape[-1]),
        ("frames", op.frames),
        ("size", op.size),
        ("step", op.step),
        ("kept", op.inputs[1].shape[-1]),
        ("missing", op.missing),
    )
    return one_call(op, shape)


SIGNAL_FRAMER = OpDef(
    op=SignalFramer,
    parse=parse,
    dtypes=(DType.INT16,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_signal_framer", "tg_signal_frames.h", "tg_signal_framer", lower),),
)
