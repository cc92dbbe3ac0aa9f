"""Test vectors: drawn from a seed, or read from a file of a model's golden inputs and outputs."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinygen.errors import VectorsError
from tinygen.ir import Array, DType, Graph, Numerics, Tensor
from tinygen.names import file_name, printable
from tinygen.quant import dtype_range

EXTREMES = ("min", "max", "zero_point", "extremes")


@dataclass(frozen=True, slots=True)
class Vectors:
    """Inputs of successive invocations, in the model's tensor order, and what must come out.

    ``expected`` is None where the outputs are the oracle's to say. ``source`` tells a reader where
    they come from.
    """

    inputs: tuple[tuple[Array, ...], ...]
    expected: tuple[tuple[Array, ...], ...] | None
    source: str

    def __len__(self) -> int:
        return len(self.inputs)


def draw_vectors(graph: Graph, count: int, seed: int) -> Vectors:
    """``count`` sets of inputs: the extremes first, then uniform over the full range."""
    rng = np.random.default_rng(seed)
    inputs = tuple(
        tuple(draw(t, kind, rng, _float_span(graph, t)) for t in graph.inputs)
        for kind in (*EXTREMES[:count], *("uniform",) * (count - len(EXTREMES)))
    )
    return Vectors(inputs, None, f"{count} drawn from seed {seed}")


def draw(
    tensor: Tensor, kind: str, rng: np.random.Generator, span: tuple[float, float] = (-10.0, 10.0)
) -> Array:
    """Values for ``tensor``: one of ``EXTREMES``, or "uniform" over the dtype's range.

    Floats lie within ``span``, whose ends are their extremes.
    """
    if tensor.dtype is DType.FLOAT32:
        low, high = span
        fixed = {"min": low, "max": high, "zero_point": 0.0}
        if kind in fixed:
            return np.full(tensor.shape, fixed[kind], np.float32)
        if kind == "extremes":
            return rng.choice(np.array([low, high], np.float32), tensor.shape)
        return rng.uniform(low, high, tensor.shape).astype(np.float32)
    dtype = tensor.dtype.numpy
    if tensor.dtype is DType.BOOL:
        return rng.integers(0, 2, tensor.shape).astype(dtype)
    least, most = dtype_range(tensor.dtype)
    zero = tensor.zero_point if tensor.quant and not tensor.quant.per_channel else 0
    whole = {"min": least, "max": most, "zero_point": zero}
    if kind in whole:
        return np.full(tensor.shape, whole[kind], dtype)
    if kind == "extremes":
        return rng.choice(np.array([least, most], dtype), tensor.shape)
    return rng.integers(least, most, tensor.shape, dtype=dtype.type, endpoint=True)


def _float_span(graph: Graph, tensor: Tensor) -> tuple[float, float]:
    """The range of the first quantized value computed from a float input, 5% wider."""
    for op in graph.consumers(tensor):
        quant = op.y.quant
        is_integer = op.y.dtype not in (DType.FLOAT32, DType.BOOL)
        if quant is not None and not quant.per_channel and is_integer:
            least, most = dtype_range(op.y.dtype)
            low = (least - quant.zero_point[0]) * quant.scale[0]
            high = (most - quant.zero_point[0]) * quant.scale[0]
            margin = 0.05 * (high - low)
            return low - margin, high + margin
    return -10.0, 10.0


def load_vectors(path: Path, graph: Graph, numerics: Numerics) -> Vectors:
    """Read an ``.npz`` of ``in0..``, ``out0..`` and perhaps ``tflm0..``; other keys are ignored.

    Each array stacks the vectors on a new first axis. ``tflm0..`` replace ``out0..`` under
    ``--numerics tflm`` where the file has them. Raises VectorsError.
    """
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise VectorsError(f"{path} is not a numpy .npz archive, or is cut short")
            # numpy leaves a file open that it has opened itself, where the archive is damaged.
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files if _is_vector_key(key)}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise VectorsError(
            f"cannot read vectors from {path}: {printable(str(error))}",
            "a vectors file is a numpy .npz archive",
        ) from None
    except VectorsError:
        raise
    except Exception as error:
        # zipfile and zlib raise types of their own on a damaged archive.
        raise VectorsError(f"{path} is a damaged archive: {printable(str(error))}") from None
    inputs = _stack(path, arrays, "in", graph.inputs)
    prefix = "tflm" if numerics is Numerics.TFLM and "tflm0" in arrays else "out"
    if f"{prefix}0" not in arrays:
        raise VectorsError(
            f"{path} holds no outputs for --numerics {numerics.value}",
            "it needs out0, out1, ..."
            + (" or tflm0, tflm1, ..." if numerics is Numerics.TFLM else ""),
        )
    expected = _stack(path, arrays, prefix, graph.outputs)
    if len(inputs) != len(expected):
        raise VectorsError(f"{path} holds {len(inputs)} inputs, but {len(expected)} outputs")
    return Vectors(inputs, expected, f"{len(inputs)} from {file_name(path)} ({prefix}0..)")


def _is_vector_key(key: str) -> bool:
    return any(key.startswith(p) and key[len(p) :].isdigit() for p in ("in", "out", "tflm"))


def _stack(
    path: Path, arrays: dict[str, Array], prefix: str, tensors: Sequence[Tensor]
) -> tuple[tuple[Array, ...], ...]:
    columns = []
    for index, tensor in enumerate(tensors):
        key = f"{prefix}{index}"
        if key not in arrays:
            raise VectorsError(f"{path} has no '{key}' for tensor '{tensor.name}'")
        found = arrays[key]
        if found.shape[1:] != tensor.shape or found.dtype.newbyteorder("<") != tensor.dtype.numpy:
            raise VectorsError(
                f"{path}: '{key}' is {found.dtype}{list(found.shape)}; the model's '{tensor.name}' "
                f"asks for {tensor.dtype.value}[{', '.join(('vectors', *map(str, tensor.shape)))}]"
            )
        columns.append(found.astype(tensor.dtype.numpy, copy=False))
    if f"{prefix}{len(tensors)}" in arrays:
        raise VectorsError(
            f"{path} has '{prefix}{len(tensors)}', but the model's "
            f"{'inputs' if prefix == 'in' else 'outputs'} end at '{prefix}{len(tensors) - 1}'"
        )
    if len({len(c) for c in columns}) > 1:
        raise VectorsError(f"{path}: the '{prefix}' arrays hold different numbers of vectors")
    if not columns or not len(columns[0]):
        raise VectorsError(f"{path} holds no vectors")
    return tuple(zip(*columns, strict=True))
