"""The rows of a 3x3 depthwise convolution whose window slides along the image's rows or columns."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import Convolution
from tinygen.ops.short_requant import Form, ShortLayer, short_layer
from tinygen.ops.twist import convolution_scaling

C = TypeVar("C", bound=Convolution)

CHANNEL_AXIS = 3  # of the weights
TAPS = 3  # the kernel is of TAPS x TAPS


def layer_of(op: Convolution, form: Form) -> ShortLayer | None:
    """The layer with its proven requantization, if there is one."""
    return short_layer(op, form, convolution_scaling, CHANNEL_AXIS)


def along_of(op: Convolution) -> int:
    """The axis of the window, 0 for columns and 1 for rows, that the window slides along.

    The longer one: what a strip takes beside its results is that of three results.
    """
    return 0 if op.y.shape[1] > op.y.shape[2] else 1


def takes(form: Form) -> Callable[[Convolution], bool]:
    """Whether ``tg_depthwise_slide_s8`` takes an operator with a requantization of ``form``."""

    def fits(op: Convolution) -> bool:
        window = op.window
        if window.kernel != (TAPS, TAPS) or window.dilation != (1, 1):
            return False
        along = along_of(op)
        return (
            window.stride[along] in (1, 2)
            and op.x.shape[1 + along] >= 2
            and op.x.shape[2 - along] >= TAPS
            and op.x.shape[3] == op.y.shape[3]
            and all(hangs_by_one(op, axis) for axis in (0, 1))
            and layer_of(op, form) is not None
        )

    return fits


def hangs_by_one(op: Convolution, axis: int) -> bool:
    """Whether no window reaches beyond the image by more than one row (axis 0) or column (1)."""
    pad, stride = op.window.pad[axis], op.window.stride[axis]
    end = (op.y.shape[1 + axis] - 1) * stride - pad + TAPS
    return pad <= 1 and end <= op.x.shape[1 + axis] + 1


def lowering(form: Form) -> Callable[[Convolution], tuple[Call, ...]]:
    """The call of ``tg_depthwise_slide_s8``."""

    def lower(op: Convolution) -> tuple[Call, ...]:
        layer = layer_of(op, form)
        assert layer is not None, "the row was chosen, so the proof exists"
        channels = op.y.shape[3]
        strips = layer.weights.reshape(channels, TAPS, TAPS)
        if along_of(op) == 0:
            strips = strips.transpose(0, 2, 1)
        zero = np.zeros((channels, 1, TAPS), np.int64)
        # Moved by a strip, the window misses the products of its weights with zero points.
        missing = op.x.zero_point * strips.sum(axis=2)
        moved = np.stack([missing[:, 2], 0 * missing[:, 1], missing[:, 0]], axis=1)
        starts = (layer.start[:, None] + moved) << layer.left
        params = (
            ("weights", np.concatenate([zero, strips, zero], axis=1).astype(np.int8)),
            ("starts", starts.astype(np.int32)),
            ("constants", layer.constants()),
            ("input_zero_point", op.x.zero_point),
        )
        return (Call((*_geometry(op), *layer.fields()), params, (op.x,), (op.y,)),)

    return lower


def _geometry(op: Convolution) -> tuple[tuple[str, int], ...]:
    window, channels, along = op.window, op.y.shape[3], along_of(op)
    fields = [("batches", op.x.shape[0]), ("channels", channels)]
    for name, axis in (("along", along), ("across", 1 - along)):
        fields += [
            (f"in_{name}", op.x.shape[1 + axis]),
            (f"out_{name}", op.y.shape[1 + axis]),
            (f"stride_{name}", window.stride[axis]),
            (f"pad_{name}", window.pad[axis]),
            (f"x_{name}", channels if axis else op.x.shape[2] * channels),
            (f"y_{name}", channels if axis else op.y.shape[2] * channels),
        ]
    return tuple(fields)


def slide_rows() -> tuple[Kernel[C], ...]:
    """The rows, for cores that multiply to 64 bits and for those that do not."""
    types = "tg_depthwise_slide_s8"
    forms = (
        ("tg_depthwise_slide_s8", Isa.LONG_MULTIPLY, Form.HIGH_WORD),
        ("tg_depthwise_slide_split_s8", Isa.ANY, Form.SPLIT),
    )
    return tuple(
        Kernel(name, f"{types}.h", types, lowering(form), needs, takes(form), packs=True)
        for name, needs, form in forms
    )
