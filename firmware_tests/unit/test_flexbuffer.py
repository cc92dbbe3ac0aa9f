"""The options of custom operators, also where their bytes lie."""

from contextlib import suppress

import numpy as np
import pytest
from flatbuffers import flexbuffers

from tinygen.errors import ModelError
from tinygen.frontend.flexbuffer import Number, read_numbers

VALUES: tuple[dict[str, Number], ...] = (
    {"shift": 12},
    {"clamping": False, "num_channels": 40, "smoothing": 16384},
    {"a": -3, "big": 2**40, "float": 1.5, "small": -(2**20)},
)


@pytest.mark.parametrize("values", VALUES, ids=str)
def test_numbers_are_read_by_name(values: dict[str, Number]) -> None:
    assert read_numbers(bytes(flexbuffers.Dumps(values)), "op") == values


def test_no_options_are_none() -> None:
    assert read_numbers(b"", "op") == {}


@pytest.mark.parametrize("value", [3, "text", [1, 2], {"a": "text"}, {"a": [1]}], ids=str)
def test_what_is_no_map_of_numbers_is_refused(value: object) -> None:
    with pytest.raises(ModelError, match="op: its options are no map of numbers"):
        read_numbers(bytes(flexbuffers.Dumps(value)), "op")


def test_damaged_bytes_are_read_or_refused() -> None:
    rng = np.random.default_rng(0)
    for _ in range(4000):
        data = np.frombuffer(bytes(flexbuffers.Dumps(VALUES[rng.integers(3)])), np.uint8).copy()
        data[rng.integers(0, len(data), rng.integers(1, 4))] = rng.integers(0, 256)
        with suppress(ModelError):
            read_numbers(data[: rng.integers(0, len(data) + 1)].tobytes(), "op")
            read_numbers(data.tobytes(), "op")
