"""SVDF: one dense layer over the last frames, factored into weights over features and over time."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinygen.errors import ModelError
from tinygen.ir import Activation, Array, DType, Op, Tensor
from tinygen.ops.base import Call, Kernel, Node, OpDef, describe, only_for
from tinygen.ops.convolution import Fields
from tinygen.ops.floating import (
    CLAMPS,
    all_float,
    clamp_fields,
    clamped,
    is_float,
    ordered_matmul,
    ordered_sum,
    unless_float,
)
from tinygen.ops.tolerance import SUM
from tinygen.quant import (
    dtype_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)


@dataclass(frozen=True, slots=True, eq=False)
class Svdf(Op):
    """y[b, u] = sum over the ``rank`` filters f of unit u of time[f] . state[b, f], plus bias[u].

    ``inputs`` are x [batch, features], the state [batch, filters * memory], the feature weights
    [filters, features], the time weights [filters, memory], and perhaps the bias [units]. The
    results are y [batch, units] and the new state: shifted by one frame, whose answers are x .
    feature[f].
    """

    kind: ClassVar[str] = "SVDF"
    updates: ClassVar[tuple[tuple[int, int], ...]] = ((1, 1),)

    rank: int
    activation: Activation = Activation.NONE

    @property
    def state(self) -> Tensor:
        """The answers of each filter to the last frames, oldest first."""
        return self.inputs[1]

    @property
    def feature(self) -> Tensor:
        """The weights over the features of one frame."""
        return self.inputs[2]

    @property
    def time(self) -> Tensor:
        """The weights over the frames."""
        return self.inputs[3]


def parse(node: Node) -> Svdf:
    """Read the node. Raises ModelError where the shapes do not fit together."""
    import tflite

    node.arity(range(3, 6))
    x, feature, time, bias, state = (*node.inputs, None, None)[:5]
    where = f"SVDF '{node.name}'"
    if x is None or feature is None or time is None or state is None:
        raise ModelError(f"{where} leaves out an input that it needs")
    options = node.options(tflite.SVDFOptions)
    rank = options.Rank()
    ranks = {len(t.shape) for t in (x, feature, time, state)}
    if ranks != {2} or rank < 1 or feature.shape[0] % rank:
        raise ModelError(f"{where}: rank {rank} does not fit weights {feature.shape}")
    (batches, features), (filters, memory), units = x.shape, time.shape, feature.shape[0] // rank
    if (
        feature.shape != (filters, features)
        or state.shape != (batches, filters * memory)
        or (bias is not None and bias.shape != (units,))
    ):
        raise ModelError(
            f"{where}: input {x.shape}, weights {feature.shape} and {time.shape}, and state "
            f"{state.shape} do not fit together"
        )
    node.makes((batches, units))
    after = replace(state, name=f"{state.name}/after")
    inputs = (x, state, feature, time, *(() if bias is None else (bias,)))
    activation = node.activation(options.FusedActivationFunction())
    if x.dtype is not DType.FLOAT32:
        activation = Activation.NONE  # neither reference applies it
    return Svdf(node.name, inputs, (*node.outputs, after), rank, activation)


def float_clamp(op: Svdf) -> str:
    """With float32, the fused activation is none, RELU, RELU6 or RELU_N1_TO_1.

    Use one of these, or the activation as an operator of its own.
    """
    return op.activation.value if is_float(op) and op.activation not in CLAMPS else ""


def types(op: Svdf) -> str:
    """Input and output are int8, state and time weights both int8 or both int16, the bias is int32.

    Or all are float32.

    Convert the model with full integer post-training quantization (int8).
    """
    kept = op.state.dtype if op.state.dtype in (DType.INT8, DType.INT16) else DType.INT16
    wanted = dict.fromkeys((op.x, op.y, op.feature), DType.INT8) | {op.state: kept, op.time: kept}
    for tensor, dtype in wanted.items():
        if tensor.dtype is not dtype or tensor.quant is None or tensor.quant.per_channel:
            return describe(tensor)
    return "".join(describe(t) for t in op.inputs[4:] if t.dtype is not DType.INT32)


def constant_weights(op: Svdf) -> str:
    """Weights and bias are constant.

    Convert the model anew.
    """
    return next((describe(t) for t in op.inputs[2:] if not t.is_constant), "")


def ratios(op: Svdf) -> tuple[float, float]:
    """The scales of sums over features in the state's, and of sums over time in the output's.

    Source: TFLM's PrepareSvdf; the scales are multiplied in float32.
    """
    x, state, y = np.float32(op.x.scale), np.float32(op.state.scale), np.float32(op.y.scale)
    with np.errstate(over="ignore", under="ignore"):
        into_state = x * np.float32(op.feature.scale) / state
        into_y = state * np.float32(op.time.scale) / y
    return float(into_state), float(into_y)


def scales_in_range(op: Svdf) -> str:
    """Factors from sums to the state, and from the state to the output, are below 2^30.

    Convert the model again, with data that represents its inputs.
    """
    return next((f"a factor of {ratio:g}" for ratio in ratios(op) if ratio >= 2.0**30), "")


def multipliers(op: Svdf) -> tuple[tuple[int, int], tuple[int, int]]:
    """How sums over features become state, and sums over time the output."""
    into_state, into_y = ratios(op)
    return quantize_multiplier(into_state), quantize_multiplier(into_y)


def bias_of(op: Svdf) -> Array:
    """One value for each unit."""
    dtype = np.float32 if is_float(op) else np.int32
    return op.inputs[4].values if len(op.inputs) > 4 else np.zeros(op.y.shape[1], dtype)


def reference(op: Svdf, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLM's EvalIntegerSvdfReference. Fused activations count for nothing there.

    For floats: EvalFloatSvdfReference, in which they count.
    """
    x, old = values[:2]
    filters, memory = op.time.shape
    if is_float(op):
        return float_reference(op, x, old)
    low, high = dtype_range(op.state.dtype)
    into_state, into_y = multipliers(op)
    state = np.roll(old.reshape(-1), -1).reshape(x.shape[0], filters, memory)
    sums = (x.astype(np.int64) - op.x.zero_point) @ op.feature.values.astype(np.int64).T
    answers = multiply_by_quantized_multiplier(sums.astype(np.int32), *into_state).clip(low, high)
    state[:, :, -1] = (answers + op.state.zero_point).astype(old.dtype)
    centred = state.astype(np.int64) - op.state.zero_point
    products = (centred * op.time.values.astype(np.int64)).sum(axis=2)
    total = products.reshape(*op.y.shape, op.rank).sum(axis=2) + bias_of(op)
    scaled = multiply_by_quantized_multiplier(total.astype(np.int32), *into_y).astype(np.int64)
    y = (scaled + op.y.zero_point).clip(*dtype_range(DType.INT8))
    return y.astype(np.int8), state.reshape(old.shape)


