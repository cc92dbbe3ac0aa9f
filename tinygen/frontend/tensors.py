"""The tensors of a file, each checked when it is first asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinygen.errors import ModelError
from tinygen.frontend.limits import LARGEST_ACTIVATION_BYTES, MOST_CHANNELS
from tinygen.ir import Array, DType, QuantParams, Tensor
from tinygen.names import printable
from tinygen.quant import dtype_range

# The most that numpy 1 can hold; the schema sets no limit.
_MAX_RANK = 32
# TFLite's own sizes are 32 bits wide on microcontrollers.
_MAX_BYTES = 2**31 - 1
# The reference kernels compute the clamp of RELU6 as int32(6 / scale): undefined in C++ where that
# does not fit, as no trained model has it. The others keep ratios of scales finite in float32.
# Weights of a dead channel may have a scale as small as a float32 can be.
_CLAMPED = (DType.INT8, DType.UINT8, DType.INT16)
_MIN_SCALES = dict.fromkeys(DType, 2.0**-60) | dict.fromkeys(_CLAMPED, 2.0**-28)
_MAX_SCALE = 2.0**60
EMPTY = "has a dimension of size 0. Remove it from the model."
_SUPPORTED = frozenset(dtype.value for dtype in DType)
INT4 = "int4"  # two to a byte in the file, int8 once read
SHORT_FLOAT = "float16"


@dataclass(frozen=True, slots=True, eq=False)
class TensorInfo:
    """A tensor as the file has it; ``tensor`` is None where tinygen cannot hold it.

    ``problems`` says why, each with a remedy. Constants of int4 are held as int8.
    """

    name: str
    shape: tuple[int, ...]
    type_name: str
    quant: QuantParams | None
    tensor: Tensor | None
    is_variable: bool
    problems: tuple[str, ...]

    @property
    def is_constant(self) -> bool:
        """Whether the file holds the value."""
        return self.tensor is not None and self.tensor.is_constant

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor as the file has it; 0 where tinygen cannot hold it."""
        if self.tensor is None:
            return 0
        return (self.tensor.elements + 1) // 2 if self.type_name == INT4 else self.tensor.nbytes

    def __str__(self) -> str:
        dims = ",".join(str(d) for d in self.shape)
        return f"{self.type_name}[{dims}]" + (f" {self.quant}" if self.quant else "")


