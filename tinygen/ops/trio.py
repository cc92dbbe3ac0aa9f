"""Three sums in two words (``tg_trio.h``): what fits, and how weights are packed."""

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array

LANES = 6  # values of a step
STEP_BYTES = 16  # its words
_MOST = 2**20  # what a sum must stay below
_VALUE = 128  # the greatest magnitude of an activation


def chunk_of(weights: Array) -> int:
    """How many products of weights [channels, depth] with int8 may be added up at most, so that
    cutting the depth into about equal parts keeps all their sums within 21 bits."""
    depth = weights.shape[1]
    magnitudes = np.abs(weights.astype(np.int64))
    for parts in range(1, depth + 1):
        chunk: int = -(-depth // parts)
        sums = np.add.reduceat(magnitudes, range(0, depth, chunk), axis=1)
        if int(sums.max()) * _VALUE < _MOST:
            return chunk
    raise AssertionError("a single product fits")


def packed(weights: Array) -> npt.NDArray[np.uint32]:
    """The words of weights [channels, depth], six channels a block: [blocks, depth, 4].

    A last block of fewer channels begins among those of the one before.
    """
    channels, depth = weights.shape
    first = np.minimum(np.arange(0, channels, LANES), channels - LANES)
    lanes = weights.astype(np.int64)[first[:, None] + np.arange(LANES)].reshape(-1, 2, 3, depth)
    one, two, three = (lanes[:, :, i] for i in range(3))
    words = np.stack([one + (two << 21), three + (two << 10)], axis=2).reshape(-1, 4, depth)
    return np.ascontiguousarray(words.transpose(0, 2, 1)).astype(np.uint32)
