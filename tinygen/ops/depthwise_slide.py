"""The rows of a depthwise convolution whose window slides along the image's rows or columns."""

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
MOST_SIDE = 7  # of a kernel: TG_SLIDE_SIDE in tg_depthwise_slide_s8.h


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
        window, along = op.window, along_of(op)
        across = 1 - along
        return (
            max(window.kernel) <= MOST_SIDE
            and window.dilation == (1, 1)
            and window.stride[along] <= window.kernel[along]
            and op.x.shape[1 + across] >= window.kernel[across]
            and op.x.shape[3] == op.y.shape[3]
            and layer_of(op, form) is not None
        )

    return fits


def overhang(op: Convolution, axis: int) -> int:
    """By how many rows (axis 0) or columns (1) windows hang over the image at most."""
    window = op.window
    last = (op.y.shape[1 + axis] - 1) * window.stride[axis] - window.pad[axis]
    return max(window.pad[axis], last + window.kernel[axis] - op.x.shape[1 + axis])


def lowering(form: Form) -> Callable[[Convolution], tuple[Call, ...]]:
    """The call of ``tg_depthwise_slide_s8``."""

    def lower(op: Convolution) -> tuple[Call, ...]:
        layer = layer_of(op, form)
        assert layer is not None, "the row was chosen, so the proof exists"
        channels, along = op.y.shape[3], along_of(op)
        strips = layer.weights.reshape(channels, *op.window.kernel)
        if along == 0:
            strips = strips.transpose(0, 2, 1)
        most = overhang(op, 1 - along)
        padded = np.pad(strips, ((0, 0), (most, most), (0, 0)))
        # Of a moved window, strips of weights are missing whose products are with zero points.
        sums = padded.sum(axis=2)
        kept = [sums[:, i : i + strips.shape[1]].sum(axis=1) for i in range(2 * most + 1)]
        missing = op.x.zero_point * (sums.sum(axis=1)[:, None] - np.stack(kept, axis=1))
        starts = (layer.start[:, None] + missing) << layer.left
        params = (
            ("weights", padded.astype(np.int8)),
            ("starts", starts.astype(np.int32)),
            ("constants", layer.constants()),
            ("input_zero_point", op.x.zero_point),
        )
        shape = (*_geometry(op), ("most_moved", most), *layer.fields())
        return (Call(shape, params, (op.x,), (op.y,)),)

    return lower


def _geometry(op: Convolution) -> tuple[tuple[str, int], ...]:
    window, channels, along = op.window, op.y.shape[3], along_of(op)
    fields = [("batches", op.x.shape[0]), ("channels", channels)]
    for name, axis in (("along", along), ("across", 1 - along)):
        fields += [
            (f"in_{name}", op.x.shape[1 + axis]),
            (f"out_{name}", op.y.shape[1 + axis]),
            (f"kernel_{name}", window.kernel[axis]),
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
