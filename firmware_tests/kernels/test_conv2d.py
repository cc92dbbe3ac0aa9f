"""CONV_2D: every row against the reference, the reference against the interpreters."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import check_native
from firmware_tests.kernels.weighted import (
    CLAMPS,
    ONE_INSTANCE,
    Range,
    after_pad,
    check_row,
    drawn_window,
    is_of_int8,
    scales_apart,
    weighted_tensors,
    window_for,
    without_least,
)
from tinygen.ir import Activation, Numerics
from tinygen.isa import Isa
from tinygen.ops import conv2d_lowering
from tinygen.ops.compact import bytes_fit
from tinygen.ops.conv2d import CONV_2D, Conv2D
from tinygen.ops.window import Pair
from tinygen.optimize import Optimize
from tinygen.select import candidates


def conv(
    name: str,
    seed: int,
    *,
    kind: Range = Range.USUAL,
    size: Pair = (5, 6),
    channels: tuple[int, int] = (3, 4),
    kernel: Pair = (3, 3),
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
    same: bool = True,
    batches: int = 1,
    groups: int = 1,
    per_channel: bool = True,
    has_bias: bool = True,
    activation: Activation = Activation.NONE,
) -> Conv2D:
    """One convolution with drawn weights and quantization."""
    window, out = window_for(size, kernel, stride, dilation, same)
    in_c, out_c = channels
    shapes = (
        (batches, *size, in_c),
        (out_c, *kernel, in_c // groups),
        (batches, *out, out_c),
    )
    depth = kernel[0] * kernel[1] * in_c // groups
    rng = np.random.default_rng(seed)
    axis = 0 if per_channel else None
    inputs, y = weighted_tensors(name, kind, shapes, depth, axis, has_bias, rng)
    return Conv2D(name, inputs, (y,), window, activation)


def with_greatest_sums(op: Conv2D) -> Conv2D:
    """``op``, of 64 products a sum, with weights of which the sums just fit 21 bits."""
    weights = np.full_like(op.weights.values, -128)
    weights[..., -1] = -127
    return replace(op, inputs=(op.x, replace(op.weights, data=weights), *op.inputs[2:]))


def drawn(index: int, kind: Range, groups: int = 1) -> Conv2D:
    """A case with everything drawn."""
    rng = np.random.default_rng((7, index))
    size, window, out = drawn_window(rng)
    in_c, out_c = (int(rng.integers(1, 8)) * groups, int(rng.integers(1, 8)) * groups)
    batches = 1 + (index % 5 == 0)
    shapes = (
        (batches, *size, in_c),
        (out_c, *window.kernel, in_c // groups),
        (batches, *out, out_c),
    )
    depth = window.kernel[0] * window.kernel[1] * in_c // groups
    name = f"{kind.value}_g{groups}_{index}"
    axis = 0 if index % 3 else None
    inputs, y = weighted_tensors(name, kind, shapes, depth, axis, bool(index % 4), rng)
    return Conv2D(name, inputs, (y,), window, CLAMPS[index % len(CLAMPS)])


NAMED = (
    conv("one_by_one", 1, kernel=(1, 1)),
    conv("one_by_one_odd", 2, kernel=(1, 1), size=(3, 5), channels=(7, 5)),
    conv("one_by_one_words", 3, kernel=(1, 1), channels=(16, 6), activation=Activation.RELU),
    conv("one_by_one_strided", 4, kernel=(1, 1), stride=(2, 3), channels=(8, 8)),
    conv("one_pixel", 5, kernel=(1, 1), size=(1, 1), channels=(9, 3)),
    conv("one_pixel_padded", 6, size=(1, 1), channels=(2, 3)),
    without_least(conv("whole_image", 7, size=(4, 3), kernel=(4, 3), same=False, channels=(3, 6))),
    conv("whole_images", 8, size=(4, 3), kernel=(4, 3), same=False, batches=3),
    conv("strides_beyond_kernel", 9, size=(9, 11), kernel=(2, 2), stride=(4, 5), same=False),
    conv("tall_kernel", 10, size=(12, 5), kernel=(10, 4), stride=(2, 2), channels=(1, 8)),
    conv("dilated", 11, size=(9, 9), dilation=(2, 3), same=False),
    conv("dilated_beyond_image", 12, size=(4, 4), dilation=(4, 4)),
    conv("batches", 13, batches=3, size=(3, 3), stride=(2, 2)),
    conv("per_tensor", 14, per_channel=False, activation=Activation.RELU6),
    conv("without_bias", 15, has_bias=False, kernel=(1, 1)),
    conv("small_patches", 17, size=(24, 25), channels=(3, 7), dilation=(1, 2)),
    conv("small_patches_to_one", 41, size=(20, 27), channels=(2, 1), kernel=(2, 2)),
    conv("long_zeros", 18, size=(20, 21), channels=(3, 5)),
    conv("one_channel_out", 16, channels=(5, 1), kernel=(1, 1)),
    conv("tiles", 30, size=(6, 8), channels=(8, 8), activation=Activation.RELU),
    conv("tiles_odd", 31, size=(9, 11), channels=(12, 10)),
    conv("tiles_many_channels", 32, size=(4, 6), channels=(64, 8), has_bias=False),
    conv("trio_in_chunks", 40, size=(3, 4), channels=(64, 3)),
    with_greatest_sums(conv("trio_just_fits", 42, kernel=(1, 1), channels=(64, 3))),
    conv("tiles_valid", 33, size=(10, 8), same=False, channels=(20, 8), batches=2),
    scales_apart(conv("tiles_scales", 34, size=(6, 6), channels=(8, 8))),
    without_least(conv("long_patches", 35, channels=(40, 5), stride=(2, 2), size=(7, 6))),
    without_least(conv("blocks", 36, channels=(7, 6), kernel=(1, 1), activation=Activation.RELU)),
    without_least(conv("row_of_a_word", 37, size=(9, 7), kernel=(5, 4), channels=(1, 8))),
    without_least(conv("row_of_a_word_wide", 38, size=(9, 3), kernel=(3, 2), channels=(2, 3))),
    scales_apart(without_least(conv("neighbours", 40, size=(5, 19), channels=(3, 8)))),
    without_least(conv("neighbours_many", 41, size=(3, 8), channels=(5, 32), kernel=(2, 3))),
    scales_apart(without_least(conv("blocks_scales", 39, channels=(9, 7), stride=(2, 1)))),
)
GROUPED = (
    conv("two_groups", 20, groups=2, channels=(6, 4)),
    conv("groups_of_one", 21, groups=5, channels=(5, 10), size=(4, 4)),
    conv("groups_dilated", 22, groups=3, channels=(6, 3), dilation=(2, 2), batches=2),
)
APART: dict[str, Any] = {
    "channels": (4, 5), "kernel": (1, 1), "stride": (2, 2), "same": False,
}  # fmt: skip
WORD: dict[str, Any] = {"channels": (1, 4), "kernel": (3, 4), "same": False}
EIGHT: dict[str, Any] = {"channels": (8, 8), "same": False}
# What fuse_pad makes, and no file can say.
PADDED = (
    after_pad(conv("as_many_pixels", 40, size=(6, 6), **APART), 1, 1, 2, 2),
    after_pad(conv("far_border", 41, size=(13, 12), channels=(3, 4), same=False), 5, 4, 5, 7),
    after_pad(conv("tiles_far_border", 42, size=(12, 14), **EIGHT), 5, 3, 6, 9),
    after_pad(conv("word_far_border", 43, size=(9, 16), **WORD), 2, 6, 1, 6),
    after_pad(conv("word_wider_than_image", 44, size=(6, 9), **WORD), 1, 3, 1, 4),
)
DRAWN = tuple(drawn(i, kind) for kind in Range for i in range(12))
CASES = (*NAMED, *GROUPED, *PADDED, *DRAWN, *(drawn(i, Range.USUAL, groups=3) for i in range(4)))


@pytest.mark.parametrize("part", range(3))
def test_every_row_gives_the_references_bytes(part: int) -> None:
    # A part of the drawn cases; all of them run on emulated cores at night.
    some = tuple(op for op in CASES if op not in DRAWN or DRAWN.index(op) % 4 == 0)
    check_native(some[part::3], options=ONE_INSTANCE)


@pytest.mark.parametrize("function", ["tg_conv2d_patches_s8", "tg_conv2d_patches_s8_dsp"])
def test_gathered_patches_give_the_references_bytes_where_they_are_large(function: str) -> None:
    check_row(CASES, function)


@pytest.mark.parametrize("function", ["tg_conv2d_s8", "tg_conv2d_s8_dsp"])
def test_long_runs_of_zero_points_give_the_references_bytes(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in layers so large that the scratch for them is small."""
    monkeypatch.setattr(conv2d_lowering, "is_affordable", lambda x, y, scratch_bytes: True)
    check_row(CASES, function)


