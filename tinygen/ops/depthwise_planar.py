"""The row of a 3x3 depthwise convolution on planes of int16, for the DSP extension."""

from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel, with_short_form
from tinygen.ops.conv2d_lowering import Convolution, window_fields
from tinygen.ops.twist import Twisted, as_int32, convolution_scaling, halves, twisted
from tinygen.requant_proof import FACTOR

C = TypeVar("C", bound=Convolution)

CHANNELS = 4  # rearranged at a time
CHANNEL_AXIS = 3  # of the weights
UNROLLED, SHORT = 6, 2  # pairs of results written out at most
PAIR_BYTES = 112  # of code
MOST_OFFSET = 4095  # of a load, or of an addition to an address
FEWEST_BYTES = 512  # of scratch, where it is not little beside the tensors
KERNEL = (3, 3)
BYTES = 2  # of a value in a plane


def columns_of(op: Convolution) -> int:
    """Columns of a plane: what pairs of results read, the last perhaps half used."""
    return 2 * op.window.stride[1] * -(-op.y.shape[2] // 2) + 2


def reach_bytes(op: Convolution) -> int:
    """How far the kernel reaches from where it is in a plane, whose rows take turns with others."""
    row_bytes = CHANNELS * BYTES * columns_of(op)
    return row_bytes * max(2, op.window.stride[0]) + 8


def rows_of(op: Convolution, band: int) -> int:
    """Rows of input that ``band`` rows of output read."""
    return (band - 1) * op.window.stride[0] + KERNEL[0]


def little(op: Convolution) -> int:
    """Bytes of scratch: at most a sixteenth of what the tensors take that live at the same time."""
    return max(FEWEST_BYTES, (op.x.nbytes + op.y.nbytes) // 16)


def band_of(op: Convolution, budget: int, channels: int = CHANNELS) -> int:
    """Rows of output at a time: ``channels`` of their input, rearranged, take at most ``budget``
    bytes, if a row does, and then bands are about equally high."""
    row_bytes = channels * BYTES * columns_of(op)
    rows = op.y.shape[1]
    most = max((b for b in range(1, rows + 1) if rows_of(op, b) * row_bytes <= budget), default=1)
    return -(-rows // -(-rows // most))


def layer_of(op: Convolution) -> Twisted | None:
    """The layer; a requantization with steps and shifts of its own takes a register too many."""
    layer = twisted(op, convolution_scaling, CHANNEL_AXIS)
    return layer if layer and len(layer.constants()[0]) <= 3 else None


def fits(op: Convolution) -> bool:
    """Whether ``tg_depthwise_planar_s8_dsp`` takes it."""
    window = op.window
    return (
        window.kernel == KERNEL
        and window.dilation == (1, 1)
        and window.stride[1] in (1, 2)
        and op.x.shape[3] == op.y.shape[3] >= CHANNELS
        and op.y.shape[3] < 4096
        and reach_bytes(op) <= MOST_OFFSET
        and layer_of(op) is not None
    )


def pack(layer: Twisted, stride: int) -> npt.NDArray[np.int32]:
    """For each channel words A and B of each kernel row, the start, and the constants."""
    rows = FACTOR * layer.weights.reshape(-1, *KERNEL)
    first, middle, last = rows[:, :, 0], rows[:, :, 1], rows[:, :, 2]
    a = halves(first, middle)
    b = halves(middle, last) if stride == 1 else halves(last, 0 * last)
    words = np.stack([a, b], axis=2).reshape(len(rows), -1)
    return as_int32(np.concatenate([words, layer.start[:, None], layer.constants()], axis=1))


def is_long(op: Convolution) -> bool:
    """Whether the short form is another than the unrolled one."""
    return int(op.y.shape[2]) // 2 > SHORT


def lower(op: Convolution, unrolled: int, budget: int) -> tuple[Call, ...]:
    """The call of ``tg_depthwise_planar_s8_dsp``; the scratch holds four planes of a band."""
    layer = layer_of(op)
    assert layer is not None, "the row was chosen, so the proof exists"
    unused = ("kernel_h", "kernel_w")
    fields = window_fields(op.x, op.y, op.window)
    band, columns = band_of(op, budget), columns_of(op)
    shape = (
        *(field for field in fields if field[0] not in unused),
        ("channels", op.y.shape[3]),
        ("band", band),
        ("columns", columns),
        ("unrolled", unrolled),
        *layer.fields(),
    )
    params = (
        ("weights", pack(layer, op.window.stride[1])),
        ("input_zero_point", op.x.zero_point),
    )
    scratch_bytes = CHANNELS * BYTES * columns * rows_of(op, band)
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes),)


def planar_rows() -> tuple[Kernel[C], ...]:
    """The row, best of all where it fits, and its short form."""
    name, types = "tg_depthwise_planar_s8_dsp", "tg_depthwise_planar_s8"
    row: Kernel[C] = Kernel(
        name,
        f"{name}.h",
        types,
        lambda op: lower(op, UNROLLED, little(op)),
        Isa.DSP,
        fits,
        scratch=True,
        packs=True,
        loop_bytes=UNROLLED * PAIR_BYTES,
        lower_within=lambda op, budget: lower(op, UNROLLED, budget),
    )
    unrolled, short = with_short_form(
        row, lambda op: lower(op, SHORT, little(op)), is_long, SHORT * PAIR_BYTES
    )
    return unrolled, replace(short, lower_within=lambda op, budget: lower(op, SHORT, budget))
