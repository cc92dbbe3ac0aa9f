"""Operators of the audio front end, drawn: frames, spectra and filter banks.

Each draw takes the dice and the name of the operator's output.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from firmware_tests.kernels.tensors import plain
from tinygen.ir import Array, DType, Op, Tensor
from tinygen.ops.signal_delay import SignalDelay
from tinygen.ops.signal_energy import SignalEnergy
from tinygen.ops.signal_fft import SignalIrfft, SignalRfft
from tinygen.ops.signal_fft_auto_scale import SignalFftAutoScale
from tinygen.ops.signal_filter_bank import SignalFilterBank
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

INT16, INT32, FLOAT32, BOOL = DType.INT16, DType.INT32, DType.FLOAT32, DType.BOOL
UINT32, UINT64 = DType.UINT32, DType.UINT64
LENGTHS = (8, 12, 16, 20, 30, 64, 90, 256)

Draw = Callable[[np.random.Generator, str], Op]
States = tuple[tuple[str, tuple[int, ...], DType], ...]


def fixed(name: str, values: Array, dtype: DType = INT16) -> Tensor:
    return replace(plain(name, values.shape, dtype), data=values.astype(dtype.numpy))


def with_states(
    op: Callable[..., Op],
    name: str,
    x: Tensor,
    outputs: tuple[Tensor, ...],
    states: States,
    *attributes: object,
) -> Op:
    """An operator with states of these names, as the front end makes them."""
    before = tuple(plain(f"{name}/{state}", shape, dtype) for state, shape, dtype in states)
    after = tuple(replace(t, name=f"{t.name}/after") for t in before)
    return op(name, (x, *before), (*outputs, *after), *attributes)


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
) -> Draw:
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
        SignalFilterBankSpectralSubtraction,
        name,
        x,
        (y, noise),
        (("noise", (size,), UINT32),),
        *numbers,
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
    return with_states(SignalDelay, name, x, (y,), (("samples", (streams, length), INT16),))


def overlap_add(dtype: DType) -> Draw:
    def make(rng: np.random.Generator, name: str) -> Op:
        streams, frames, size = (int(n) for n in rng.integers(1, (3, 4, 12)))
        step = int(rng.integers(1, size + 1))
        x = plain(f"{name}_x", (streams, frames, size), dtype)
        y = plain(name, (streams, frames * step), dtype)
        return with_states(
            SignalOverlapAdd, name, x, (y,), (("sums", (streams, size), dtype),), step
        )

    return make


def framer(prefill: bool) -> Draw:
    def make(rng: np.random.Generator, name: str) -> Op:
        streams, frames, step = (int(n) for n in rng.integers(1, (3, 4, 6)))
        size = step + int(rng.integers(1, 12))
        samples = size - step if prefill else -(-(size - step) // step) * step
        x = plain(f"{name}_x", (streams, frames * step), INT16)
        y = plain(name, (streams, frames, size), INT16)
        outputs = (y, plain(f"{name}_valid", (), BOOL))
        states = (("samples", (streams, samples), INT16), ("seen", (1,), INT32))
        return with_states(SignalFramer, name, x, outputs, states, step, prefill)

    return make


def stacker(rng: np.random.Generator, name: str) -> Op:
    channels, left, right = (int(n) for n in rng.integers((1, 0, 1), (6, 4, 4)))
    return _stacker(name, channels, left, right, int(rng.integers(1, left + right + 2)))


def full_stacker(rng: np.random.Generator, name: str) -> Op:
    """A stacker whose output is always valid."""
    channels, left = (int(n) for n in rng.integers(1, (6, 5)))
    return _stacker(name, channels, left, 0, 1)


def _stacker(name: str, channels: int, left: int, right: int, step: int) -> Op:
    frames = left + 1 + right
    x, y = plain(f"{name}_x", (channels,), INT16), plain(name, (frames * channels,), INT16)
    outputs = (y, plain(f"{name}_valid", (), BOOL))
    states = (("frames", (frames - 1, channels), INT16), ("count", (2,), INT32))
    return with_states(SignalStacker, name, x, outputs, states, left, right, step)


EXACT: dict[str, Draw] = {
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


def drawn(kinds: dict[str, Draw], count: int) -> tuple[Op, ...]:
    """``count`` operators of each kind."""
    return tuple(
        make(np.random.default_rng(index), f"{kind}{index}")
        for kind, make in kinds.items()
        for index in range(count)
    )