class TensorReader:
    """The tensors of one subgraph. Tensors that no operator names are never looked at."""

    def __init__(self, data: bytes, model: Any, subgraph: Any) -> None:
        import tflite

        self._data = data
        self._model = model
        self._subgraph = subgraph
        self._count = int(subgraph.TensorsLength())
        self._inputs = frozenset(_items(subgraph.InputsAsNumpy()).tolist())
        self._read: dict[int, TensorInfo] = {}
        self._types = {
            code: name.lower() for name, code in vars(tflite.TensorType).items() if name.isupper()
        }

    def get(self, index: int, where: str) -> TensorInfo:
        """The tensor at ``index``, the same object each time.

        Raises ModelError where the file contradicts itself; ``where`` names who asks.
        """
        if not 0 <= index < self._count:
            raise ModelError(f"{where} names tensor {index} of {self._count}")
        if index not in self._read:
            self._read[index] = self._info(self._subgraph.Tensors(index), index)
        return self._read[index]

    def _info(self, table: Any, index: int) -> TensorInfo:
        name = printable((table.Name() or b"").decode())
        where = f"tensor '{name}' ({index})"
        shape = tuple(int(d) for d in _items(table.ShapeAsNumpy()))
        if len(shape) > _MAX_RANK or any(d < 0 for d in shape):
            raise ModelError(f"{where}: impossible shape {_short(shape)}")
        code = int(table.Type())
        if code not in self._types:
            raise ModelError(f"{where}: unknown element type {code}")
        type_name = self._types[code]
        is_variable = bool(table.IsVariable())
        widened = self._widened(table, name, shape, type_name, where)
        problems = _problems(table, shape, type_name if widened is None else widened.dtype.value)
        if is_dynamic(_signature(table), shape, index in self._inputs):
            fault = f"has the dynamic shape {_signature(table)}. Convert with a fixed input shape."
            problems = (*problems, fault)
        if _is_empty_list(shape, type_name):
            empty = Tensor(name, shape, DType(type_name), None, np.empty(shape, type_name))
            return TensorInfo(name, shape, type_name, None, empty, is_variable, problems)
        if widened is not None:
            quant = widened.quant
            return TensorInfo(name, shape, type_name, quant, widened, is_variable, problems)
        if type_name not in _SUPPORTED or 0 in shape:
            # Sound, but its data is not ours to judge.
            quant = _quantization(table.Quantization(), shape, where)
            return TensorInfo(name, shape, type_name, quant, None, is_variable, problems)
        dtype = DType(type_name)
        if math.prod(shape) * dtype.size > _MAX_BYTES:
            raise ModelError(f"{where}: shape {_short(shape)} is larger than 2 GiB")
        data = self._constant(int(table.Buffer()), shape, dtype, where)
        quant = _quantization(table.Quantization(), shape, where)
        if quant is not None:
            _check_range(quant, dtype, data is not None, where)
        tensor = Tensor(name, shape, dtype, quant, data)
        if data is None and (excess := _excess(tensor)):
            excessive = (*problems, excess)
            return TensorInfo(name, shape, type_name, quant, None, is_variable, excessive)
        return TensorInfo(name, shape, type_name, quant, tensor, is_variable, problems)

    def _widened(
        self, table: Any, name: str, shape: tuple[int, ...], type_name: str, where: str
    ) -> Tensor | None:
        """A constant of a type that a wider one holds: float16 as float32, int4 as int8.

        None for other types, and without data.
        """
        index, count = int(table.Buffer()), math.prod(shape)
        if type_name == SHORT_FLOAT:
            raw = self._bytes(index, 2 * count, shape, SHORT_FLOAT, where)
            if raw is None:
                return None
            data = raw.view(np.dtype("<f2")).astype(np.float32).reshape(shape)
            return Tensor(name, shape, DType.FLOAT32, None, data)
        if type_name != INT4:
            return None
        raw = self._bytes(index, (count + 1) // 2, shape, INT4, where)
        if raw is None:
            return None
        quant = _quantization(table.Quantization(), shape, where)
        if quant is not None:
            _check_range(quant, DType.INT8, True, where)
        return Tensor(name, shape, DType.INT8, quant, unpacked_int4(raw, count).reshape(shape))

    def _constant(
        self, index: int, shape: tuple[int, ...], dtype: DType, where: str
    ) -> Array | None:
        """A read-only view of the file; None where the tensor has no data."""
        raw = self._bytes(index, math.prod(shape) * dtype.size, shape, dtype.value, where)
        if raw is None:
            return None
        if dtype is DType.BOOL and raw.max() > 1:
            raise ModelError(f"{where}: holds a bool that is neither 0 nor 1")
        return raw.view(dtype.numpy).reshape(shape)

    def _bytes(
        self, index: int, wanted: int, shape: tuple[int, ...], type_name: str, where: str
    ) -> Array | None:
        """The ``wanted`` bytes of buffer ``index``; None where it is empty."""
        if index >= self._model.BuffersLength():
            raise ModelError(f"{where}: names buffer {index} of {self._model.BuffersLength()}")
        buffer = self._model.Buffers(index)
        raw = _items(buffer.DataAsNumpy())
        offset, size = int(buffer.Offset()), int(buffer.Size())
        # Files beyond 2 GiB keep their data behind the flatbuffer; 0 and 1 mark an unused field.
        if not len(raw) and offset > 1 and size > 1:
            if offset + size > len(self._data):
                raise ModelError(f"{where}: its data lies outside the file")
            raw = np.frombuffer(self._data, np.uint8, size, offset)
        if not len(raw):
            return None
        if len(raw) != wanted:
            raise ModelError(
                f"{where}: holds {len(raw)} bytes of data; its shape {_short(shape)} of "
                f"{type_name} needs {wanted}"
            )
        return raw


def unpacked_int4(packed: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.int8]:
    """``count`` values of four bits, two to a byte, the lower half first."""
    halves = np.stack([packed & 15, packed >> 4], axis=-1).reshape(-1)[:count].astype(np.int8)
    return ((halves ^ 8) - 8).astype(np.int8)


def _excess(tensor: Tensor) -> str:
    """What makes an activation larger than tinygen takes, with its remedy; '' where nothing."""
    if tensor.nbytes > LARGEST_ACTIVATION_BYTES:
        return (
            f"takes {tensor.nbytes:,} bytes; tinygen compiles activations of up to "
            f"{LARGEST_ACTIVATION_BYTES:,}. Make the model smaller."
        )
    if tensor.shape and tensor.shape[-1] > MOST_CHANNELS:
        return (
            f"has a last dimension of {tensor.shape[-1]:,}; tinygen takes up to {MOST_CHANNELS:,}. "
            "Reshape it."
        )
    return ""


def _is_empty_list(shape: tuple[int, ...], type_name: str) -> bool:
    """Whether a tensor is the list of no dimensions, by which RESHAPE makes a scalar."""
    return shape == (0,) and type_name in ("int32", "int64")


def _problems(table: Any, shape: tuple[int, ...], type_name: str) -> tuple[str, ...]:
    """What makes a sound tensor one that tinygen cannot compile, each with its remedy."""
    found = []
    if type_name in ("resource", "variant"):
        found.append("is a handle, not a value. Only operators on variables take one.")
    elif type_name not in _SUPPORTED:
        found.append(f"has elements of type {type_name}. Convert the model to int8.")
    if table.Sparsity() is not None:
        found.append("has sparse weights. Convert the model without sparsity.")
    if 0 in shape and not _is_empty_list(shape, type_name):
        found.append(EMPTY)
    quantization = table.Quantization()
    if quantization is not None and quantization.DetailsType():
        found.append("has a custom quantization. Convert the model to int8.")
    return tuple(found)


def _signature(table: Any) -> list[int]:
    return [int(d) for d in _items(table.ShapeSignatureAsNumpy())]


def is_dynamic(signature: Sequence[int], shape: Sequence[int], is_input: bool) -> bool:
    """Whether a tensor of the file's ``shape`` can have another one.

    A batch of unknown size, an input's first axis, runs as the file has it: one. Where operators
    move that axis, other tensors have it elsewhere.
    """
    open_axes = [axis for axis, size in enumerate(signature) if size < 0]
    if len(signature) != len(shape) or open_axes in ([], [0]):
        return False
    return is_input or len(open_axes) > 1 or shape[open_axes[0]] != 1


def _quantization(table: Any, shape: tuple[int, ...], where: str) -> QuantParams | None:
    """The parameters, as TFLite's ``ParseQuantization`` takes them: none without both lists."""
    if table is None:
        return None
    scale, zero_point = _items(table.ScaleAsNumpy()), _items(table.ZeroPointAsNumpy())
    if not len(scale) or not len(zero_point):
        return None
    if len(scale) != len(zero_point):
        raise ModelError(
            f"{where}: has {len(scale)} quantization scales and {len(zero_point)} zero points"
        )
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise ModelError(f"{where}: a quantization scale is not a positive number")
    axis = None
    if len(scale) > 1:
        # Old converters gave biases the axis of the weights; one dimension leaves no choice.
        axis = 0 if len(shape) == 1 else int(table.QuantizedDimension())
        if not 0 <= axis < len(shape) or shape[axis] != len(scale):
            raise ModelError(
                f"{where}: {len(scale)} quantization scales along dimension {axis} do not fit "
                f"shape {_short(shape)}"
            )
    return QuantParams(tuple(scale.tolist()), tuple(zero_point.tolist()), axis)


def _check_range(quant: QuantParams, dtype: DType, constant: bool, where: str) -> None:
    """Check that zero points are values of the type and scales are of this world."""
    if dtype not in (DType.FLOAT32, DType.BOOL):
        low, high = dtype_range(dtype)
        if min(quant.zero_point) < low or max(quant.zero_point) > high:
            raise ModelError(
                f"{where}: a zero point lies outside the range of {dtype.value}, {low} to {high}"
            )
    if max(quant.scale) > _MAX_SCALE or (not constant and min(quant.scale) < _MIN_SCALES[dtype]):
        raise ModelError(
            f"{where}: a quantization scale of {min(quant.scale):g} to {max(quant.scale):g} makes "
            "no sense",
            "convert the model again, with data that represents its inputs",
        )


def _items(vector: Any) -> Array:
    """A vector of the file; the tflite package gives 0 for one that is left out."""
    return vector if isinstance(vector, np.ndarray) else np.empty(0, np.uint8)


def _short(shape: tuple[int, ...]) -> str:
    return str(shape) if len(shape) <= 8 else f"of {len(shape)} dimensions"
