"""UNIDIRECTIONAL_SEQUENCE_LSTM: a recurrent layer over the frames of a sequence, whose hidden state
and cell state outlive the invocation; int8, int16 with int8 weights, and float32."""

from dataclasses import replace
from math import isnan
from typing import Any

from tinygen.errors import ModelError, UnsupportedError
from tinygen.ir import Activation, Array, DType
from tinygen.ops import lstm_float, lstm_integer
from tinygen.ops.base import Node, OpDef, describe, only_for
from tinygen.ops.lstm import UnidirectionalSequenceLstm
from tinygen.ops.tolerance import SUM

WEIGHTS, RECURRENT, BIASES = slice(1, 5), slice(5, 9), slice(12, 16)
HIDDEN, CELL = 18, 19  # the states' places among the schema's inputs
INPUTS = (20, 24)  # files of before layer normalization have four less
# Which of the schema's inputs make it another algorithm.
VARIANTS = {"peephole weights": (9, 12), "a projection": (16, 18), "layer normalization": (20, 24)}
INTERMEDIATE = 4  # the place of what is hidden state without a projection


def parse(node: Node) -> UnidirectionalSequenceLstm:
    """Read the node.

    Raises ModelError where the shapes do not fit together or the cell clip is no number,
    UnsupportedError for another algorithm.
    """
    import tflite

    where = f"{node.kind} '{node.name}'"
    if len(node.inputs) not in INPUTS or len(node.outputs) != 1:
        raise ModelError(
            f"{where} has {len(node.inputs)} inputs and {len(node.outputs)} outputs; the schema "
            "asks for 20 or 24, and 1"
        )
    options = node.options(tflite.UnidirectionalSequenceLSTMOptions)
    _check_algorithm(node, options, where)
    places = [*range(*WEIGHTS.indices(24)), *range(*RECURRENT.indices(24))]
    places = [0, HIDDEN, CELL, *places, *range(*BIASES.indices(24))]
    given = tuple(t for i in places if (t := node.inputs[i]) is not None)
    if len(given) < len(places):
        raise ModelError(f"{where} leaves out an input that it needs")
    x, hidden, cell = given[:3]
    after = (replace(t, name=f"{t.name}/after") for t in (hidden, cell))
    outputs = (*node.outputs, *after)
    clip = float(options.CellClip())
    if isnan(clip):
        raise ModelError(f"{where}: its cell clip is {clip}")
    op = UnidirectionalSequenceLstm(
        node.name, given, outputs, bool(options.TimeMajor()), clip, node.numerics
    )
    if len(x.shape) != 3 or len(op.weights[0].shape) != 2:
        raise ModelError(f"{where}: input {x.shape} is no sequence of frames")
    units, features = op.units, x.shape[2]
    wanted = (*((units, features),) * 4, *((units, units),) * 4, *((units,),) * 4)
    for tensor, shape in zip(given[3:], wanted, strict=True):
        if tensor.shape != shape:
            raise ModelError(f"{where}: {describe(tensor)} should have the shape {shape}")
    for tensor in (hidden, cell):
        if tensor.elements != op.batches * units:
            raise ModelError(
                f"{where}: {describe(tensor)} should hold {op.batches} x {units} elements"
            )
    node.makes((*x.shape[:2], units))
    _check_intermediate(node, op, where)
    return op


def _check_intermediate(node: Node, op: UnidirectionalSequenceLstm, where: str) -> None:
    """LiteRT scales the answers to an intermediate result, which a projection would read.

    Raises UnsupportedError where that is not the hidden state.
    """
    found = node.intermediates[INTERMEDIATE] if len(node.intermediates) > INTERMEDIATE else None
    kept = op.hidden.quant
    if found is None or kept is None or not lstm_integer.is_polynomial(op):
        return
    if (found.scale, found.zero_point) != (kept.scale, kept.zero_point):
        raise UnsupportedError(
            f"{where} has an intermediate result {found}, and the hidden state "
            f"{describe(op.hidden)}: LiteRT takes the one for the other.",
            "Use --numerics tflm, or convert the model anew.",
        )


def _check_algorithm(node: Node, options: Any, where: str) -> None:
    """Raises UnsupportedError for an LSTM that TFLite Micro does not have either."""

    def refuse(what: str) -> None:
        raise UnsupportedError(
            f"{where} has {what}, which TFLite Micro does not support either.",
            "Convert a plain LSTM layer, as Keras makes it.",
        )

    for what, (first, end) in VARIANTS.items():
        if any(t is not None for t in node.inputs[first:end]):
            refuse(what)
    for first in (WEIGHTS.start, RECURRENT.start, BIASES.start):
        if node.inputs[first] is None:
            refuse("no input gate (coupled input and forget gates, CIFG)")
    if options.DiagonalRecurrentTensors():
        refuse("diagonal recurrent weights")
    activation = node.activation(options.FusedActivationFunction())
    if activation is not Activation.TANH:
        refuse(f"the activation {activation.value} in place of TANH")


