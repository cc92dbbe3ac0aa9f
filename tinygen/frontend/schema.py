"""The tables of TFLite's schema (version 3) that the front end reads, for the verifier.

Source: tensorflow/compiler/mlir/lite/schema/schema.fbs. Each layout lists the fields in the
schema's order as far as they are read; fields of later slots are never touched.
"""

from tinygen.frontend.flatbuffer import Bytes, Field, Layout, Skip, Tables, Text, Union, Vector

IDENTIFIER = b"TFL3"
VERSION = 3

_INT32 = Vector(4)
_TEXT = Text()

# The options of every operator in ``tinygen.ops``, by the tflite package's class names. A new
# operator with options of its own needs a row: options without one are refused.
OPTIONS: dict[str, tuple[Field, ...]] = {
    "ATan2Options": (),
    "AbsOptions": (),
    "AddNOptions": (),
    "AddOptions": (1, 1),
    "ArgMaxOptions": (1,),
    "ArgMinOptions": (1,),
    "AssignVariableOptions": (),
    "BatchMatMulOptions": (1, 1, 1),
    "BatchToSpaceNDOptions": (),
    "BroadcastToOptions": (),
    "CallOnceOptions": (4,),
    "CastOptions": (1, 1),
    "ConcatenationOptions": (4, 1),
    "CosOptions": (),
    "Conv2DOptions": (1, 4, 4, 1, 4, 4, 1),
    "CumsumOptions": (1, 1),
    "DepthToSpaceOptions": (4,),
    "DepthwiseConv2DOptions": (1, 4, 4, 4, 1, 4, 4),
    "DequantizeOptions": (),
    "DivOptions": (1,),
    "DynamicUpdateSliceOptions": (),
    "EqualOptions": (),
    "ExpOptions": (),
    "ExpandDimsOptions": (),
    "FillOptions": (),
    "FloorDivOptions": (),
    "FloorModOptions": (),
    "FullyConnectedOptions": (1, 1, 1, 1, 1),
    "GatherNdOptions": (),
    "GatherOptions": (4, 4),
    "GeluOptions": (1,),
    "GreaterEqualOptions": (),
    "GreaterOptions": (),
    "HardSwishOptions": (),
    "IfOptions": (4, 4),
    "L2NormOptions": (1,),
    "LeakyReluOptions": (4,),
    "LessEqualOptions": (),
    "LessOptions": (),
    "LogSoftmaxOptions": (),
    "LogicalAndOptions": (),
    "LogicalNotOptions": (),
    "LogicalOrOptions": (),
    "MaximumMinimumOptions": (),
    "MirrorPadOptions": (1,),
    "MulOptions": (1,),
    "NegOptions": (),
    "NotEqualOptions": (),
    "PackOptions": (4, 4),
    "PadOptions": (),
    "PadV2Options": (),
    "Pool2DOptions": (1, 4, 4, 4, 4, 1),
    "PowOptions": (),
    "QuantizeOptions": (),
    "RangeOptions": (),
    "RankOptions": (),
    "ReadVariableOptions": (),
    "ReducerOptions": (1,),
    "ReshapeOptions": (_INT32,),
    "ResizeBilinearOptions": (4, 4, 1, 1),
    "ResizeNearestNeighborOptions": (1, 1),
    "ReverseV2Options": (),
    "SelectOptions": (),
    "SelectV2Options": (),
    "ShapeOptions": (1,),
    "SignOptions": (),
    "SliceOptions": (),
    "SoftmaxOptions": (4,),
    "SpaceToBatchNDOptions": (),
    "SpaceToDepthOptions": (4,),
    "SplitOptions": (4,),
    "SplitVOptions": (4,),
    "SquareOptions": (),
    "SquaredDifferenceOptions": (),
    "SqueezeOptions": (_INT32,),
    "StridedSliceOptions": (4, 4, 4, 4, 4, 1),
    "SVDFOptions": (4, 1, 1),
    "SubOptions": (1, 1),
    "TileOptions": (),
    "TransposeConvOptions": (1, 4, 4, 1, 1),
    "TransposeOptions": (),
    "UnidirectionalSequenceLSTMOptions": (1, 4, 4, 1, 1, 1),
    "UnpackOptions": (4, 4),
    "VarHandleOptions": (_TEXT, _TEXT),
    "WhileOptions": (4, 4),
    "ZerosLikeOptions": (),
}


def options_layouts() -> dict[int, Layout]:
    """``OPTIONS`` by the schema's union codes."""
    import tflite

    return {
        getattr(tflite.BuiltinOptions, name): Layout(name, fields)
        for name, fields in OPTIONS.items()
    }


def model_layout() -> Layout:
    """The layout of a whole file."""
    # min, max, scale, zero_point, details_type, details, quantized_dimension
    quantization = Layout("quantization", (Skip(), Skip(), Vector(4), Vector(8), 1, Skip(), 4))
    # shape, type, buffer, name, quantization, is_variable, sparsity, shape_signature
    tensor = Layout("tensor", (_INT32, 1, 4, _TEXT, quantization, 1, 4, _INT32))
    # opcode_index, inputs, outputs, builtin_options_type, builtin_options, custom_options,
    # custom_options_format, mutating_variable_inputs, intermediates
    options = Union(3, options_layouts())
    operator = Layout("operator", (4, _INT32, _INT32, 1, options, Bytes(), 1, Skip(), _INT32))
    # tensors, inputs, outputs, operators
    subgraph = Layout("subgraph", (Tables(tensor), _INT32, _INT32, Tables(operator)))
    # deprecated_builtin_code, custom_code, version, builtin_code
    operator_code = Layout("operator_code", (1, _TEXT, 4, 4))
    # data, offset, size
    buffer = Layout("buffer", (Bytes(), 8, 8))
    # version, operator_codes, subgraphs, description, buffers
    return Layout("model", (4, Tables(operator_code), Tables(subgraph), Skip(), Tables(buffer)))
