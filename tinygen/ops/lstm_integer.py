"""The LSTM on int8 and int16: gates are int16 in steps of 2^-12 before their functions and 2^-15
after, the cell state is int16.

TFLite Micro takes sigmoid and tanh from a table with lines in between, and scales products by
multipliers. LiteRT, which has int8 alone, computes both functions in fixed point of 16 bits, scales
products by shifts, and adds up both halves of a gate before it saturates.
"""

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType, Numerics
from tinygen.isa import Isa
from tinygen.ops import fixedpoint
from tinygen.ops.base import Call, Kernel
from tinygen.ops.lstm import UnidirectionalSequenceLstm, by_unit, frames, geometry
from tinygen.ops.sigmoid_wide import (
    checked_log2,
    logistic_of,
    power_scaling,
    sigmoid_table,
    tanh_of,
)
from tinygen.quant import (
    dtype_range,
    multiply_by_quantized_multiplier,
    multiply_wide,
    quantize_multiplier,
    reduced_multiplier,
    rounding_divide_by_pot,
)

GATE_POWER = -12  # of the scale of what goes into a gate's function
OUTPUT_POWER = -15  # and of what comes out
GATE_BITS = 15 + GATE_POWER
LOW, HIGH = dtype_range(DType.INT16)
Pair = tuple[int, int]
Ints = npt.NDArray[np.int64]


def is_polynomial(op: UnidirectionalSequenceLstm) -> bool:
    """Whether the arithmetic is LiteRT's, which has no kernel for int16."""
    return op.numerics is Numerics.LITERT and op.x.dtype is DType.INT8


def cell_power(op: UnidirectionalSequenceLstm) -> tuple[int, bool]:
    """The cell state's scale as a power of two, and whether it is one."""
    return checked_log2(op.cell.scale)


def gate_ratios(op: UnidirectionalSequenceLstm) -> tuple[float, ...]:
    """The factors from sums to gates: of the input by gate, then of the hidden state.

    Source: TFLM's CreateGateParams; the scales are multiplied in float32.
    """
    pairs = [(op.x, w) for w in op.weights] + [(op.hidden, w) for w in op.recurrent]
    with np.errstate(over="ignore", under="ignore"):
        products = [float(np.float32(t.scale) * np.float32(w.scale)) for t, w in pairs]
    return tuple(product / 2.0**GATE_POWER for product in products)


def hidden_scaling(op: UnidirectionalSequenceLstm) -> Pair:
    """How o tanh(c) becomes the hidden state. LiteRT keeps the factor as a float32."""
    ratio = 2.0 ** (2 * OUTPUT_POWER) / op.hidden.scale
    return quantize_multiplier(float(np.float32(ratio)) if is_polynomial(op) else ratio)


def cell_scalings(op: UnidirectionalSequenceLstm) -> tuple[Pair, Pair]:
    """How f c and i g become cell state. Source: TFLM's CreateInterGateMulParams."""
    scale = op.cell.scale
    kept = 2.0**OUTPUT_POWER * scale / scale
    return quantize_multiplier(kept), quantize_multiplier(2.0 ** (2 * OUTPUT_POWER) / scale)


def cell_range(op: UnidirectionalSequenceLstm) -> Pair:
    """The limits of the cell state."""
    if op.cell_clip <= 0:
        return LOW, HIGH
    real = np.float32 if is_polynomial(op) else np.float64
    with np.errstate(over="ignore"):
        clip = int(min(float(real(op.cell_clip) / real(op.cell.scale)), float(HIGH)))
    # TFLite Micro clips to nothing where LiteRT does not clip.
    return (LOW, HIGH) if is_polynomial(op) and clip == 0 else (-clip, clip)


def saturated(x: Array) -> Ints:
    """int16 again."""
    return np.asarray(np.clip(np.asarray(x, np.int64), LOW, HIGH), np.int64)


def sums(op: UnidirectionalSequenceLstm, frame: Array, h: Array, gate: int) -> tuple[Ints, Ints]:
    """A gate's sums over the input and over the hidden state, offsets included."""
    w, r, b = (t[gate].values.astype(np.int64) for t in (op.weights, op.recurrent, op.biases))
    return (frame - op.x.zero_point) @ w.T + b, (h - op.hidden.zero_point) @ r.T


def _scaled(op: UnidirectionalSequenceLstm, total: Ints, multiplier: int, shift: int) -> Ints:
    if op.x.dtype is DType.INT8:
        narrow = multiply_by_quantized_multiplier(total.astype(np.int32), multiplier, shift)
        return narrow.astype(np.int64)
    return multiply_wide(total, multiplier, shift).astype(np.int64)


def gate_of(op: UnidirectionalSequenceLstm, frame: Array, h: Array, gate: int) -> Ints:
    """What goes into a gate's function, [batch, units]."""
    ratios = gate_ratios(op)
    totals = zip(sums(op, frame, h, gate), (ratios[gate], ratios[4 + gate]), strict=True)
    scaled = [_scaled(op, total, *quantize_multiplier(ratio)) for total, ratio in totals]
    first = saturated(scaled[0])
    return saturated(first + (scaled[1] if is_polynomial(op) else saturated(scaled[1])))


def functions(op: UnidirectionalSequenceLstm, x: Array, power: int, *, tanh: bool) -> Ints:
    """Sigmoid or tanh of ``x`` in steps of 2**power, in steps of 2**-15."""
    if is_polynomial(op):
        function = fixedpoint.tanh if tanh else fixedpoint.logistic
        return function(x, 15 + power, 16)
    found = tanh_of(x, *power_scaling(power)) if tanh else logistic_of(x, *power_scaling(power))
    return found.astype(np.int64)


