"""The row of a 3x3 depthwise convolution with weights of a byte each, for the DSP extension."""

from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import Convolution, window_fields
from tinygen.ops.depthwise_planar import BYTES, CHANNEL_AXIS, KERNEL, band_of, columns_of, rows_of
from tinygen.ops.twist import as_int32, convolution_scaling, twisted

C = TypeVar("C", bound=Convolution)

CHANNELS = 2  # rearranged at a time
FEWEST_BYTES = 256  # of scratch, where it is not little beside the tensors
AMPLE, SCANT = 8, 64  # what part of input and output the scratch may take


def row_bytes(op: Convolution) -> int:
    """Bytes of a row of the planes."""
    return CHANNELS * BYTES * columns_of(op)


def little_band(op: Convolution, parts: int) -> int:
    """Rows of output at a time, about equally many, whose input takes little scratch."""
    budget = max(FEWEST_BYTES, (op.x.nbytes + op.y.nbytes) // parts)
    return band_of(op, budget, CHANNELS)


def fits(op: Convolution) -> bool:
    """Whether ``tg_depthwise_compact_s8_dsp`` takes it."""
    window = op.window
    return (
        window.kernel == KERNEL
        and window.dilation == (1, 1)
        and window.stride[1] in (1, 2)
        and op.x.shape[3] == op.y.shape[3] >= CHANNELS
        and columns_of(op) >= window.pad[1] + op.x.shape[2]
        and twisted(op, convolution_scaling, CHANNEL_AXIS) is not None
    )


def has_lean_form(op: Convolution) -> bool:
    """Whether less scratch makes a difference."""
    return fits(op) and little_band(op, SCANT) < little_band(op, AMPLE)


def lower(op: Convolution, parts: int) -> tuple[Call, ...]:
    """The call of ``tg_depthwise_compact_s8_dsp``; the scratch holds two planes of a band."""
    layer = twisted(op, convolution_scaling, CHANNEL_AXIS)
    assert layer is not None, "the row was chosen, so the proof exists"
    unused = ("kernel_h", "kernel_w")
    band = little_band(op, parts)
    shape = (
        *(field for field in window_fields(op.x, op.y, op.window) if field[0] not in unused),
        ("channels", op.y.shape[3]),
        ("band", band),
        ("columns", columns_of(op)),
        *layer.fields(),
    )
    constants = np.concatenate([layer.start[:, None], layer.constants()], axis=1)
    params = (
        ("weights", layer.weights.astype(np.int8)),
        ("constants", as_int32(constants)),
        ("input_zero_point", op.x.zero_point),
    )
    scratch_bytes = row_bytes(op) * rows_of(op, band)
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes),)


def depthwise_compact_rows() -> tuple[Kernel[C], Kernel[C]]:
    """The rows whose one function serves all sizes: quicker, and with less scratch."""
    name, types = "tg_depthwise_compact_s8_dsp", "tg_depthwise_compact_s8"
    ample: Kernel[C] = Kernel(
        name, f"{name}.h", types, partial(lower, parts=AMPLE), Isa.DSP, fits, scratch=True
    )
    return ample, replace(ample, lower=partial(lower, parts=SCANT), fits=has_lean_form, lean=True)