@pytest.mark.parametrize("isa", [Isa.ANY, Isa.DSP], ids=str)
def test_instances_for_one_geometry_give_the_references_bytes(isa: Isa) -> None:
    check_native((*NAMED, *GROUPED), isa=isa, every_row=False, seed=3)


def test_every_row_is_the_best_for_some_case() -> None:
    chosen = {
        candidates(op, isa, optimize)[0].function
        for op in NAMED
        for isa in (Isa.ANY, Isa.DSP, Isa.DSP | Isa.MVE)
        for optimize in Optimize
    }
    assert chosen == {r.function for r in CONV_2D.kernels if is_of_int8(r)}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (
            "tg_conv2d_winograd_s8_dsp",
            "tiles tiles_odd tiles_many_channels tiles_valid tiles_scales",
        ),
        (
            "tg_conv2d_block_s8_dsp",
            "long_patches blocks row_of_a_word row_of_a_word_wide blocks_scales "
            "neighbours neighbours_many",
        ),
        (
            "tg_conv2d_trio_s8",
            "one_by_one_odd tall_kernel dilated small_patches trio_in_chunks trio_just_fits",
        ),
    ],
)
def test_layers_made_for_a_row_take_it(function: str, names: str) -> None:
    isa = Isa.DSP if function.endswith("_dsp") else Isa.ANY
    rows = {op.name: candidates(op, isa)[0].function for op in NAMED}
    assert {rows[name] for name in names.split()} == {function}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ("tg_conv2d_compact_s8_dsp", "tiles tall_kernel one_by_one_words blocks_scales batches"),
        ("tg_matmul_compact_s8_dsp", "whole_image"),
    ],
)
def test_layers_take_the_row_whose_weights_stay_bytes_for_size(function: str, names: str) -> None:
    rows = {op.name: candidates(op, Isa.DSP, Optimize.SIZE)[0].function for op in NAMED}
    assert {rows[name] for name in names.split()} == {function}


