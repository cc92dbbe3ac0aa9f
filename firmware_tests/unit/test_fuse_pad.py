"""fuse_pad: where a PAD becomes the padding of the convolutions that read it."""

from dataclasses import replace

import numpy as np
import pytest

from firmware_tests.unit.rewriting import (
    add,
    assert_untouched,
    constant,
    conv,
    depthwise,
    graph,
    image,
    kinds,
    like,
    rewritten,
)
from tinygen.ir import Activation, Graph, Tensor
from tinygen.ops.conv2d import Conv2D
from tinygen.ops.pad import Pad, Paddings, PadV2
from tinygen.ops.pool2d import MaxPool2D
from tinygen.ops.window import Window
from tinygen.passes.fuse_pad import fuse_pad

NONE = Activation.NONE

X = image(1, 5, 6, 2, zero_point=-3, name="x")


def padded(x: Tensor, paddings: Paddings) -> Pad:
    shape = tuple(n + sum(pair) for n, pair in zip(x.shape, paddings, strict=True))
    return Pad("pad", (x,), (like(x, *shape),), paddings)


def pad_then_conv(
    height: tuple[int, int], width: tuple[int, int], stride: int, pad: tuple[int, int] = (0, 0)
) -> Graph:
    """PAD, and a 3x3 convolution that itself pads by ``pad`` on both sides."""
    first = padded(X, ((0, 0), height, width, (0, 0)))
    rows, columns = (
        (n + 2 * p - 3) // stride + 1 for n, p in zip(first.y.shape[1:3], pad, strict=True)
    )
    y = image(1, rows, columns, 3, scale=0.3, zero_point=9)
    return graph((X,), (first, conv(first.y, y, stride=(stride, stride), pad=pad)), (y,))


def test_the_window_moves_and_the_pad_is_gone() -> None:
    before = pad_then_conv((1, 2), (2, 1), 1)
    assert str(before).splitlines() == [
        "%0 = input int8[1,5,6,2] s=0.05 z=-3",
        "%1 = pad(%0) paddings=0x0x1x2x2x1x0x0  int8[1,8,9,2] s=0.05 z=-3",
        "%4 = conv_2d(%1, #2, #3) window=k3x3s1x1d1x1p0x0 activation=none  int8[1,6,7,3] s=0.3 z=9",
        "return %4",
    ]
    assert str(rewritten(before, fuse_pad)).splitlines() == [
        "%0 = input int8[1,5,6,2] s=0.05 z=-3",
        "%3 = conv_2d(%0, #1, #2) window=k3x3s1x1d1x1p1x2 activation=none  int8[1,6,7,3] s=0.3 z=9",
        "return %3",
    ]


@pytest.mark.parametrize("pad", [(0, 0), (1, 1)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("width", [(0, 0), (0, 1), (3, 4)])
@pytest.mark.parametrize("height", [(0, 1), (1, 0), (5, 2)])
def test_every_geometry_keeps_its_results(
    height: tuple[int, int], width: tuple[int, int], stride: int, pad: tuple[int, int]
) -> None:
    after = rewritten(pad_then_conv(height, width, stride, pad), fuse_pad)
    (op,) = after.ops
    assert isinstance(op, Conv2D)
    assert op.window.pad == (height[0] + pad[0], width[0] + pad[1])


def test_convolutions_of_both_kinds_may_share_a_pad() -> None:
    pad = padded(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y, z = image(1, 5, 6, 3), image(1, 5, 6, 2, scale=0.2)
    before = graph((X,), (pad, conv(pad.y, y), depthwise(pad.y, z)), (y, z))
    assert kinds(rewritten(before, fuse_pad)) == ["CONV_2D", "DEPTHWISE_CONV_2D"]


def test_pads_in_a_row_add_up() -> None:
    first = padded(X, ((0, 0), (1, 0), (0, 2), (0, 0)))
    second = padded(first.y, ((0, 0), (0, 1), (1, 0), (0, 0)))
    y = image(1, 5, 7, 3)
    (op,) = rewritten(graph((X,), (first, second, conv(second.y, y)), (y,)), fuse_pad).ops
    assert isinstance(op, Conv2D)
    assert op.window.pad == (1, 1)


def test_a_pad_before_a_pool_stays() -> None:
    pad = padded(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y = like(X, 1, 5, 6, 2)
    pool = MaxPool2D("pool", (pad.y,), (y,), Window((3, 3), (1, 1), (1, 1), (0, 0)), NONE)
    assert_untouched(graph((X,), (pad, pool), (y,)), fuse_pad)


def test_a_pad_that_others_read_or_that_is_an_output_stays() -> None:
    before = pad_then_conv((1, 1), (1, 1), 1)
    padded_image, y = before.ops[0].y, before.ops[1].y
    assert_untouched(replace(before, outputs=(y, padded_image)), fuse_pad)
    total = like(padded_image)
    both = (*before.ops, add(padded_image, padded_image, total))
    assert_untouched(graph((X,), both, (y, total)), fuse_pad)


def test_a_pad_of_channels_or_of_the_batch_stays() -> None:
    for paddings in (((0, 0), (1, 1), (1, 1), (0, 1)), ((1, 0), (1, 1), (1, 1), (0, 0))):
        pad = padded(X, paddings)
        n, _, _, _ = pad.y.shape
        y = image(n, 5, 6, 3)
        assert_untouched(graph((X,), (pad, conv(pad.y, y)), (y,)), fuse_pad)


def test_a_pad_that_changes_the_quantization_stays() -> None:
    pad = padded(X, ((0, 0), (1, 1), (1, 1), (0, 0)))
    other = image(*pad.y.shape, scale=0.06, zero_point=-3)
    y = image(1, 5, 6, 3)
    ops = (replace(pad, outputs=(other,)), conv(other, y))
    assert_untouched(graph((X,), ops, (y,)), fuse_pad)


@pytest.mark.parametrize(("value", "fuses"), [(-3, True), (-4, False)])
def test_padv2_fuses_where_its_value_is_the_zero_point(value: int, fuses: bool) -> None:
    fill = constant(np.array([value], np.int8), X.quant)
    paddings = ((0, 0), (1, 1), (1, 1), (0, 0))
    pad = padded(X, paddings)
    y = image(1, 5, 6, 3)
    ops = (PadV2("pad", (X, fill), pad.outputs, paddings), conv(pad.y, y))
    after = rewritten(graph((X,), ops, (y,)), fuse_pad)
    assert kinds(after) == (["CONV_2D"] if fuses else ["PADV2", "CONV_2D"])
