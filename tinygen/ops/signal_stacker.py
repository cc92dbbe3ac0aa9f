"""SignalStacker: a frame with its neighbours, once every few frames."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.errors import UnsupportedError
from tinygen.ir import Array, DType
from tinygen.ops.base import Call, Kernel, Node, OpDef
from tinygen.ops.signal import SignalOp, check, kept, one_call, require


@dataclass(frozen=True, slots=True, eq=False)
class SignalStacker(SignalOp):
    """y [(left + 1 + right) * channels] are the last frames, where the second output is true.

    That is when ``right`` frames have come after the first one, which counts for those left of it,
    too, and then at each ``step``. In between the reference leaves y as it is, which is undefined;
    here y are the last frames. The states are these but the last, and two numbers: frames since the
    last output, and whether there was one at all.
    """

    kind: ClassVar[str] = "SignalStacker"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 2), (2, 3))

    left: int
    right: int
    step: int


def parse(node: Node) -> SignalStacker:
    """Read the node. Raises ModelError, UnsupportedError for a stack of one frame."""
    check(node, (DType.INT16,), (DType.INT16, DType.BOOL))
    (x,), (y, valid) = node.present, node.outputs
    channels = node.number("num_channels", 1, x.elements)
    left = node.number("stacker_left_context", 0, y.elements)
    right = node.number("stacker_right_context", 0, y.elements)
    frames = left + 1 + right
    fits = x.shape == (channels,) and y.shape == (frames * channels,) and valid.shape == ()
    require(node, fits, f"{frames} frames of {channels} channels should make the output")
    if frames == 1:
        raise UnsupportedError(
            f"{node.kind} '{node.name}' stacks one frame.", "Take it out of the model."
        )
    step = node.number("stacker_step", 1, frames)
    before, after = kept(node, "frames", (frames - 1, channels), DType.INT16)
    count, count_after = kept(node, "count", (2,), DType.INT32)
    outputs = (y, valid, after, count_after)
    return SignalStacker(node.name, (x, before, count), outputs, left, right, step)


def reference(op: SignalStacker, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: StackerEval."""
    x, before, count = values
    others = op.left + op.right
    if not count[1]:
        before = np.tile(x, (others, 1))
    stacked = np.concatenate([before, x[None]])
    frames = int(count[0]) + 1 + (0 if count[1] else op.left)
    valid = frames > others
    after = np.array([frames - (op.step if valid else 0), 1], np.int32)
    return stacked.reshape(-1), np.array(valid), stacked[1:], after


def lower(op: SignalStacker) -> tuple[Call, ...]:
    """The one call."""
    shape = (
        ("channels", op.x.elements),
        ("left", op.left),
        ("right", op.right),
        ("step", op.step),
    )
    return one_call(op, shape)


SIGNAL_STACKER = OpDef(
    op=SignalStacker,
    parse=parse,
    dtypes=(DType.INT16,),
    rules=(),
    reference=reference,
    kernels=(Kernel("tg_signal_stacker", "tg_signal_frames.h", "tg_signal_stacker", lower),),
)