def types(op: UnidirectionalSequenceLstm) -> str:
    """Input, hidden state and output have one type: int8, int16 or float32; others follow from it.

    For int8 and int16, weights are int8 and the cell state is int16; biases are int32 for int8 and
    int64 for int16. All is float32 for float32. Convert the model with full integer post-training
    quantization (int8, or 16x8), or without quantization.
    """
    known = {
        DType.INT8: (DType.INT8, DType.INT16, DType.INT32),
        DType.INT16: (DType.INT8, DType.INT16, DType.INT64),
        DType.FLOAT32: (DType.FLOAT32,) * 3,
    }
    if op.x.dtype not in known:
        return describe(op.x)
    weights, cell, biases = known[op.x.dtype]
    wanted = dict.fromkeys((op.hidden, op.y), op.x.dtype) | {op.cell: cell}
    wanted |= dict.fromkeys((*op.weights, *op.recurrent), weights)
    wanted |= dict.fromkeys(op.biases, biases)
    return next((describe(t) for t, dtype in wanted.items() if t.dtype is not dtype), "")


def constant_weights(op: UnidirectionalSequenceLstm) -> str:
    """Weights and biases are constant.

    Convert the model anew.
    """
    return next((describe(t) for t in op.inputs[3:] if not t.is_constant), "")


def kept_states(op: UnidirectionalSequenceLstm) -> str:
    """Hidden state and cell state are two tensors that the model does not hold constant.

    Convert the model anew.
    """
    if op.hidden is op.cell:
        return describe(op.hidden)
    return next((describe(t) for t in (op.hidden, op.cell) if t.is_constant), "")


def quantized(op: UnidirectionalSequenceLstm) -> str:
    """Every quantized tensor has one scale; only those of int8 that are not weights a zero point.

    The answers are quantized as the hidden state is. Convert the model anew.
    """
    if op.x.dtype is DType.FLOAT32:
        return ""
    activations = (op.x, op.hidden, op.y)
    for tensor in (*activations, op.cell, *op.weights, *op.recurrent):
        if tensor.quant is None or tensor.quant.per_channel:
            return describe(tensor)
        if tensor.zero_point and (tensor.dtype is DType.INT16 or tensor not in activations):
            return describe(tensor)
    same = (op.y.scale, op.y.zero_point) == (op.hidden.scale, op.hidden.zero_point)
    return "" if same else f"{describe(op.y)} from {describe(op.hidden)}"


def cell_scale(op: UnidirectionalSequenceLstm) -> str:
    """The cell state's scale is in the range that the reference computes in.

    It is between 2**-28 and 4; with --numerics litert a power of two from 2**-15 to 2**-9. The
    reference's arithmetic is undefined beyond; convert the model anew.
    """
    if op.x.dtype is DType.FLOAT32:
        return ""
    power, exact = lstm_integer.cell_power(op)
    polynomial = lstm_integer.is_polynomial(op)
    fits = exact and -15 <= power <= -9 if polynomial else -28 <= power <= 2
    return "" if fits else describe(op.cell)


def factors(op: UnidirectionalSequenceLstm) -> str:
    """Factors from sums to gates are below 2**30, for int16 below 2**7, and sums below 2**46.

    The reference's arithmetic is undefined beyond; convert the model with data that represents its
    inputs.
    """
    if op.x.dtype is DType.FLOAT32:
        return ""
    wide = op.x.dtype is DType.INT16
    largest = max(lstm_integer.gate_ratios(op))
    if largest >= (2.0**7 if wide else 2.0**30):
        return f"a factor of {largest:g}"
    bias = max(int(abs(t.values.astype(object)).max()) for t in op.biases)
    return f"a bias of {bias}" if wide and bias >= 2**45 else ""


def reference(op: UnidirectionalSequenceLstm, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLM's EvalLstm; LiteRT's EvalInteger8x8_16 under its numerics."""
    run = lstm_float.reference if op.x.dtype is DType.FLOAT32 else lstm_integer.reference
    return run(op, values)


def macs(op: UnidirectionalSequenceLstm) -> int:
    """Each frame and each hidden state meet the weights of four gates."""
    return op.batches * op.steps * 4 * op.units * (op.x.shape[2] + op.units)


UNIDIRECTIONAL_SEQUENCE_LSTM = OpDef(
    op=UnidirectionalSequenceLstm,
    parse=parse,
    dtypes=(DType.INT8, DType.INT16, DType.FLOAT32),
    tolerance=SUM,
    rules=(types, constant_weights, kept_states, quantized, cell_scale, factors),
    reference=reference,
    kernels=(
        *only_for(DType.INT8, *lstm_integer.KERNELS),
        *only_for(DType.INT16, lstm_integer.WIDE),
        *only_for(DType.FLOAT32, lstm_float.KERNEL),
    ),
    macs=macs,
)
