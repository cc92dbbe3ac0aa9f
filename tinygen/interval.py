"""What an 8-bit tensor can hold: a least and a greatest value for each index of its last axis."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """``low[c] <= value <= high[c]`` for every element of channel c; both int64 [channels].

    A channel is an index of the last axis; a scalar has one. Bounds hold for every input of the
    model; they need not be reached.
    """

    low: Integers
    high: Integers

    @classmethod
    def uniform(cls, low: int, high: int, channels: int) -> "Interval":
        """One pair of bounds for all channels."""
        return cls(np.full(channels, low, np.int64), np.full(channels, high, np.int64))

    @classmethod
    def of(cls, values: npt.NDArray[np.generic]) -> "Interval":
        """The bounds of known values."""
        rows = np.asarray(values, np.int64).reshape(-1, values.shape[-1] if values.ndim else 1)
        return cls(rows.min(axis=0), rows.max(axis=0))

    @classmethod
    def spanning(cls, *candidates: npt.NDArray[np.generic]) -> "Interval":
        """The bounds of several values for each channel."""
        stacked = np.stack([np.asarray(c, np.int64) for c in candidates])
        return cls(stacked.min(axis=0), stacked.max(axis=0))

    def __len__(self) -> int:
        return len(self.low)

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """For each channel whether it can hold one value only, which then is ``low``."""
        return np.asarray(self.low == self.high)

    def at(self, channels: Integers) -> "Interval":
        """The bounds of some channels, in their order."""
        return Interval(self.low[channels], self.high[channels])

    def hull(self, channels: int) -> "Interval":
        """Bounds of all channels together, for ``channels`` of them."""
        return Interval.uniform(int(self.low.min()), int(self.high.max()), channels)

    def reshaped(self, channels: int) -> "Interval":
        """Bounds of the same elements in a shape whose last axis has ``channels``."""
        if channels % len(self) == 0:
            return self.at(np.arange(channels) % len(self))
        if len(self) % channels == 0:
            rows = self.low.reshape(-1, channels), self.high.reshape(-1, channels)
            return Interval(rows[0].min(axis=0), rows[1].max(axis=0))
        return self.hull(channels)

    def joined(self, other: "Interval") -> "Interval":
        """Bounds of what is in either."""
        return Interval(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def including(self, value: int) -> "Interval":
        """The bounds, widened where ``value`` is outside."""
        return Interval(np.minimum(self.low, value), np.maximum(self.high, value))

    def clipped(self, low: int, high: int) -> "Interval":
        """Bounds of the values after a clamp to [low, high]."""
        return Interval(np.clip(self.low, low, high), np.clip(self.high, low, high))

    def within(self, low: int, high: int) -> bool:
        """Whether no channel can leave [low, high]."""
        return bool(self.low.min() >= low and self.high.max() <= high)

    def mapped(self, results: Integers, first: int) -> "Interval":
        """Bounds of ``results[value - first]``."""
        pairs = zip(self.low.tolist(), self.high.tolist(), strict=True)
        spans = [results[low - first : high - first + 1] for low, high in pairs]
        return Interval(
            np.array([span.min() for span in spans], np.int64),
            np.array([span.max() for span in spans], np.int64),
        )
