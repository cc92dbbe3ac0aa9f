"""The row of matrix products with few rows, four channels at a time, for the DSP extension."""

from collections.abc import Callable
from typing import TypeVar

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel, with_short_form
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.twist import WORD, ScalingOf, Twisted, pack_mixed, twisted

W = TypeVar("W", bound=WeightedOp)

CHANNELS = 4
MOST_STEPS = 511  # eight bytes each, walked back in one instruction
UNROLLED, SHORT = 8, 3  # steps written out at most
STEP_BYTES = 66  # of code


def depth_of(op: WeightedOp) -> int:
    """Bytes of a row of activations."""
    return int(op.weights.values[0].size)


def steps_of(op: WeightedOp) -> int:
    """Words of a row of activations, the last perhaps not full."""
    return -(-depth_of(op) // WORD)


def matmul_twist_call(op: WeightedOp, layer: Twisted, unrolled: int) -> Call:
    """The call of ``tg_matmul_twist_s8_dsp``; the scratch holds a row, widened twice."""
    shape = (
        ("rows", op.x.elements // depth_of(op)),
        ("depth", depth_of(op)),
        ("out_c", len(layer.weights)),
        ("unrolled", unrolled),
        *layer.fields(),
    )
    params = (("weights", pack_mixed(layer)),)
    scratch_bytes = 2 * WORD * steps_of(op)
    return Call(shape, params, (op.x,), (op.y,), scratch_bytes)


def twist_rows(is_matmul: Callable[[W], bool], scaling: ScalingOf) -> tuple[Kernel[W], ...]:
    """The row for what is a matrix product with fixed-point ``scaling``, and its short form."""
    name, types = "tg_matmul_twist_s8_dsp", "tg_matmul_twist_s8"

    def fits(op: W) -> bool:
        few = len(op.weights.values) >= CHANNELS and steps_of(op) <= MOST_STEPS
        return is_matmul(op) and few and twisted(op, scaling) is not None

    def lower(op: W, unrolled: int = UNROLLED) -> tuple[Call, ...]:
        layer = twisted(op, scaling)
        assert layer is not None, "the row was chosen, so the proof exists"
        return (matmul_twist_call(op, layer, unrolled),)

    unrolled: Kernel[W] = Kernel(
        name, f"{name}.h", types, lower, Isa.DSP, fits,
        scratch=True, packs=True, loop_bytes=UNROLLED * STEP_BYTES,
    )  # fmt: skip
    return with_short_form(
        unrolled, lambda op: lower(op, SHORT), lambda op: steps_of(op) > SHORT, SHORT * STEP_BYTES
    )
