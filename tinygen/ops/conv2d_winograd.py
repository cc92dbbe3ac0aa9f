"""The row of a 3x3 convolution by Winograd's F(2x2, 3x3), exact, for the DSP extension."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel, with_short_form
from tinygen.ops.conv2d_lowering import Convolution, window_fields
from tinygen.ops.twist import Twisted, as_int32, halves, twisted

C = TypeVar("C", bound=Convolution)

Int64s = npt.NDArray[np.int64]

TILES = 4
MOST_CHANNELS = 64  # into the layer
FEWEST_CHANNELS = 8  # either way, below which transforming takes longer than it saves
UNROLLED, SHORT = 32, 5  # steps of two input channels written out at most
STEP_BYTES = 50  # of code
PLACES = 16
SUMS_BYTES = PLACES * 2 * TILES * 4

# 2 G with G from the header; and what makes the sums 64 times the convolution's.
TRANSFORM = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.int64)
SCALE = 16
START_SCALE = 4  # sums hold 64 times the convolution where other kernels hold 256 times


def transformed(op: Convolution) -> Int64s:
    """The weights in the places of a tile: [out_c, in_c, 16]."""
    weights = op.weights.values.astype(np.int64)
    places: Int64s = SCALE * np.einsum("ai,oijc,bj->ocab", TRANSFORM, weights, TRANSFORM)
    return places.reshape(len(places), -1, PLACES)


def fits(op: Convolution) -> bool:
    """Whether ``tg_conv2d_winograd_s8_dsp`` takes it, and is the faster one."""
    window, (out_h, out_w, out_c), in_c = op.window, op.y.shape[1:], op.x.shape[3]
    tiles = -(-out_h // 2) * -(-out_w // 2)
    return (
        (window.kernel, window.stride, window.dilation) == ((3, 3), (1, 1), (1, 1))
        and op.weights.shape[3] == in_c
        and in_c % 4 == 0
        and FEWEST_CHANNELS <= in_c <= MOST_CHANNELS
        and out_c % 2 == 0
        and out_c >= FEWEST_CHANNELS
        and tiles >= TILES
        and 4 * 4 * tiles <= 5 * out_h * out_w  # few results are computed for nothing
        and int(np.abs(transformed(op)).max()) < 2**15
        and twisted(op) is not None
    )


def pack(layer: Twisted, places: Int64s) -> npt.NDArray[np.int32]:
    """Output channels by pairs, in the order in which the kernel reads them."""
    channels, in_c, _ = places.shape
    fours = places.reshape(channels, in_c // 4, 4, PLACES)
    # Words of input channels 0 and 2 of each four, and of 1 and 3: [out_c, step, place].
    words = halves(fours[:, :, :2], fours[:, :, 2:]).reshape(channels, in_c // 2, PLACES)
    pairs = words.reshape(channels // 2, 2, in_c // 2, PLACES).transpose(0, 3, 2, 1)
    count = channels // 2
    return as_int32(
        np.concatenate(
            [
                layer.start.reshape(count, 2) // START_SCALE,
                pairs.reshape(count, -1),
                layer.constants().reshape(count, -1),
            ],
            axis=1,
        )
    )


def is_long(op: Convolution) -> bool:
    """Whether the short form is another than the unrolled one."""
    return int(op.x.shape[3]) // 2 - 1 > SHORT


def lower(op: Convolution, most: int = UNROLLED) -> tuple[Call, ...]:
    """The call of ``tg_conv2d_winograd_s8_dsp``.

    The scratch holds four tiles' inputs, the sums of a pair of channels, and a tile as it was.
    """
    layer = twisted(op)
    assert layer is not None, "the row was chosen, so the proof exists"
    unused = ("kernel_h", "kernel_w", "stride_h", "stride_w")
    fields = window_fields(op.x, op.y, op.window)
    in_c = op.x.shape[3]
    shape = (
        *(field for field in fields if field[0] not in unused),
        ("in_c", in_c),
        ("out_c", op.y.shape[3]),
        ("unrolled", most),
        *layer.fields(),
    )
    params = (
        ("weights", pack(layer, transformed(op))),
        ("input_zero_point", op.x.zero_point),
    )
    scratch_bytes = TILES * PLACES * 2 * in_c + SUMS_BYTES + PLACES * in_c
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes),)


def winograd_rows() -> tuple[Kernel[C], ...]:
    """The row, best of all where it fits, and its short form."""
    name, types = "tg_conv2d_winograd_s8_dsp", "tg_conv2d_winograd_s8"
    unrolled: Kernel[C] = Kernel(
        name, f"{name}.h", types, lower, Isa.DSP, fits,
        scratch=True, packs=True, bulky=True, loop_bytes=UNROLLED * STEP_BYTES,
    )  # fmt: skip
    return with_short_form(unrolled, lambda op: lower(op, SHORT), is_long, SHORT * STEP_BYTES)
