"""The rows of convolutions and matrix products for Helium."""

from collections.abc import Callable
from typing import TypeVar

from tinygen.isa import Isa
from tinygen.ops.base import Call, Kernel
from tinygen.ops.conv2d_lowering import Convolution, dilation_fields, is_inside, window_fields
from tinygen.ops.convolution import WeightedOp
from tinygen.ops.lanes import lanes_of, pack_blocks
from tinygen.ops.twist import ScalingOf

C = TypeVar("C", bound=Convolution)
W = TypeVar("W", bound=WeightedOp)


def matmul_mve_row(is_matmul: Callable[[W], bool], scaling: ScalingOf) -> Kernel[W]:
    """The row for what is a matrix product with fixed-point ``scaling``."""
    name = "tg_matmul_s8_mve"

    def fits(op: W) -> bool:
        return is_matmul(op) and lanes_of(op, scaling) is not None

    def lower(op: W) -> tuple[Call, ...]:
        layer = lanes_of(op, scaling)
        assert layer is not None, "the row was chosen, so the proof exists"
        channels, depth = layer.weights.shape
        shape = (
            ("rows", op.x.elements // depth),
            ("depth", depth),
            ("out_c", channels),
            *layer.fields(),
        )
        params = (("weights", pack_blocks(layer)), ("constants", layer.constants()))
        return (Call(shape, params, (op.x,), (op.y,)),)

    return Kernel(name, f"{name}.h", name, lower, Isa.MVE, fits)


def conv2d_mve_row() -> Kernel[C]:
    """The row for any convolution without groups."""
    name = "tg_conv2d_s8_mve"
    return Kernel(name, f"{name}.h", name, _lower, Isa.MVE, _fits, scratch=True)


def _fits(op: Convolution) -> bool:
    return op.weights.shape[3] == op.x.shape[3] and lanes_of(op) is not None


def _lower(op: Convolution) -> tuple[Call, ...]:
    layer = lanes_of(op)
    assert layer is not None, "the row was chosen, so the proof exists"
    in_place = op.window.kernel == (1, 1) and is_inside(op.x, op.y, op.window)
    shape = (
        *window_fields(op.x, op.y, op.window),
        *dilation_fields(op.window),
        ("in_c", op.x.shape[3]),
        ("out_c", op.y.shape[3]),
        ("in_place", int(in_place)),
        *layer.fields(),
    )
    params = (
        ("weights", pack_blocks(layer)),
        ("constants", layer.constants()),
        ("input_zero_point", op.x.zero_point),
    )
    scratch_bytes = 0 if in_place else 2 * layer.weights.shape[1]
    return (Call(shape, params, (op.x,), (op.y,), scratch_bytes),)
