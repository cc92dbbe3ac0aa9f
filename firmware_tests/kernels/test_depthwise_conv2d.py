"""DEPTHWISE_CONV_2D: every row against the reference, the reference against the interpreters."""

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
)
from tinygen.ir import Activation, Numerics
from tinygen.isa import Isa
from tinygen.ops.depthwise_conv2d import DEPTHWISE_CONV_2D, MAX_TAPS, DepthwiseConv2D
from tinygen.ops.window import Pair, Window
from tinygen.optimize import Optimize
from tinygen.select import candidates


def depthwise(
    name: str,
    seed: int,
    size: Pair,
    window: Window,
    out: Pair,
    *,
    kind: Range = Range.USUAL,
    channels: int = 4,
    multiplier: int = 1,
    batches: int = 1,
    per_channel: bool = True,
    has_bias: bool = True,
    activation: Activation = Activation.NONE,
) -> DepthwiseConv2D:
    """One depthwise convolution with drawn weights and quantization."""
    out_c = channels * multiplier
    shapes = ((batches, *size, channels), (1, *window.kernel, out_c), (batches, *out, out_c))
    depth = window.kernel[0] * window.kernel[1]
    rng = np.random.default_rng(seed)
    axis = 3 if per_channel else None
    inputs, y = weighted_tensors(name, kind, shapes, depth, axis, has_bias, rng)
    return DepthwiseConv2D(name, inputs, (y,), window, activation)


def plain(
    name: str,
    seed: int,
    *,
    size: Pair = (6, 5),
    kernel: Pair = (3, 3),
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
    same: bool = True,
    channels: int = 4,
    multiplier: int = 1,
    batches: int = 1,
    per_channel: bool = True,
    has_bias: bool = True,
    activation: Activation = Activation.NONE,
) -> DepthwiseConv2D:
    """A case whose window follows from a padding scheme."""
    window, out = window_for(size, kernel, stride, dilation, same)
    return depthwise(
        name,
        seed,
        size,
        window,
        out,
        channels=channels,
        multiplier=multiplier,
        batches=batches,
        per_channel=per_channel,
        has_bias=has_bias,
        activation=activation,
    )


def drawn(index: int, kind: Range) -> DepthwiseConv2D:
    """A case with everything drawn."""
    rng = np.random.default_rng((11, index))
    size, window, out = drawn_window(rng)
    return depthwise(
        f"{kind.value}_{index}",
        index,
        size,
        window,
        out,
        kind=kind,
        channels=int(rng.integers(1, 11)),
        multiplier=int(rng.choice([1, 1, 2, 3])),
        batches=1 + (index % 5 == 0),
        per_channel=bool(index % 3),
        has_bias=bool(index % 4),
        activation=CLAMPS[index % len(CLAMPS)],
    )


NAMED = (
    plain("words_of_channels", 1, channels=8, activation=Activation.RELU),
    plain("odd_channels", 2, channels=7),
    plain("three_channels", 3, channels=3, stride=(2, 2)),
    plain("valid", 4, same=False, channels=5, size=(7, 7), stride=(2, 1)),
    plain("one_pixel", 5, size=(1, 1), channels=6),
    plain("whole_image", 6, size=(4, 5), kernel=(4, 5), same=False, channels=6),
    plain("strides_beyond_kernel", 7, size=(9, 11), kernel=(2, 2), stride=(4, 5), channels=5),
    plain("dilated", 8, size=(9, 8), dilation=(2, 3), channels=6),
    plain("dilated_beyond_image", 9, size=(4, 4), dilation=(4, 4)),
    plain("most_taps", 10, size=(9, 9), kernel=(4, 8), channels=5),
    plain("too_many_taps", 11, size=(9, 9), kernel=(11, 3), channels=3),
    plain("batches", 12, batches=3, channels=5, size=(3, 4)),
    plain("per_tensor", 13, per_channel=False, activation=Activation.RELU6, channels=9),
    plain("without_bias", 14, has_bias=False, channels=6),
    plain("multiplier", 15, channels=3, multiplier=3),
    plain("small_patches", 18, size=(20, 21), channels=2, multiplier=2),
    plain("one_channel", 16, channels=1),
    plain("planes", 30, size=(7, 9), channels=8, activation=Activation.RELU),
    plain("planes_odd", 31, size=(9, 8), channels=11, stride=(2, 2)),
    plain("planes_long_rows", 32, size=(3, 30), channels=4, activation=Activation.RELU6),
    plain("planes_many_channels", 33, size=(4, 5), channels=259, stride=(1, 2)),
    plain("planes_valid", 34, size=(8, 7), same=False, channels=6, batches=2, stride=(2, 1)),
    plain("planes_bands", 35, size=(40, 5), channels=4, stride=(2, 2), same=False),
    plain("slides", 37, size=(9, 5), channels=5, activation=Activation.RELU),
    plain("slides_5x5", 41, size=(6, 9), kernel=(5, 5), channels=3),
    plain("slides_7x7", 42, size=(8, 8), kernel=(7, 7), stride=(2, 2), channels=2),
    plain("slides_tiny", 43, size=(3, 2), kernel=(3, 5), stride=(2, 1), channels=3),
    plain("slides_far", 38, size=(3, 4), stride=(3, 1), channels=3),
    plain("slides_by_two", 39, size=(8, 11), stride=(2, 2), channels=5, batches=2),
    plain("slides_inside", 40, size=(5, 6), stride=(1, 2), same=False, channels=4),
    scales_apart(plain("planes_scales", 36, channels=7, activation=Activation.RELU)),
    plain("bands_of_few_channels", 37, size=(24, 20), channels=3),
    plain("one_column", 37, size=(9, 1), kernel=(3, 1), channels=40, same=False),
    plain("pixels_in_a_vector", 38, size=(6, 8), channels=8, kernel=(3, 5)),
    plain("one_channel_to_eight", 17, size=(12, 9), kernel=(10, 8), channels=1, multiplier=8),
)
TWOS: dict[str, Any] = {"stride": (1, 2), "same": False}
# What fuse_pad makes, and no file can say.
PADDED = (
    after_pad(plain("planes_far_border", 37, size=(11, 13), same=False, channels=5), 4, 5, 6, 7),
    after_pad(plain("planes_one_column", 38, size=(7, 9), **TWOS), 3, 4, 2, 4),
)
DRAWN = tuple(drawn(i, kind) for kind in Range for i in range(12))
CASES = (*NAMED, *PADDED, *DRAWN)