def updated(op: UnidirectionalSequenceLstm, c: Ints, i: Ints, f: Ints, g: Ints) -> Ints:
    """The next cell state."""
    if is_polynomial(op):
        kept = rounding_divide_by_pot(f * c, -OUTPUT_POWER)
        added = rounding_divide_by_pot(i * g, cell_power(op)[0] - 2 * OUTPUT_POWER)
    else:
        keep, add = cell_scalings(op)
        kept = multiply_by_quantized_multiplier(f * c, *keep)
        added = multiply_by_quantized_multiplier(i * g, *add)
    return np.asarray(saturated(saturated(kept) + saturated(added)).clip(*cell_range(op)))


def reference(op: UnidirectionalSequenceLstm, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """Source: TFLM's LstmStep, LiteRT's LstmStepInteger8x8_16."""
    x, hidden, cell = values[:3]
    dtype = op.x.dtype.numpy
    h = hidden.reshape(op.batches, op.units).astype(np.int64)
    c = cell.reshape(op.batches, op.units).astype(np.int64)
    power, _ = cell_power(op)
    answers = []
    for frame in frames(op, x).astype(np.int64):
        i, f, g, o = (
            functions(op, gate_of(op, frame, h, gate), GATE_POWER, tanh=gate == 2)
            for gate in range(4)
        )
        c = updated(op, c, i, f, g)
        product = functions(op, c, power, tanh=True) * o
        scaled = multiply_by_quantized_multiplier(product, *hidden_scaling(op)).astype(np.int64)
        h = (scaled + op.hidden.zero_point).clip(*dtype_range(op.hidden.dtype))
        answers.append(h)
    y = np.stack(answers, axis=0 if op.time_major else 1).astype(dtype)
    return y, h.astype(dtype).reshape(hidden.shape), c.astype(np.int16).reshape(cell.shape)


def lower(op: UnidirectionalSequenceLstm) -> tuple[Call, ...]:
    """The one call."""
    wide = op.x.dtype is DType.INT16
    pairs = [quantize_multiplier(ratio) for ratio in gate_ratios(op)]
    multiplier, shift = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    if wide:
        multiplier, shift = reduced_multiplier(multiplier).astype(np.int32), 15 - shift
    weights, recurrent, bias = map(by_unit, (op.weights, op.recurrent, op.biases))
    offset = bias.astype(np.int64) - op.x.zero_point * weights.sum(axis=2, dtype=np.int64)
    recurrent_offset = -op.hidden.zero_point * recurrent.sum(axis=2, dtype=np.int64)
    params = (
        ("input", weights),
        ("recurrent", recurrent),
        ("bias", offset if wide else offset.astype(np.int32)),
        *(() if wide else (("recurrent_bias", recurrent_offset.astype(np.int32)),)),
        ("multiplier", multiplier),
        ("shift", shift.astype(np.int32)),
        *update_params(op),
    )
    return (Call(geometry(op), params, (op.x, op.hidden, op.cell), op.outputs),)


def update_params(op: UnidirectionalSequenceLstm) -> tuple[tuple[str, int | Array], ...]:
    """The fields of ``tg_lstm_update``, or of ``tg_lstm_polynomial_update``."""
    power, _ = cell_power(op)
    hidden, (low, high) = hidden_scaling(op), cell_range(op)
    common = (
        ("update.cell_min", low),
        ("update.cell_max", high),
        ("update.hidden_multiplier", hidden[0]),
        ("update.hidden_shift", hidden[1]),
        ("update.hidden_zero_point", op.hidden.zero_point),
    )
    if is_polynomial(op):
        shift = power - 2 * OUTPUT_POWER
        return (*common, ("update.cell_bits", 15 + power), ("update.input_shift", shift))
    keep, add = cell_scalings(op)
    tanh = power_scaling(power)
    return (
        *common,
        ("table", sigmoid_table()),
        ("update.forget_multiplier", keep[0]),
        ("update.forget_shift", keep[1]),
        ("update.input_multiplier", add[0]),
        ("update.input_shift", add[1]),
        ("update.tanh_multiplier", tanh[0]),
        ("update.tanh_shift", tanh[1]),
    )


def row(
    name: str, header: str, types: str, needs: Isa, *, polynomial: bool
) -> Kernel[UnidirectionalSequenceLstm]:
    """A row for one of the two arithmetics."""
    return Kernel(
        name, header, types, lower, needs=needs, fits=lambda op: is_polynomial(op) is polynomial
    )


DSP = "tg_lstm_s8_dsp.h"
KERNELS = (
    row("tg_lstm_s8_dsp", DSP, "tg_lstm_s8", Isa.DSP, polynomial=False),
    row("tg_lstm_polynomial_s8_dsp", DSP, "tg_lstm_polynomial_s8", Isa.DSP, polynomial=True),
    row("tg_lstm_s8", "tg_lstm.h", "tg_lstm_s8", Isa.ANY, polynomial=False),
    row("tg_lstm_polynomial_s8", "tg_lstm.h", "tg_lstm_polynomial_s8", Isa.ANY, polynomial=True),
)
WIDE = row("tg_lstm_s16", "tg_lstm.h", "tg_lstm_s16", Isa.ANY, polynomial=False)
