"""A vectors file either fits the model, or says in one line why not."""

from pathlib import Path

import numpy as np
import pytest

from tinygen.errors import VectorsError
from tinygen.ir import DType, Graph, Numerics, QuantParams, Tensor
from tinygen.vectors import draw_vectors, load_vectors

X = Tensor("x", (1, 3), DType.INT8, QuantParams((0.5,), (7,)))
GRAPH = Graph("copy", (X,), (X,), ())
IN = np.arange(6, dtype=np.int8).reshape(2, 1, 3)


def save(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_outputs_follow_the_numerics(tmp_path: Path) -> None:
    path = save(tmp_path / "v.npz", in0=IN, out0=IN, tflm0=IN + 1, kinds=np.array(["a", "b"]))
    tflm = load_vectors(path, GRAPH, Numerics.TFLM)
    litert = load_vectors(path, GRAPH, Numerics.LITERT)
    assert tflm.expected is not None
    assert litert.expected is not None
    assert tflm.expected[1][0].tolist() == [[4, 5, 6]]
    assert litert.expected[1][0].tolist() == [[3, 4, 5]]
    assert len(tflm) == 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"out0": IN}, "has no 'in0'"),
        ({"in0": IN}, "holds no outputs"),
        ({"in0": IN, "out0": IN[:1]}, "holds 2 inputs, but 1 outputs"),
        ({"in0": IN.astype(np.int16), "out0": IN}, "'in0' is int16"),
        ({"in0": IN[:, 0], "out0": IN}, r"asks for int8\[vectors, 1, 3\]"),
        ({"in0": IN, "in1": IN, "out0": IN}, "the model's inputs end at 'in0'"),
        ({"in0": IN, "out0": IN, "out1": IN}, "the model's outputs end at 'out0'"),
        ({"in0": IN[:0], "out0": IN[:0]}, "holds no vectors"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, arrays: dict[str, object], message: str
) -> None:
    with pytest.raises(VectorsError, match=message):
        load_vectors(save(tmp_path / "v.npz", **arrays), GRAPH, Numerics.TFLM)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken", b"\x93NUMPY\x01\x00"])
def test_a_damaged_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.npz"
    path.write_bytes(content)
    with pytest.raises(VectorsError, match=r"is not a numpy \.npz archive"):
        load_vectors(path, GRAPH, Numerics.TFLM)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match="cannot read"):
        load_vectors(tmp_path / "absent.npz", GRAPH, Numerics.TFLM)


def test_drawn_vectors_begin_with_the_extremes_and_repeat_from_their_seed() -> None:
    first, again = draw_vectors(GRAPH, 8, 3), draw_vectors(GRAPH, 8, 3)
    values = [set(v[0].reshape(-1).tolist()) for v in first.inputs]
    assert values[:3] == [{-128}, {127}, {7}]
    assert values[3] <= {-128, 127}
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first.inputs, again.inputs, strict=True))
    other = draw_vectors(GRAPH, 8, 4)
    assert any(
        not np.array_equal(a[0], b[0]) for a, b in zip(first.inputs, other.inputs, strict=True)
    )
