"""The audio front end's operators: drawn frames, spectra and filter banks, as sequences."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from firmware_tests.kernels.agreement import assert_interpreter_agrees
from firmware_tests.kernels.harness import (
    check_native,
    compile_cases,
    expected,
    graph_of,
    run_native,
)
from firmware_tests.kernels.tensors import plain
from firmware_tests.models.writer import to_tflite
from tinygen import interpreters, reference
from tinygen.compile import Options
from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tflite import read_model
from tinygen.ir import Array, DType, Numerics, Op, Tensor
from tinygen.isa import Isa
from tinygen.ops.base import Node
from tinygen.ops.signal_delay import SignalDelay
from tinygen.ops.signal_energy import SIGNAL_ENERGY, SignalEnergy
from tinygen.ops.signal_fft import SIGNAL_RFFT, SignalIrfft, SignalRfft
from tinygen.ops.signal_fft_auto_scale import SignalFftAutoScale
from tinygen.ops.signal_filter_bank import SIGNAL_FILTER_BANK, SignalFilterBank
from tinygen.ops.signal_filter_bank_log import SignalFilterBankLog
from tinygen.ops.signal_filter_bank_spectral_subtraction import (
    SignalFilterBankSpectralSubtraction,
)
from tinygen.ops.signal_filter_bank_square_root import SignalFilterBankSquareRoot
from tinygen.ops.signal_framer import SignalFramer
from tinygen.ops.signal_overlap_add import SignalOverlapAdd
from tinygen.ops.signal_pcan import SignalPcan
from tinygen.ops.signal_stacker import SignalStacker
from tinygen.ops.signal_window import SignalWindow
from tinygen.select import best
from tinygen.vectors import draw_vectors

INT16, INT32, FLOAT32, BOOL = DType.INT16, DType.INT32, DType.FLOAT32, DType.BOOL
UINT32, UINT64 = DType.UINT32, DType.UINT64


def fixed(name: str, values: Array, dtype: DType = INT16) -> Tensor:
    return replace(plain(name, values.shape, dtype), data=values.astype(dtype.numpy))


def with_states(
    op: type[Any],
    name: str,
    x: Tensor,
    outputs: tuple[Tensor, ...],
    states: tuple[tuple[tuple[int, ...], DType], ...],
    *attributes: object,
) -> Op:
    before = tuple(plain(f"{name}/s{i}", shape, dtype) for i, (shape, dtype) in enumerate(states))
    after = tuple(replace(t, name=f"{t.name}/after") for t in before)
    made: Op = op(name, (x, *before), (*outputs, *after), *attributes)
    return made


def window(rng: np.random.Generator, name: str) -> Op:
    size, frames, shift = (int(n) for n in rng.integers((1, 1, 0), (20, 4, 16)))
    x, y = (plain(n, (frames, size), INT16) for n in (f"{name}_x", name))
    weights = fixed(f"{name}_w", rng.integers(-(2**15), 2**15, size))
    return SignalWindow(name, (x, weights), (y,), shift)


def auto_scale(rng: np.random.Generator, name: str) -> Op:
    size = int(rng.integers(1, 12))
    x, y = (plain(n, (size,), INT16) for n in (f"{name}_x", name))
    return SignalFftAutoScale(name, (x,), (y, plain(f"{name}_bits", (), INT32)))


def transform(
    kind: type[SignalRfft] | type[SignalIrfft], dtype: DType, lengths: tuple[int, ...]
) -> Callable[[np.random.Generator, str], Op]:
    def make(rng: np.random.Generator, name: str) -> Op:
        length = int(rng.choice(lengths))
        outer = (2,) if rng.random() < 0.3 else ()
        size = length if kind is SignalIrfft else int(rng.integers(1, length + 1))
        samples, spectrum = (*outer, size), (*outer, length + 2)
        shapes = (samples, spectrum) if kind is SignalRfft else (spectrum, samples)
        x, y = (plain(n, s, dtype) for n, s in zip((f"{name}_x", name), shapes, strict=True))
        return kind(name, (x,), (y,), length)

    return make


def energy(rng: np.random.Generator, name: str) -> Op:
    size = int(rng.integers(1, 30))
    x, y = plain(f"{name}_x", (2 * size,), INT16), plain(name, (size,), UINT32)
    return SignalEnergy(name, (x,), (y,), 0, size)


def filter_bank(rng: np.random.Generator, name: str) -> Op:
    channels, size = (int(n) for n in rng.integers((1, 8), (9, 40)))
    edges = np.sort(rng.integers(0, size, channels + 2))
    widths = np.diff(edges)
    firsts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    weights = rng.integers(0, 4097, max(1, int(widths.sum())))
    constants = (weights, 4096 - weights, edges[:-1], firsts, widths)
    tensors = (fixed(f"{name}_{i}", values) for i, values in enumerate(constants))
    x, y = plain(f"{name}_x", (size,), UINT32), plain(name, (channels,), UINT64)
    return SignalFilterBank(name, (x, *tensors), (y,))


def square_root(rng: np.random.Generator, name: str) -> Op:
    size = int(rng.integers(1, 20))
    x, y = plain(f"{name}_x", (size,), UINT64), plain(name, (size,), UINT32)
    bits = fixed(f"{name}_bits", np.array(rng.integers(0, 16)), INT32)
    return SignalFilterBankSquareRoot(name, (x, bits), (y,))


def subtraction(rng: np.random.Generator, name: str) -> Op:
    size, bits = (int(n) for n in rng.integers((1, 0), (20, 12)))
    x, y, noise = (plain(n, (size,), UINT32) for n in (f"{name}_x", name, f"{name}_noise"))
    factors = [int(n) for n in rng.integers(0, 2**14, 3)]
    a, b, remaining = factors
    numbers = (a, 2**14 - a, b, 2**14 - b, remaining, bits, 14, bool(rng.integers(2)))
    return with_states(
        SignalFilterBankSpectralSubtraction, name, x, (y, noise), (((size,), UINT32),), *numbers
    )


def gain(rng: np.random.Generator, name: str) -> Op:
    size, shift = (int(n) for n in rng.integers((1, 0), (20, 20)))
    x, noise, y = (plain(n, (size,), UINT32) for n in (f"{name}_x", f"{name}_n", name))
    table = fixed(f"{name}_table", rng.integers(-(2**15), 2**15, 125))
    return SignalPcan(name, (x, noise, table), (y,), shift)


def log(rng: np.random.Generator, name: str) -> Op:
    size, scale, bits = (int(n) for n in rng.integers((1, 0, 0), (20, 3000, 6)))
    x, y = plain(f"{name}_x", (size,), UINT32), plain(name, (size,), INT16)
    return SignalFilterBankLog(name, (x,), (y,), scale, bits)


def delay(rng: np.random.Generator, name: str) -> Op:
    streams, size, length = (int(n) for n in rng.integers(1, (4, 12, 30)))
    x, y = (plain(n, (streams, size), INT16) for n in (f"{name}_x", name))
    return with_states(SignalDelay, name, x, (y,), (((streams, length), INT16),))


def overlap_add(dtype: DType) -> Callable[[np.random.Generator, str], Op]:
    def make(rng: np.random.Generator, name: str) -> Op:
        streams, frames, size = (int(n) for n in rng.integers(1, (3, 4, 12)))
        step = int(rng.integers(1, size + 1))
        x = plain(f"{name}_x", (streams, frames, size), dtype)
        y = plain(name, (streams, frames * step), dtype)
        return with_states(SignalOverlapAdd, name, x, (y,), (((streams, size), dtype),), step)

    return make


def framer(prefill: bool) -> Callable[[np.random.Generator, str], Op]:
    def make(rng: np.random.Generator, name: str) -> Op:
        streams, frames, step = (int(n) for n in rng.integers(1, (3, 4, 6)))
        size = step + int(rng.integers(1, 12))
        samples = size - step if prefill else -(-(size - step) // step) * step
        x = plain(f"{name}_x", (streams, frames * step), INT16)
        y = plain(name, (streams, frames, size), INT16)
        outputs = (y, plain(f"{name}_valid", (), BOOL))
        states = (((streams, samples), INT16), ((1,), INT32))
        return with_states(SignalFramer, name, x, outputs, states, step, prefill)

    return make


def stacker(rng: np.random.Generator, name: str) -> Op:
    channels, left, right = (int(n) for n in rng.integers((1, 0, 1), (6, 4, 4)))
    frames = left + 1 + right
    step = int(rng.integers(1, frames + 1))
    x, y = plain(f"{name}_x", (channels,), INT16), plain(name, (frames * channels,), INT16)
    outputs = (y, plain(f"{name}_valid", (), BOOL))
    states = (((frames - 1, channels), INT16), ((2,), INT32))
    return with_states(SignalStacker, name, x, outputs, states, left, right, step)


LENGTHS = (8, 12, 16, 20, 30, 64, 90, 256)
EXACT: dict[str, Callable[[np.random.Generator, str], Op]] = {
    "window": window,
    "auto_scale": auto_scale,
    "rfft_s16": transform(SignalRfft, INT16, LENGTHS),
    "rfft_s32": transform(SignalRfft, INT32, LENGTHS),
    "irfft_s16": transform(SignalIrfft, INT16, LENGTHS),
    "irfft_s32": transform(SignalIrfft, INT32, LENGTHS),
    "energy": energy,
    "filter_bank": filter_bank,
    "square_root": square_root,
    "subtraction": subtraction,
    "gain": gain,
    "log": log,
    "delay": delay,
    "overlap_add": overlap_add(INT16),
    "framer": framer(True),
}
WAITING = {"framer_late": framer(False), "stacker": stacker}
FLOAT = {
    "rfft_f32": transform(SignalRfft, FLOAT32, LENGTHS),
    "irfft_f32": transform(SignalIrfft, FLOAT32, LENGTHS),
    "overlap_add_f32": overlap_add(FLOAT32),
}


def drawn(kinds: dict[str, Callable[[np.random.Generator, str], Op]], count: int) -> tuple[Op, ...]:
    """``count`` operators of each kind."""
    return tuple(
        make(np.random.default_rng(index), f"{kind}{index}")
        for kind, make in kinds.items()
        for index in range(count)
    )


CASES = drawn(EXACT | WAITING, 2)


def test_every_row_gives_the_references_bytes() -> None:
    check_native(drawn(EXACT | WAITING, 6))


@pytest.mark.reference
@pytest.mark.parametrize("kind", EXACT)
def test_reference_is_tflite_micros(kind: str) -> None:
    assert_interpreter_agrees(drawn({kind: EXACT[kind]}, 12), Numerics.TFLM)


def both(
    kinds: dict[str, Callable[[np.random.Generator, str], Op]],
) -> tuple[list[str], list[Array], list[Array]]:
    """The outputs' names, TFLite Micro's values of 12 invocations, and the reference's."""
    graph = graph_of(drawn(kinds, 8))
    vectors = draw_vectors(graph, 12, seed=0).inputs
    stacked = tuple(np.stack(column) for column in zip(*vectors, strict=True))
    theirs = interpreters.run_tflm(to_tflite(graph), stacked)
    mine = [np.stack(column) for column in zip(*reference.run_all(graph, vectors), strict=True)]
    return (
        [t.name for t in graph.outputs],
        [t.reshape(m.shape) for t, m in zip(theirs, mine, strict=True)],
        mine,
    )


