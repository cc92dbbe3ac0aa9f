"""How operators look in a .tflite file.

To support another operator, add a row to ``FORMS``: how its typed attributes become the schema's
options and constant inputs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tflite

from firmware_tests.models.controls import body_of, condition_of
from tinygen.ir import Activation, Array, DType, Graph, Tensor
from tinygen.ops.mirror_pad import Mirror
from tinygen.ops.window import SAME, VALID, Window


@dataclass(frozen=True, slots=True)
class Form:
    """How one operator looks in the file.

    ``fields`` are the fields of the options table ``options`` by their schema names; a tuple is a
    vector of int32. ``constants`` are inputs that the graph's operator holds as attributes; the
    schema has them after the first input, or, where they are ``leading``, before it. ``order`` is
    that of the graph's inputs in the file, where it is another; numbers past the last are inputs
    that the file leaves out. ``version`` is the operator's, which LiteRT looks up. ``subgraphs``
    are those that the operator runs, by the option that names each. ``intermediates`` are tensors
    of which only the quantization counts, ``custom`` the options of a custom operator. The result
    of one that is ``in_place`` is the variable tensor that it updates.
    """

    options: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    constants: tuple[Array, ...] = ()
    leading: bool = False
    order: tuple[int, ...] = ()
    version: int = 1
    subgraphs: Mapping[str, Graph] = field(default_factory=dict)
    intermediates: tuple[Tensor, ...] = ()
    custom: Mapping[str, int] = field(default_factory=dict)
    in_place: bool = False


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
    fields = {
        "WeightsFormat": int(op.shuffled),
        "KeepNumDims": op.keep_num_dims,
        "AsymmetricQuantizeInputs": op.asymmetric,
    }
    return Form("FullyConnectedOptions", _activation(op.activation) | fields)


def _binary(options: str, version: int = 1) -> Callable[[Any], Form]:
    return lambda op: Form(options, _activation(op.activation), version=version)


def _sum(options: str) -> Callable[[Any], Form]:
    # Only LiteRT asks, and only with int16.
    return lambda op: Form(options, _activation(op.activation) | {"PotScaleInt16": False})


def _plain(options: str = "") -> Callable[[Any], Form]:
    return lambda op: Form(options)


def _version(options: str, version: int) -> Callable[[Any], Form]:
    return lambda op: Form(options, version=version)


def _leaky_relu(op: Any) -> Form:
    return Form("LeakyReluOptions", {"Alpha": op.alpha}, version=2)


def _gelu(op: Any) -> Form:
    return Form("GeluOptions", {"Approximate": op.approximate})


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


def _reduction(version: int) -> Callable[[Any], Form]:
    def form(op: Any) -> Form:
        fields = {"KeepDims": op.keep_dims}
        return Form("ReducerOptions", fields, (_int32(op.axes),), version=version)

    return form


def _arg(options: str) -> Callable[[Any], Form]:
    def form(op: Any) -> Form:
        fields = {"OutputType": getattr(tflite.TensorType, op.y.dtype.name)}
        return Form(options, fields, (_int32(op.axis),), version=2)

    return form


def _concatenation(op: Any) -> Form:
    return Form("ConcatenationOptions", {"Axis": op.axis} | _activation(op.activation))


def _softmax(op: Any) -> Form:
    return Form("SoftmaxOptions", {"Beta": op.beta})


def _shape(op: Any) -> Form:
    return Form("ShapeOptions", {"OutType": getattr(tflite.TensorType, op.y.dtype.name)})


def _strided_slice(op: Any) -> Form:
    masks = op.masks
    fields = {
        "BeginMask": masks.begin,
        "EndMask": masks.end,
        "EllipsisMask": masks.ellipsis,
        "NewAxisMask": masks.new_axis,
        "ShrinkAxisMask": masks.shrink,
        "Offset": masks.offset,
    }
    constants = (_int32(op.begin), _int32(op.end), _int32(op.strides))
    return Form("StridedSliceOptions", fields, constants)


def _slice(op: Any) -> Form:
    return Form("SliceOptions", {}, (_int32(op.begin), _int32(op.y.shape)))


def _split(op: Any) -> Form:
    return Form("SplitOptions", {"NumSplits": len(op.outputs)}, (_int32(op.axis),), leading=True)


def _split_v(op: Any) -> Form:
    return Form(
        "SplitVOptions", {"NumSplits": len(op.outputs)}, (_int32(op.sizes), _int32([op.axis]))
    )


def _pack(op: Any) -> Form:
    return Form("PackOptions", {"ValuesCount": len(op.inputs), "Axis": op.axis})


def _svdf(op: Any) -> Form:
    # The state comes last; before it a bias that may be left out. With int8 LiteRT asks for RELU,
    # which neither reference applies.
    is_float = op.x.dtype is DType.FLOAT32
    fields = {"Rank": op.rank, **_activation(op.activation if is_float else Activation.RELU)}
    return Form("SVDFOptions", fields, order=(0, 2, 3, 4, 1))


def _lstm(op: Any) -> Form:
    fields = {
        **_activation(Activation.TANH),
        "CellClip": op.cell_clip,
        "TimeMajor": op.time_major,
        "AsymmetricQuantizeInputs": False,
    }
    out = (len(op.inputs),)  # what other LSTMs have
    order = (0, *range(3, 11), *out * 3, *range(11, 15), *out * 2, 1, 2, *out * 4)
    version = 1 if op.x.dtype is DType.FLOAT32 else 3
    # Of the four gates, and of the hidden state before a projection.
    quants = (*[None] * 4, op.hidden.quant)
    intermediates = tuple(
        Tensor(f"{op.name}/{i}", (0,), op.x.dtype, quant) for i, quant in enumerate(quants)
    )
    options = "UnidirectionalSequenceLSTMOptions"
    return Form(options, fields, order=order, version=version, intermediates=intermediates)


def _unpack(op: Any) -> Form:
    return Form("UnpackOptions", {"Num": len(op.outputs), "Axis": op.axis})


def _transpose(op: Any) -> Form:
    return Form("TransposeOptions", {}, (_int32(op.permutation),))


def _gather(op: Any) -> Form:
    return Form("GatherOptions", {"Axis": op.axis, "BatchDims": op.batch_dims})


def _broadcast_to(op: Any) -> Form:
    return Form("BroadcastToOptions", {}, (_int32(op.y.shape),), version=2)


def _tile(op: Any) -> Form:
    return Form("TileOptions", {}, (_int32(op.multiples),))


def _fill(op: Any) -> Form:
    return Form("FillOptions", {}, (_int32(op.y.shape),), leading=True)


def _reverse(op: Any) -> Form:
    return Form("ReverseV2Options", {}, (_int32(op.axes),))


def _mirror_pad(op: Any) -> Form:
    return Form("MirrorPadOptions", {"Mode": list(Mirror).index(op.mode)}, (_int32(op.paddings),))


def _resize(options: str) -> Callable[[Any], Form]:
    def form(op: Any) -> Form:
        fields = {"AlignCorners": op.align_corners, "HalfPixelCenters": op.half_pixel_centers}
        return Form(options, fields, (_int32(op.y.shape[1:3]),))

    return form


def _transpose_conv(op: Any) -> Form:
    fields = {
        # The forward convolution takes y to x.
        "Padding": padding_scheme(op.window, op.y, op.x),
        "StrideH": op.window.stride[0],
        "StrideW": op.window.stride[1],
        **_activation(op.activation),
    }
    sizes = _int32(op.y.shape)
    return Form("TransposeConvOptions", fields, (sizes,), leading=True, version=4, order=(1, 0, 2))


def _batch_to_space(op: Any) -> Form:
    return Form("BatchToSpaceNDOptions", {}, (_int32(op.block), _int32(op.crops)))


def _space_to_batch(op: Any) -> Form:
    return Form("SpaceToBatchNDOptions", {}, (_int32(op.block), _int32(op.paddings)))


def _cast(op: Any) -> Form:
    codes = [getattr(tflite.TensorType, t.dtype.name) for t in (op.x, op.y)]
    return Form("CastOptions", dict(zip(("InDataType", "OutDataType"), codes, strict=True)))


def _batch_matmul(op: Any) -> Form:
    return Form("BatchMatMulOptions", {"AdjX": op.adjoint_a, "AdjY": op.adjoint_b}, version=2)


def _cumsum(op: Any) -> Form:
    fields = {"Exclusive": op.exclusive, "Reverse": op.reverse}
    return Form("CumsumOptions", fields, (_int32(op.axis),))


def _blocks(options: str) -> Callable[[Any], Form]:
    return lambda op: Form(options, {"BlockSize": op.block})


def _if(op: Any) -> Form:
    then, otherwise = op.graphs
    return Form("IfOptions", subgraphs={"ThenSubgraphIndex": then, "ElseSubgraphIndex": otherwise})


def _while(op: Any) -> Form:
    graphs = {"CondSubgraphIndex": condition_of(op.loop), "BodySubgraphIndex": body_of(op.loop)}
    return Form("WhileOptions", subgraphs=graphs)


def _transform(op: Any) -> Form:
    return Form(custom={"T": getattr(tflite.TensorType, op.x.dtype.name), "fft_length": op.length})


def _framer(op: Any) -> Form:
    custom = {"frame_size": op.size, "frame_step": op.step, "prefill": op.prefill}
    return Form(order=(0,), custom=custom)


def _overlap_add(op: Any) -> Form:
    code = getattr(tflite.TensorType, op.x.dtype.name)
    return Form(order=(0,), custom={"T": code, "frame_step": op.step})


def _stacker(op: Any) -> Form:
    custom = {
        "num_channels": op.x.elements,
        "stacker_left_context": op.left,
        "stacker_right_context": op.right,
        "stacker_step": op.step,
    }
    return Form(order=(0,), custom=custom)


def _subtraction(op: Any) -> Form:
    custom = op.attributes() | {
        "num_channels": op.x.elements,
        "spectral_subtraction_bits": op.subtraction_bits,
    }
    del custom["subtraction_bits"]
    return Form(order=(0,), custom=custom)


def _filter_bank_log(op: Any) -> Form:
    custom = {"input_correction_bits": op.correction_bits, "output_scale": op.output_scale}
    return Form(custom=custom)


FORMS: dict[str, Callable[[Any], Form]] = {
    "ABS": _plain("AbsOptions"),
    "ADD": _sum("AddOptions"),
    "ADD_N": _plain("AddNOptions"),
    "ARG_MAX": _arg("ArgMaxOptions"),
    "ARG_MIN": _arg("ArgMinOptions"),
    "ATAN2": _plain("ATan2Options"),
    "AVERAGE_POOL_2D": _pool2d,
    "BATCH_MATMUL": _batch_matmul,
    "BATCH_TO_SPACE_ND": _batch_to_space,
    "BROADCAST_ARGS": _plain(),
    "BROADCAST_TO": _broadcast_to,
    "CAST": _cast,
    "CEIL": _plain(),
    "CIRCULAR_BUFFER": lambda op: Form(order=(0,), custom={"cycles_max": 1}, in_place=True),
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv2d,
    "COS": _plain("CosOptions"),
    "CUMSUM": _cumsum,
    "DEPTHWISE_CONV_2D": _depthwise_conv2d,
    "DEPTH_TO_SPACE": _blocks("DepthToSpaceOptions"),
    "DEQUANTIZE": _plain("DequantizeOptions"),
    "DIV": _binary("DivOptions", version=2),
    "DYNAMIC_UPDATE_SLICE": _plain("DynamicUpdateSliceOptions"),
    "ELU": _plain(),
    "EMBEDDING_LOOKUP": _plain(),
    "EQUAL": _version("EqualOptions", 2),
    "EXP": _version("ExpOptions", 2),
    "EXPAND_DIMS": _expand_dims,
    "FILL": _fill,
    "FLOOR": _plain(),
    "FLOOR_DIV": _version("FloorDivOptions", 3),
    "FLOOR_MOD": _version("FloorModOptions", 2),
    "FULLY_CONNECTED": _fully_connected,
    "GATHER": _gather,
    "GELU": _gelu,
    "GATHER_ND": _plain("GatherNdOptions"),
    "GREATER": _version("GreaterOptions", 2),
    "GREATER_EQUAL": _version("GreaterEqualOptions", 2),
    "HARD_SWISH": _plain("HardSwishOptions"),
    "IF": _if,
    "L2_NORMALIZATION": _version("L2NormOptions", 2),
    "L2_POOL_2D": _pool2d,
    "LEAKY_RELU": _leaky_relu,
    "LESS": _version("LessOptions", 2),
    "LESS_EQUAL": _version("LessEqualOptions", 2),
    "LOG": _plain(),
    "LOGICAL_AND": _plain("LogicalAndOptions"),
    "LOGICAL_NOT": _plain("LogicalNotOptions"),
    "LOGICAL_OR": _plain("LogicalOrOptions"),
    "LOGISTIC": _plain(),
    "LOG_SOFTMAX": _version("LogSoftmaxOptions", 2),
    "MAXIMUM": _version("MaximumMinimumOptions", 2),
    "MAX_POOL_2D": _pool2d,
    "MEAN": _reduction(1),
    "MINIMUM": _version("MaximumMinimumOptions", 2),
    "MIRROR_PAD": _mirror_pad,
    "MUL": _binary("MulOptions"),
    "NEG": _plain("NegOptions"),
    "NOT_EQUAL": _version("NotEqualOptions", 2),
    "PACK": _pack,
    "PAD": _pad,
    "PADV2": _plain("PadV2Options"),
    "POW": _plain("PowOptions"),
    "PRELU": _plain(),
    "QUANTIZE": _plain("QuantizeOptions"),
    "RANGE": _plain("RangeOptions"),
    "RANK": _plain("RankOptions"),
    "REDUCE_ALL": _reduction(1),
    "REDUCE_ANY": _reduction(1),
    "REDUCE_MAX": _reduction(2),
    "REDUCE_MIN": _reduction(2),
    "REDUCE_PROD": _reduction(2),
    "RELU": _plain(),
    "RELU6": _plain(),
    "RELU_0_TO_1": _plain(),
    "RELU_N1_TO_1": _plain(),
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize("ResizeBilinearOptions"),
    "RESIZE_NEAREST_NEIGHBOR": _resize("ResizeNearestNeighborOptions"),
    "REVERSE_V2": _reverse,
    "ROUND": _plain(),
    "RSQRT": _version("", 2),
    "SELECT": _plain("SelectOptions"),
    "SELECT_V2": _plain("SelectV2Options"),
    "SHAPE": _shape,
    "SIGN": _plain("SignOptions"),
    "SIN": _plain(),
    "SignalDelay": lambda op: Form(order=(0,), custom={"delay_length": op.inputs[1].shape[-1]}),
    "SignalEnergy": lambda op: Form(custom={"end_index": op.end, "start_index": op.start}),
    "SignalFftAutoScale": _plain(),
    "SignalFilterBank": lambda op: Form(custom={"num_channels": op.y.elements}),
    "SignalFilterBankLog": _filter_bank_log,
    "SignalFilterBankSpectralSubtraction": _subtraction,
    "SignalFilterBankSquareRoot": _plain(),
    "SignalFramer": _framer,
    "SignalIrfft": _transform,
    "SignalOverlapAdd": _overlap_add,
    "SignalPCAN": lambda op: Form(custom={"snr_shift": op.snr_shift}),
    "SignalRfft": _transform,
    "SignalStacker": _stacker,
    "SignalWindow": lambda op: Form(custom={"shift": op.shift}),
    "SLICE": _slice,
    "SOFTMAX": _softmax,
    "SPACE_TO_BATCH_ND": _space_to_batch,
    "SPACE_TO_DEPTH": _blocks("SpaceToDepthOptions"),
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQRT": _plain(),
    "SQUARE": _plain("SquareOptions"),
    "SQUARED_DIFFERENCE": _version("SquaredDifferenceOptions", 2),
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided_slice,
    "SUB": _sum("SubOptions"),
    "SUM": _reduction(1),
    "SVDF": _svdf,
    "TANH": _plain(),
    "TILE": _tile,
    "TRANSPOSE": _transpose,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "UNPACK": _unpack,
    "WHILE": _while,
    "ZEROS_LIKE": _plain("ZerosLikeOptions"),
}
