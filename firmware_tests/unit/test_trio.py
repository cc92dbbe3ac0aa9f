"""Three sums in two words: what is packed comes back, up to the last sum that fits."""

import numpy as np
import numpy.typing as npt
import pytest

from tinygen.ir import Array
from tinygen.ops.trio import LANES, chunk_of, packed

MOST = 2**20  # what a sum must stay below


def low(word: npt.NDArray[np.uint32]) -> npt.NDArray[np.int32]:
    """The lower 21 bits, signed."""
    return (word << np.uint32(11)).astype(np.int32) >> 11


def taken(a: npt.NDArray[np.uint32], b: npt.NDArray[np.uint32]) -> Array:
    """``tg_trio_take`` in numpy."""
    first = low(a)
    rest = a - first.astype(np.uint32)
    b = b - (rest >> np.uint32(11))
    third = low(b)
    high = (b - third.astype(np.uint32)).astype(np.int32) >> 10
    return np.stack([first, (rest >> np.uint32(21)).astype(np.int32) + high, third])


def sums(words: npt.NDArray[np.uint32], x: Array) -> Array:
    """Every channel's products with ``x`` [depth], from words [blocks, depth, 4]."""
    steps = x.astype(np.int32).astype(np.uint32)[:, None]
    totals = (words * steps).sum(axis=1, dtype=np.uint32)
    halves = [taken(totals[:, i], totals[:, i + 1]) for i in (0, 2)]
    return np.concatenate(halves).T.reshape(-1)


@pytest.mark.parametrize("channels", [6, 12, 7, 11])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_packed_comes_back(channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-128, 128, (channels, 60)).astype(np.int8)
    first = np.minimum(np.arange(0, channels, LANES), channels - LANES)
    order = (first[:, None] + np.arange(LANES)).reshape(-1)
    for x in (rng.integers(-128, 128, 60), np.full(60, -128), np.full(60, 127)):
        assert sums(packed(weights), x).tolist() == (weights.astype(np.int64) @ x)[order].tolist()


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, -1), (1, -1, 1), (-1, 1, -1), (-1, -1, 1)])
@pytest.mark.parametrize("x", [-128, 127])
def test_the_greatest_sums_that_fit_come_back(signs: tuple[int, int, int], x: int) -> None:
    row = np.array([-128] * 63 + [-127])
    weights = np.stack([(sign * row).clip(-128, 127) for sign in signs * 2])
    assert 128 * np.abs(row).sum() == MOST - 128
    values = np.full(64, x)
    assert sums(packed(weights), values).tolist() == (weights @ values).tolist()


def test_a_layer_is_cut_into_as_few_chunks_as_its_greatest_sum_allows() -> None:
    weights = np.full((2, 100), 1, np.int8)
    assert chunk_of(weights) == 100
    assert chunk_of(np.full((2, 64), -128, np.int8)) == 32  # 64 * 128 * 128 is 2**20
    weights[1] = 127
    assert chunk_of(weights) == 50
    assert chunk_of(np.full((1, 577), 127, np.int8)) == 58  # ten parts