@pytest.mark.reference
def test_reference_is_tflite_micros_where_the_output_is_valid() -> None:
    names, theirs, mine = both(WAITING)
    for index in range(0, len(names), 2):
        valid = mine[index + 1].reshape(-1)
        assert names[index + 1] == f"{names[index]}_valid"
        assert theirs[index + 1].reshape(-1).tolist() == valid.tolist()
        assert not valid.all()
        np.testing.assert_array_equal(theirs[index][valid], mine[index][valid])


@pytest.mark.reference
def test_float_is_tflite_micros_within_a_hundred_thousandth() -> None:
    for _, theirs, mine in zip(*both(FLOAT), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_the_float_rows_give_the_references_values() -> None:
    graph = graph_of(drawn(FLOAT, 4))
    vectors = draw_vectors(graph, 5, seed=0).inputs
    program = compile_cases(graph, Isa.ANY, Options(), best)
    for got, want in zip(run_native(program, vectors), expected(graph, vectors), strict=True):
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


def test_a_file_gives_the_operators_and_their_states() -> None:
    graph = graph_of(drawn(EXACT | WAITING | FLOAT, 1))
    read = read_model(to_tflite(graph), "cases.tflite", Numerics.TFLM)
    assert {(op.kind, str(op.attributes())) for op in read.ops} == {
        (op.kind, str(op.attributes())) for op in graph.ops
    }
    assert sorted(str(s.before) for s in read.states) == sorted(str(s.before) for s in graph.states)


NODE = Node("SignalEnergy", "e", (), (), Numerics.TFLM, 0, None)


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        ({}, "'end_index' is missing"),
        ({"end_index": -1}, "'end_index' is -1"),
        ({"end_index": 2, "start_index": 3}, "'start_index' is 3"),
        ({"end_index": 2.5}, "'end_index' is 2.5"),
    ],
)
def test_options_that_make_no_sense_are_named(custom: dict[str, float], message: str) -> None:
    op = energy(np.random.default_rng(0), "e")
    node = replace(NODE, inputs=op.inputs, outputs=op.outputs, custom=custom)
    with pytest.raises(ModelError, match=message):
        SIGNAL_ENERGY.parse(node)


def test_a_band_outside_of_the_spectrum_is_refused() -> None:
    op = filter_bank(np.random.default_rng(0), "bank")
    starts = fixed("starts", op.inputs[3].values + op.x.elements)
    inputs = (*op.inputs[:3], starts, *op.inputs[4:])
    count = {"num_channels": op.y.elements}
    node = replace(NODE, kind=op.kind, inputs=inputs, outputs=op.outputs, custom=count)
    with pytest.raises(ModelError, match="a band should lie in the spectrum"):
        SIGNAL_FILTER_BANK.parse(node)


def test_a_transform_of_a_length_with_other_factors_is_refused() -> None:
    x, y = plain("x", (14,), INT16), plain("y", (16,), INT16)
    node = replace(NODE, kind="SignalRfft", inputs=(x,), outputs=(y,), custom={"fft_length": 14})
    with pytest.raises(UnsupportedError, match="a product of 2, 3 and 5"):
        SIGNAL_RFFT.parse(node)
