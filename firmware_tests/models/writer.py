"""Write a graph as a real .tflite file, so that the reference interpreters can run it.

To support another operator, add a row to ``FORMS``: how its typed attributes become the schema's
options and constant inputs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

from tinygen.ir import Activation, Array, DType, Graph, Op, Tensor
from tinygen.ops.window import SAME, VALID, Window


@dataclass(frozen=True, slots=True)
class Form:
    """How one operator looks in the file.

    ``fields`` are the fields of the options table ``options`` by their schema names; a tuple is a
    vector of int32. ``constants`` are inputs that the graph's operator holds as attributes; the
    schema has them all after the first input.
    """

    options: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    constants: tuple[Array, ...] = ()


def _activation(activation: Activation) -> dict[str, int]:
    return {"FusedActivationFunction": list(Activation).index(activation)}


def padding_scheme(window: Window, x: Tensor, y: Tensor) -> int:
    """The schema's code of the padding scheme whose formula gives the window's pads and output.

    Source: TFLite's padding.h. Raises ValueError where neither does.
    """
    for scheme in (VALID, SAME):
        found = []
        for axis in (0, 1):
            size, stride = x.shape[1 + axis], window.stride[axis]
            effective = (window.kernel[axis] - 1) * window.dilation[axis] + 1
            span = size if scheme == SAME else size - effective + 1
            out = -(-span // stride)
            found.append((out, max(0, (out - 1) * stride + effective - size) // 2))
        if tuple(found) == tuple(zip(y.shape[1:3], window.pad, strict=True)):
            return scheme
    raise ValueError(f"no padding scheme gives {window} from {x.shape} to {y.shape}")


def _window(op: Any) -> dict[str, int]:
    return {
        "Padding": padding_scheme(op.window, op.x, op.y),
        "StrideH": op.window.stride[0],
        "StrideW": op.window.stride[1],
        **_activation(op.activation),
    }


def _convolution(op: Any) -> dict[str, int]:
    return _window(op) | {
        "DilationHFactor": op.window.dilation[0],
        "DilationWFactor": op.window.dilation[1],
    }


def _conv2d(op: Any) -> Form:
    return Form("Conv2DOptions", _convolution(op))


def _depthwise_conv2d(op: Any) -> Form:
    multiplier = {"DepthMultiplier": op.y.shape[3] // op.x.shape[3]}
    return Form("DepthwiseConv2DOptions", _convolution(op) | multiplier)


def _pool2d(op: Any) -> Form:
    kernel = {"FilterHeight": op.window.kernel[0], "FilterWidth": op.window.kernel[1]}
    return Form("Pool2DOptions", _window(op) | kernel)


def _fully_connected(op: Any) -> Form:
    fields = {"WeightsFormat": int(op.shuffled), "KeepNumDims": op.keep_num_dims}
    return Form("FullyConnectedOptions", _activation(op.activation) | fields)


def _binary(options: str) -> Callable[[Any], Form]:
    return lambda op: Form(options, _activation(op.activation))


def _plain(options: str = "") -> Callable[[Any], Form]:
    return lambda op: Form(options)


def _int32(values: Any) -> Array:
    return np.array(values, np.int32)


def _reshape(op: Any) -> Form:
    return Form("ReshapeOptions", {"NewShape": op.y.shape}, (_int32(op.y.shape),))


def _squeeze(op: Any) -> Form:
    kept, dropped = list(op.y.shape), []
    for axis, size in enumerate(op.x.shape):
        if kept[:1] == [size]:
            kept.pop(0)
        else:
            dropped.append(axis)
    return Form("SqueezeOptions", {"SqueezeDims": tuple(dropped)})


def _expand_dims(op: Any) -> Form:
    shape = op.y.shape
    axis = next(i for i in range(len(shape)) if shape[:i] + shape[i + 1 :] == op.x.shape)
    return Form("ExpandDimsOptions", {}, (_int32(axis),))


def _pad(op: Any) -> Form:
    return Form("PadOptions", {}, (_int32(op.paddings),))


def _mean(op: Any) -> Form:
    return Form("ReducerOptions", {"KeepDims": op.keep_dims}, (_int32(op.axes),))


def _concatenation(op: Any) -> Form:
    return Form("ConcatenationOptions", {"Axis": op.axis} | _activation(op.activation))


def _softmax(op: Any) -> Form:
    return Form("SoftmaxOptions", {"Beta": op.beta})


FORMS: dict[str, Callable[[Any], Form]] = {
    "ADD": _binary("AddOptions"),
    "AVERAGE_POOL_2D": _pool2d,
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv2d,
    "DEQUANTIZE": _plain("DequantizeOptions"),
    "EXPAND_DIMS": _expand_dims,
    "FULLY_CONNECTED": _fully_connected,
    "LOGISTIC": _plain(),
    "MAX_POOL_2D": _pool2d,
    "MEAN": _mean,
    "MUL": _binary("MulOptions"),
    "PAD": _pad,
    "PADV2": _plain("PadV2Options"),
    "QUANTIZE": _plain("QuantizeOptions"),
    "RELU": _plain(),
    "RELU6": _plain(),
    "RELU_N1_TO_1": _plain(),
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "SQUEEZE": _squeeze,
    "SUB": _binary("SubOptions"),
    "TANH": _plain(),
}


def to_tflite(graph: Graph) -> bytes:
    """``graph`` as the bytes of a .tflite file.

    Raises KeyError for an operator that ``FORMS`` does not have, ValueError for a window that no
    padding scheme of the schema describes.
    """
    return _Writer().model(graph)


class _Writer:
    """One file in the making; flatbuffers are written children first."""

    def __init__(self) -> None:
        self.builder = flatbuffers.Builder(1024)
        self.indices: dict[Tensor, int] = {}
        self.tensors: list[int] = []
        self.buffers = [self._buffer(None)]  # buffer 0 is empty by convention
        self.codes: dict[str, int] = {}

    def model(self, graph: Graph) -> bytes:
        inputs = self._ints([self._tensor(t) for t in graph.inputs])
        operators = [self._operator(op) for op in graph.ops]
        outputs = self._ints([self._tensor(t) for t in graph.outputs])
        tensors, operator_vector = self._tables(self.tensors), self._tables(operators)
        name = self.builder.CreateString("main")
        subgraph = self._table(
            "SubGraph",
            Tensors=tensors,
            Inputs=inputs,
            Outputs=outputs,
            Operators=operator_vector,
            Name=name,
        )
        codes = self._tables([self._code(kind) for kind in self.codes])
        subgraphs, buffers = self._tables([subgraph]), self._tables(self.buffers)
        description = self.builder.CreateString("tinygen test model")
        root = self._table(
            "Model",
            Version=3,
            OperatorCodes=codes,
            Subgraphs=subgraphs,
            Description=description,
            Buffers=buffers,
        )
        self.builder.Finish(root, b"TFL3")
        return bytes(self.builder.Output())

    def _operator(self, op: Op) -> int:
        form = FORMS[op.kind](op)
        options = self._options(form) if form.options else None
        constants = [
            Tensor(f"{op.name}/constant{i}", values.shape, DType.INT32, None, values)
            for i, values in enumerate(form.constants)
        ]
        operands = (*op.inputs[:1], *constants, *op.inputs[1:])
        inputs = self._ints([self._tensor(t) for t in operands])
        outputs = self._ints([self._tensor(t) for t in op.outputs])
        fields = {
            "OpcodeIndex": self.codes.setdefault(op.kind, len(self.codes)),
            "Inputs": inputs,
            "Outputs": outputs,
        }
        if options is not None:
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, form.options)
            fields["BuiltinOptions"] = options
        return self._table("Operator", **fields)

    def _options(self, form: Form) -> int:
        fields = {
            name: self._ints(value) if isinstance(value, tuple) else value
            for name, value in form.fields.items()
        }
        return self._table(form.options, **fields)

    def _code(self, kind: str) -> int:
        code = getattr(tflite.BuiltinOperator, kind)
        return self._table(
            "OperatorCode", DeprecatedBuiltinCode=min(code, 127), Version=1, BuiltinCode=code
        )

    def _tensor(self, tensor: Tensor) -> int:
        if tensor not in self.indices:
            buffer = 0
            if tensor.is_constant:
                buffer = len(self.buffers)
                self.buffers.append(self._buffer(tensor))
            fields = {
                "Name": self.builder.CreateString(tensor.name),
                "Shape": self._ints(tensor.shape),
            }
            if tensor.quant is not None:
                fields["Quantization"] = self._quantization(tensor)
            self.indices[tensor] = len(self.tensors)
            code = getattr(tflite.TensorType, tensor.dtype.name)
            self.tensors.append(self._table("Tensor", Type=code, Buffer=buffer, **fields))
        return self.indices[tensor]

    def _quantization(self, tensor: Tensor) -> int:
        assert tensor.quant is not None
        quant = tensor.quant
        scale = self.builder.CreateNumpyVector(np.array(quant.scale, np.float32))
        zero_point = self.builder.CreateNumpyVector(np.array(quant.zero_point, np.int64))
        return self._table(
            "QuantizationParameters",
            Scale=scale,
            ZeroPoint=zero_point,
            QuantizedDimension=quant.axis or 0,
        )

    def _buffer(self, tensor: Tensor | None) -> int:
        if tensor is None:
            return self._table("Buffer")
        data = np.ascontiguousarray(tensor.values, tensor.dtype.numpy).tobytes()
        # The schema asks for 16-byte alignment of constant data.
        self.builder.StartVector(1, len(data), 16)
        self.builder.head -= len(data)
        self.builder.Bytes[self.builder.head : self.builder.head + len(data)] = data
        return self._table("Buffer", Data=self.builder.EndVector())

    def _table(self, name: str, **fields: Any) -> int:
        getattr(tflite, f"{name}Start")(self.builder)
        for key, value in fields.items():
            getattr(tflite, f"{name}Add{key}")(self.builder, value)
        return int(getattr(tflite, f"{name}End")(self.builder))

    def _ints(self, values: Any) -> int:
        return int(self.builder.CreateNumpyVector(np.array(values, np.int32)))

    def _tables(self, offsets: list[int]) -> int:
        self.builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self.builder.PrependUOffsetTRelative(offset)
        return int(self.builder.EndVector())