@pytest.mark.parametrize("part", range(3))
def test_every_row_gives_the_references_bytes(part: int) -> None:
    # A part of the drawn cases; all of them run on emulated cores at night.
    some = tuple(op for op in CASES if op not in DRAWN or DRAWN.index(op) % 4 == 0)
    check_native(some[part::3], options=ONE_INSTANCE)


@pytest.mark.parametrize("function", ["tg_conv2d_patches_s8", "tg_conv2d_s8_dsp"])
def test_convolving_by_groups_gives_the_references_bytes_everywhere(function: str) -> None:
    check_row(CASES, function)


@pytest.mark.parametrize("isa", [Isa.ANY, Isa.LONG_MULTIPLY, Isa.DSP], ids=str)
def test_instances_for_one_geometry_give_the_references_bytes(isa: Isa) -> None:
    check_native(NAMED, isa=isa, every_row=False, seed=3)


def test_every_row_is_the_best_for_some_case() -> None:
    isas = (Isa.ANY, Isa.LONG_MULTIPLY, Isa.DSP, Isa.DSP | Isa.MVE)
    chosen = {candidates(op, isa)[0].function for op in NAMED for isa in isas}
    assert chosen == {r.function for r in DEPTHWISE_CONV_2D.kernels if is_of_int8(r)}


def test_layers_made_for_planes_take_them() -> None:
    rows = {op.name: candidates(op, Isa.DSP)[0].function for op in NAMED}
    planes = {row for name, row in rows.items() if name.startswith("planes")}
    assert planes == {"tg_depthwise_planar_s8_dsp"}


@pytest.mark.parametrize("isa", [Isa.ANY, Isa.LONG_MULTIPLY], ids=str)
def test_a_layer_without_a_proven_requantization_takes_the_general_row(isa: Isa) -> None:
    window, out = window_for((6, 5), (3, 3), (1, 1), (1, 1), same=True)
    usual, large = (
        depthwise(f"{kind}", 0, (6, 5), window, out, kind=kind)
        for kind in (Range.USUAL, Range.LARGE)
    )
    assert candidates(usual, isa)[0].function.startswith("tg_depthwise_slide")
    assert candidates(large, isa)[0].function == "tg_depthwise_conv2d_s8"


@pytest.mark.parametrize(("stride", "planes"), [(2, True), (3, False)])
def test_rows_are_as_far_apart_as_one_instruction_adds(stride: int, planes: bool) -> None:
    op = plain("wide", 39, size=(9, 200), stride=(stride, 1), same=False)
    assert (candidates(op, Isa.DSP)[0].function == "tg_depthwise_planar_s8_dsp") == planes


def test_for_size_layers_take_planes_of_weights_that_stay_bytes() -> None:
    rows = {op.name: candidates(op, Isa.DSP, Optimize.SIZE) for op in NAMED}
    planes = {found[0].function for name, found in rows.items() if name.startswith("planes")}
    assert planes == {"tg_depthwise_compact_s8_dsp"}
    assert [row.lean for row in rows["bands_of_few_channels"][:2]] == [False, True]


def test_kernels_with_more_taps_than_pointers_are_convolved_by_groups() -> None:
    rows = {op.name: candidates(op, Isa.ANY)[0].function for op in NAMED}
    taps = {op.name: op.window.kernel[0] * op.window.kernel[1] for op in NAMED}
    assert (taps["most_taps"], rows["most_taps"]) == (MAX_TAPS, "tg_depthwise_conv2d_s8")
    assert (taps["too_many_taps"], rows["too_many_taps"]) == (MAX_TAPS + 1, "tg_conv2d_s8")


@pytest.mark.reference
@pytest.mark.parametrize("numerics", list(Numerics), ids=lambda n: n.value)
def test_the_reference_is_the_interpreters(numerics: Numerics) -> None:
    assert_interpreter_agrees((*NAMED, *DRAWN), numerics)