def float_reference(op: Svdf, x: Array, old: Array) -> tuple[Array, ...]:
    """The output and the new state, of float32."""
    batches, (filters, memory) = x.shape[0], op.time.shape
    state = np.roll(old.reshape(-1), -1).reshape(batches, filters, memory)
    state[:, :, -1] = ordered_matmul(x, op.feature.values)
    with np.errstate(over="ignore", invalid="ignore"):
        answers = ordered_sum(np.moveaxis(state * op.time.values, 2, 0))
    ranked = np.moveaxis(answers.reshape(*op.y.shape, op.rank), 2, 0)
    total = ordered_sum(ranked, np.broadcast_to(bias_of(op), op.y.shape))
    return clamped(total, op.activation), state.reshape(old.shape)


def macs(op: Svdf) -> int:
    """Each frame meets all feature weights, and the state all time weights."""
    return op.x.shape[0] * op.feature.elements + op.state.elements


def geometry(op: Svdf) -> Fields:
    """The fields that all kernels' shapes have."""
    filters, memory = op.time.shape
    return (
        ("batches", op.x.shape[0]),
        ("features", op.x.shape[1]),
        ("units", filters // op.rank),
        ("rank", op.rank),
        ("memory", memory),
    )


def lower(op: Svdf) -> tuple[Call, ...]:
    """The one call on integers."""
    into_state, into_y = multipliers(op)
    offset = -op.x.zero_point * op.feature.values.astype(np.int32).sum(axis=1, dtype=np.int32)
    params = (
        ("feature", op.feature.values),
        ("offset", offset.astype(np.int32)),
        ("time", op.time.values),
        ("bias", bias_of(op)),
        ("state_multiplier", into_state[0]),
        ("state_shift", into_state[1]),
        ("state_zero_point", op.state.zero_point),
        ("output_multiplier", into_y[0]),
        ("output_shift", into_y[1]),
        ("output_zero_point", op.y.zero_point),
    )
    return (Call(geometry(op), params, (op.x, op.state), op.outputs),)


def lower_float(op: Svdf) -> tuple[Call, ...]:
    """The call of ``tg_svdf_f32``."""
    params = (
        ("feature", op.feature.values),
        ("time", op.time.values),
        ("bias", bias_of(op)),
        *clamp_fields(op.activation),
    )
    return (Call(geometry(op), params, (op.x, op.state), op.outputs),)


def kernel(dtype: DType, name: str) -> Kernel[Svdf]:
    """The row for a state of ``dtype``."""
    return Kernel(name, "tg_svdf.h", name, lower, fits=lambda op: op.state.dtype is dtype)


SVDF = OpDef(
    op=Svdf,
    dtypes=(DType.INT8, DType.FLOAT32),
    parse=parse,
    rules=(
        all_float,
        float_clamp,
        *unless_float(types),
        constant_weights,
        *unless_float(scales_in_range),
    ),
    reference=reference,
    kernels=(
        kernel(DType.INT16, "tg_svdf_s16"),
        kernel(DType.INT8, "tg_svdf_s8"),
        *only_for(
            DType.FLOAT32, Kernel("tg_svdf_f32", "tg_svdf_f32.h", "tg_svdf_f32", lower_float)
        ),
    ),
    tolerance=SUM,
    macs=macs,
)
