"""Files beside the model that lie, vectors, tunings, boards and baselines: one clear error."""

import copy
import io
import json
import random
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firmware_tests.models.samples import residual
from firmware_tests.unit.test_baseline import VALUES as BASELINES
from tinygen.baseline import read_baselines
from tinygen.board.file import read_board
from tinygen.errors import TinygenError, VectorsError
from tinygen.ir import Numerics
from tinygen.tune.file import TunedLayer, Tuning, read_tuning
from tinygen.vectors import draw_vectors, load_vectors

BOARDS = Path(__file__).parents[2] / "boards"
WRONG: tuple[Any, ...] = (
    True, 0, -1, 2**63 - 1, 1.5, float("inf"), float("nan"), "", "x", "\x00\n*/", "../x", [], [0],
    [[]], ["x", 1], {}, {"x": 1},
)  # fmt: skip


def toml_value(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return json.dumps(value)


def toml(values: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(key)} = {toml_value(value)}\n" for key, value in values.items())


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all that a tree holds."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from places(child, (*path, key))


def lies(tree: Any) -> Iterator[Any]:
    """``tree`` with one value wrong, missing, or one too many, at each of its places."""
    for path in places(tree):
        for wrong in (*WRONG, None):
            changed = copy.deepcopy(tree)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            if wrong is None:
                del parent[path[-1]]
            else:
                parent[path[-1]] = wrong
            yield changed


def one_error(read: Callable[[Path], object], file: Path) -> bool:
    """Whether ``read`` refuses ``file``, which it does in one error that names it, if at all."""
    try:
        read(file)
    except TinygenError as error:
        assert file.name in error.message
        assert "\x00" not in error.message
        return True
    return False


@pytest.mark.parametrize("name", ["mps2-an386", "nucleo_f446re", "esp32-s3-devkitc-1"])
def test_a_board_file_that_lies_ends_in_one_error(name: str, tmp_path: Path) -> None:
    tree = tomllib.loads((BOARDS / f"{name}.toml").read_text())
    file = tmp_path / f"{name}.toml"
    refused = 0
    for lie in lies(tree):
        file.write_text(toml(lie), encoding="utf-8")
        refused += one_error(read_board, file)
    assert refused > 100


def test_a_tuning_that_lies_ends_in_one_error(tmp_path: Path) -> None:
    layers = (TunedLayer("CONV_2D", "1x1", "tg_conv2d_s8", 7),)
    tuning = Tuning("ab" * 32, "cortex-m4", "gcc", "tflm", "speed", layers)
    file = tmp_path / "tuning.toml"
    refused = 0
    for lie in lies(tomllib.loads(tuning.to_text())):
        file.write_text(toml(lie), encoding="utf-8")
        refused += one_error(read_tuning, file)
    assert refused > 100


def test_a_baseline_that_lies_ends_in_one_error(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    for lie in lies(BASELINES):
        file.write_text(json.dumps(lie), encoding="utf-8")
        one_error(read_baselines, file)


def good_vectors() -> dict[str, Any]:
    """Arrays for ``residual``."""
    graph = residual()
    inputs = draw_vectors(graph, 3, 0).inputs
    arrays: dict[str, Any] = {"in0": np.stack([v[0] for v in inputs])}
    for index, tensor in enumerate(graph.outputs):
        arrays[f"out{index}"] = np.zeros((3, *tensor.shape), tensor.dtype.numpy)
    return arrays


def load(file: Path) -> object:
    return load_vectors(file, residual(), Numerics.TFLM)


@pytest.mark.parametrize(
    "change",
    [
        {"in0": np.zeros((3, 4), np.int8)},
        {"in0": np.zeros((0, 1, 4, 4, 2), np.int8)},
        {"in0": np.int8(0)},
        {"in0": np.zeros((3, 1, 4, 4, 2), np.int16)},
        {"in0": np.zeros((3, 1, 4, 4, 2), np.complex64)},
        {"in0": np.zeros((3, 1, 4, 4, 2), "S4")},
        {"in0": np.zeros((3, 1, 4, 4, 2), [("a", "i1")])},
        {"in0": np.zeros((3, 1, 4, 4, 2), object)},
        {"out1": np.zeros((4, 1, 4, 4, 2), np.int8)},
        {"out3": np.zeros((3, 1, 4, 4, 2), np.int8)},
        {"in1": np.zeros((3, 1, 4, 4, 2), np.int8)},
    ],
    ids=lambda change: next(f"{k}_{v.dtype}_{v.ndim}" for k, v in change.items()),
)
def test_vectors_of_another_shape_or_type_are_refused(
    change: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "v.npz"
    np.savez(file, **(good_vectors() | change))
    assert one_error(load, file)


def test_a_pickle_in_vectors_is_never_loaded(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "evil",)

    file = tmp_path / "v.npz"
    np.savez(file, **(good_vectors() | {"in0": np.array([Evil()], object)}))
    assert one_error(load, file)
    assert not (tmp_path / "evil").exists()


def test_vectors_that_claim_more_than_they_hold_are_refused(tmp_path: Path) -> None:
    file, raw = tmp_path / "v.npz", io.BytesIO()
    np.lib.format.write_array_header_1_0(
        raw, {"descr": "|i1", "fortran_order": False, "shape": (1 << 46, 1, 4, 4, 2)}
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("in0.npy", raw.getvalue() + bytes(64))
    assert one_error(load, file)


def test_damaged_vectors_end_in_one_error(tmp_path: Path) -> None:
    file = tmp_path / "v.npz"
    np.savez_compressed(file, **good_vectors())
    sound, rng, refused = file.read_bytes(), random.Random(5), 0
    for _ in range(300):
        damaged = bytearray(sound)
        if rng.random() < 0.2:
            del damaged[rng.randrange(len(damaged)) :]
        for _ in range(rng.choice((1, 1, 4))):
            if damaged:
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        file.write_bytes(damaged)
        refused += one_error(load, file)
    assert refused > 100


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "v.json"
    for raw in (b"", b"{}", b'{"in0": [1]}', b"PK\x05\x06" + bytes(18), b"\x93NUMPY\x01\x00"):
        file.write_bytes(raw)
        with pytest.raises(VectorsError):
            load(file)
