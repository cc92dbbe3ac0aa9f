"""The row of a convolution by blocks of three pixels and two channels, for the DSP extension."""

from typing import TypeVar

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel, with_short_form
from tinygen.ops.conv2d_lowering import Convolution, dilation_fields, window_fields
from tinygen.ops.twist import WORD, pack_pairs, pairs_fit, twisted

C = TypeVar("C", bound=Convolution)

PIXELS = 3
MOST_OFFSET = 4095  # of a load or store from an address
UNROLLED, SHORT = 16, 3  # steps written out at most
STEP_BYTES = 78  # of code


def padded_depth(op: Convolution) -> int:
    """Bytes of a patch, padded to words."""
    depth = int(op.weights.values[0].size)
    return -(-depth // WORD) * WORD


def unrolled_of(depth: int, most: int) -> int:
    """How many steps beyond the first to write out: all, or about equal parts of them."""
    more = depth // WORD - 1
    loops = -(-more // most)
    return max(1, more // max(loops, 1))


def together_of(depth: int, pairs: int, most: int) -> int:
    """How many pairs of channels to write out, beside ``most`` steps, give or take two.

    The requantization is about as long as a step.
    """
    steps = depth // WORD + 1
    return next((n for n in (4, 2) if pairs % n == 0 and n * steps <= most + 2), 1)


def fits(op: Convolution) -> bool:
    """Whether ``tg_conv2d_block_s8_dsp`` takes it."""
    pixels, channels = op.y.shape[1] * op.y.shape[2], op.y.shape[3]
    offset = max(2 * padded_depth(op), 2 * channels + 1)
    return (
        op.weights.shape[3] == op.x.shape[3]
        and pixels >= PIXELS
        and channels >= 2
        and offset <= MOST_OFFSET
        and pairs_fit(op.weights.values.reshape(channels, -1))
        and twisted(op) is not None
    )


def is_long(op: Convolution) -> bool:
    """Whether the short form is another than the unrolled one."""
    return padded_depth(op) // WORD - 1 > SHORT


def lower(op: Convolution, most: int = UNROLLED) -> tuple[Call, ...]:
    """The call of ``tg_conv2d_block_s8_dsp``; the scratch holds three patches."""
    layer = twisted(op)
    assert layer is not None, "the row was chosen, so the proof exists"
    depth = padded_depth(op)
    shape = (
        *window_fields(op.x, op.y, op.window),
        *dilation_fields(op.window),
        ("in_c", op.x.shape[3]),
        ("out_c", op.y.shape[3]),
        ("depth", depth),
        ("unrolled", unrolled_of(depth, most)),
        ("together", together_of(depth, op.y.shape[3] // 2, most)),
        *layer.fields(),
    )
    params = (("weights", pack_pairs(layer)), ("input_zero_point", op.x.zero_point))
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes=PIXELS * depth),)


def block_rows() -> tuple[Kernel[C], ...]:
    """The row, best of all but Winograd's where it fits, and its short form."""
    name = "tg_conv2d_block_s8_dsp"
    unrolled: Kernel[C] = Kernel(
        name, f"{name}.h", "tg_conv2d_block_s8", lower, Isa.DSP, fits,
        scratch=True, packs=True, loop_bytes=(UNROLLED + 2) * STEP_BYTES,
    )  # fmt: skip
    return with_short_form(unrolled, lambda op: lower(op, SHORT), is_long, (SHORT + 2) * STEP_BYTES)