def test_weights_stay_bytes_but_for_the_least_one_behind_a_negative_one() -> None:
    assert bytes_fit(np.array([[-128, -127], [0, -128], [-128, 127]]))
    assert not bytes_fit(np.array([[1, 1, -1, -128]]))
    assert bytes_fit(np.array([[1, -1, -128]]))  # each pair by itself, a last one with zero


def test_rows_that_pack_weights_are_for_speed_alone() -> None:
    for op in NAMED:
        assert not any(row.packs for row in candidates(op, Isa.DSP, Optimize.SIZE))


def right_only(op: Conv2D) -> int:
    return dict(candidates(op, Isa.ANY)[-1].lower(op)[0].shape)["right_only"]


def test_the_short_and_the_long_requantization_are_both_used() -> None:
    assert {right_only(op) for op in NAMED} == {1}
    assert {right_only(op) for op in DRAWN} == {0, 1}


def with_dead_channels(op: Conv2D) -> Conv2D:
    """``op`` with a first channel that gives one value between the limits, a second that saturates.

    Their biases are beyond what the short requantization takes.
    """
    assert op.bias is not None
    assert op.weights.quant is not None
    weights, bias = op.weights.values.copy(), op.bias.values.copy()
    weights[0] = 0
    weights[0].reshape(-1)[:2] = (1, -1)
    bias[:2] = (1 << 30, -(1 << 30))
    scales = (float(op.y.scale / op.x.scale * 2.0**-26), *op.weights.quant.scale[1:])
    quant = replace(op.weights.quant, scale=scales)
    x, y = (replace(t, name=f"{t.name}_dead") for t in (op.x, op.y))
    dead = replace(op.weights, quant=quant, data=weights)
    inputs = (x, dead, replace(op.bias, data=bias))
    return replace(op, name=y.name, inputs=inputs, outputs=(y,))


def is_short(op: Conv2D) -> bool:
    """Whether a patch is so short that what its weights add is small beside a dead bias."""
    return int(op.weights.values[0].size) < 128


def test_dead_channels_do_not_bar_the_short_requantization() -> None:
    cases = [
        with_dead_channels(op)
        for op in NAMED
        if op.bias and op.y.shape[3] > 1 and op.name != "per_tensor" and is_short(op)
    ][::3]  # the compiler takes long for all
    assert {right_only(op) for op in cases} == {1}
    check_native(cases, options=ONE_INSTANCE, every_row=False)


@pytest.mark.reference
@pytest.mark.parametrize("numerics", list(Numerics), ids=lambda n: n.value)
def test_the_reference_is_the_interpreters(numerics: Numerics) -> None:
    with_bias = [op for op in (*NAMED, *DRAWN) if op.bias or numerics is Numerics.TFLM]
    assert_interpreter_agrees(with_bias, numerics)  # LiteRT's CONV_2D asks for a bias


@pytest.mark.reference
@pytest.mark.parametrize("numerics", list(Numerics), ids=lambda n: n.value)
def test_the_reference_of_grouped_convolutions_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees(GROUPED, numerics)
