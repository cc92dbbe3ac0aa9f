"""Fourier transforms of real signals in fixed point and in float, as the reference computes them.

Source: kissfft's kiss_fft.c and kiss_fftr.c (FIXED_POINT 16 and 32), which TFLite Micro's signal
library uses. ``tinygen/kernels/tg_fft.h`` tells the algorithm, and is the C twin.
"""

from dataclasses import dataclass
from functools import cache
from math import pi

import numpy as np

from tinygen.ir import Array, DType

Complex = tuple[Array, Array]
FACTORS = (4, 2, 3, 5)


def factors(length: int) -> tuple[int, ...]:
    """``length`` as a product of 4, 2, 3 and 5, in that order; empty where it is none."""
    found = []
    for factor in FACTORS:
        while length % factor == 0:
            found.append(factor)
            length //= factor
    return tuple(found) if length == 1 else ()


@cache
def order(length: int) -> Array:
    """Which element comes where, before neighbours are joined."""
    digits = np.arange(length).reshape(factors(length)[::-1])
    return digits.transpose().reshape(-1).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Arithmetic on arrays of one type; fixed point is computed in int64, and wraps."""

    dtype: DType

    @property
    def fraction(self) -> int:
        """Fractional bits; 0 for float."""
        return 0 if self.dtype is DType.FLOAT32 else 8 * self.dtype.size - 1

    def of(self, x: Array) -> Array:
        """``x`` in what arithmetic is done in."""
        return x.astype(np.int64 if self.fraction else np.float32)

    def wrapped(self, x: Array) -> Array:
        """Cut to the type."""
        return self.of(x.astype(self.dtype.numpy)) if self.fraction else x

    def rounded(self, x: Array) -> Array:
        """A sum of products."""
        if not self.fraction:
            return x
        wide = x + (1 << (self.fraction - 1))
        narrow = wide.astype(np.int32).astype(np.int64) if self.fraction == 15 else wide
        return self.wrapped(narrow >> self.fraction)

    def part(self, a: Complex, p: int) -> Complex:
        """A p-th, in fixed point."""
        if not self.fraction:
            return a
        factor = ((1 << self.fraction) - 1) // p
        return self.rounded(a[0] * factor), self.rounded(a[1] * factor)

    def times(self, a: Complex, b: Complex) -> Complex:
        """The product."""
        real = self.rounded(a[0] * b[0] - a[1] * b[1])
        return real, self.rounded(a[0] * b[1] + a[1] * b[0])

    def scaled(self, a: Complex, by: Array) -> Complex:
        """Both parts times a number."""
        return self.rounded(a[0] * by), self.rounded(a[1] * by)

    def sum(self, a: Complex, b: Complex) -> Complex:
        """a + b"""
        return self.wrapped(a[0] + b[0]), self.wrapped(a[1] + b[1])

    def difference(self, a: Complex, b: Complex) -> Complex:
        """a - b"""
        return self.wrapped(a[0] - b[0]), self.wrapped(a[1] - b[1])

    def half(self, x: Array) -> Array:
        """Half of a sum, which wraps only in 32 bits."""
        if not self.fraction:
            return np.asarray(x * np.float32(0.5))
        wide = self.wrapped(x) if self.fraction == 31 else x
        return self.wrapped(wide >> 1)

    def circle(self, phase: Array) -> Complex:
        """Points on the unit circle."""
        if not self.fraction:
            return np.cos(phase).astype(np.float32), np.sin(phase).astype(np.float32)
        one = (1 << self.fraction) - 1
        real, imaginary = (np.floor(0.5 + one * f(phase)) for f in (np.cos, np.sin))
        return real.astype(np.int64), imaginary.astype(np.int64)


def turned(a: Complex) -> Complex:
    """i a, for sums and differences."""
    return -a[1], a[0]


def turns(numbers: Numbers, length: int, *, inverse: bool) -> Complex:
    """The powers of exp(-2 pi i / length), conjugate for the ``inverse``."""
    phase = -2 * pi * np.arange(length) / length
    return numbers.circle(-phase if inverse else phase)


def mirror_turns(numbers: Numbers, half: int, *, inverse: bool) -> Complex:
    """What mirrored elements of the complex spectrum are turned by, from the first on."""
    phase = -pi * ((np.arange(half // 2) + 1) / half + 0.5)
    return numbers.circle(-phase if inverse else phase)


def _join(
    numbers: Numbers, f: list[Complex], circle: Complex, m: int, *, inverse: bool
) -> list[Complex]:
    """The butterfly of as many elements as ``f`` has; each is [..., m]."""
    n, p = numbers, len(f)
    stride = len(circle[0]) // (p * m)
    shared = [n.part(a, p) for a in f]
    at = [(q * stride * np.arange(m)) for q in range(p)]
    a, *rest = shared
    b = [n.times(x, (circle[0][i], circle[1][i])) for x, i in zip(rest, at[1:], strict=True)]
    if p == 2:
        return [n.sum(a, b[0]), n.difference(a, b[0])]
    if p == 3:
        both, apart = n.sum(b[0], b[1]), n.difference(b[0], b[1])
        halves = n.half(both[0]), n.half(both[1])
        low = n.difference(a, halves)
        up = turned(n.scaled(apart, circle[1][stride * m]))
        return [n.sum(a, both), n.sum(low, up), n.difference(low, up)]
    if p == 4:
        even, odd = n.sum(a, b[1]), n.sum(b[0], b[2])
        across, beside = n.difference(a, b[1]), turned(n.difference(b[0], b[2]))
        up, down = n.sum(across, beside), n.difference(across, beside)
        ends = (up, down) if inverse else (down, up)
        return [n.sum(even, odd), ends[0], n.difference(even, odd), ends[1]]
    one, two = ((circle[0][k * stride * m], circle[1][k * stride * m]) for k in (1, 2))
    outer, inner = n.sum(b[0], b[3]), n.sum(b[1], b[2])
    apart, between = n.difference(b[0], b[3]), n.difference(b[1], b[2])
    first = n.sum(n.sum(a, n.scaled(outer, one[0])), n.scaled(inner, two[0]))
    second = n.sum(n.sum(a, n.scaled(outer, two[0])), n.scaled(inner, one[0]))
    first_up = turned(n.sum(n.scaled(apart, one[1]), n.scaled(between, two[1])))
    second_up = turned(n.difference(n.scaled(apart, two[1]), n.scaled(between, one[1])))
    return [
        n.sum(a, n.sum(outer, inner)),
        n.sum(first, first_up),
        n.sum(second, second_up),
        n.difference(second, second_up),
        n.difference(first, first_up),
    ]


def complex_fft(numbers: Numbers, x: Complex, *, inverse: bool) -> Complex:
    """The transform along the last axis."""
    length = x[0].shape[-1]
    circle = turns(numbers, length, inverse=inverse)
    f = x[0][..., order(length)], x[1][..., order(length)]
    m = 1
    for p in reversed(factors(length)):
        parts = [part.reshape(*part.shape[:-1], -1, p, m) for part in f]
        elements = [(parts[0][..., q, :], parts[1][..., q, :]) for q in range(p)]
        joined = _join(numbers, elements, circle, m, inverse=inverse)
        stacked = (np.stack([e[k] for e in joined], axis=-2) for k in (0, 1))
        real, imaginary = (part.reshape(x[0].shape) for part in stacked)
        f, m = (real, imaginary), m * p
    return f


def _mirrored(numbers: Numbers, f: Complex, length: int, *, inverse: bool) -> tuple[Complex, ...]:
    """Elements 1 to length / 2, the sum of each and its mirror image, and the turned difference."""
    k = np.arange(1, length // 2 + 1)
    a = numbers.part((f[0][..., k], f[1][..., k]), 2)
    other = f[0][..., length - k], numbers.wrapped(-f[1][..., length - k])
    b = numbers.part(other, 2)
    t = numbers.times(numbers.difference(a, b), mirror_turns(numbers, length, inverse=inverse))
    return numbers.sum(a, b), t


def rfft(x: Array, length: int, dtype: DType) -> Array:
    """The spectrum [..., length + 2] of ``x``, whose last axis is filled up with zeros."""
    n, half = Numbers(dtype), length // 2
    filled = np.zeros((*x.shape[:-1], length), x.dtype)
    filled[..., : x.shape[-1]] = x
    f = complex_fft(n, (n.of(filled[..., ::2]), n.of(filled[..., 1::2])), inverse=False)
    real, imaginary = (np.zeros((*x.shape[:-1], half + 1), f[0].dtype) for _ in range(2))
    zero = n.part((f[0][..., 0], f[1][..., 0]), 2)
    real[..., 0] = n.wrapped(zero[0] + zero[1])
    real[..., half] = n.wrapped(zero[0] - zero[1])
    (sums, t), k = _mirrored(n, f, half, inverse=False), np.arange(1, half // 2 + 1)
    real[..., k], imaginary[..., k] = n.half(sums[0] + t[0]), n.half(sums[1] + t[1])
    real[..., half - k] = n.half(sums[0] - t[0])
    imaginary[..., half - k] = n.half(t[1] - sums[1])
    pairs = np.stack([real, imaginary], axis=-1)
    return pairs.reshape(*x.shape[:-1], length + 2).astype(dtype.numpy)


def irfft(x: Array, length: int, dtype: DType) -> Array:
    """The samples [..., length] of a spectrum [..., length + 2]."""
    n, half = Numbers(dtype), length // 2
    f = n.of(x[..., ::2]), n.of(x[..., 1::2])
    real, imaginary = (np.zeros((*x.shape[:-1], half), f[0].dtype) for _ in range(2))
    ends = n.wrapped(f[0][..., 0] + f[0][..., half]), n.wrapped(f[0][..., 0] - f[0][..., half])
    real[..., 0], imaginary[..., 0] = n.part(ends, 2)
    (sums, t), k = _mirrored(n, f, half, inverse=True), np.arange(1, half // 2 + 1)
    real[..., k], imaginary[..., k] = n.sum(sums, t)
    real[..., half - k] = n.wrapped(sums[0] - t[0])
    imaginary[..., half - k] = n.wrapped(t[1] - sums[1])
    samples = complex_fft(n, (real, imaginary), inverse=True)
    y = np.stack(samples, axis=-1).reshape(*x.shape[:-1], length)
    return (y if n.fraction else y / np.float32(length)).astype(dtype.numpy)
