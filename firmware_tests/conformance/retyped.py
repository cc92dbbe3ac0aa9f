"""An operator on int8 as the same one on another type: the geometry and the real values stay."""

from dataclasses import replace

import numpy as np

from firmware_tests.kernels.widened import wide_tensor
from tinygen.ir import Activation, Array, DType, Numerics, Op, QuantParams, Tensor
from tinygen.ops.convolution import WeightedOp

BYTE_MIDDLE = 128
# Results whose scale the schema fixes: 16 bits count half steps of 2**-15 around 0.
FIXED = {
    ("SOFTMAX", DType.INT16): 2.0**-15,
    ("LOGISTIC", DType.INT16): 2.0**-15,
    ("TANH", DType.INT16): 2.0**-15,
    ("L2_NORMALIZATION", DType.INT16): 2.0**-15,
}


def retyped(op: Op, dtype: DType, numerics: Numerics, rng: np.random.Generator) -> Op:
    """``op`` with its int8 tensors of ``dtype``. Weights stay int8 beside int16; beside float32
    half of them do where there is one scale for each channel or for all (hybrid)."""
    if dtype is DType.INT8:
        return op
    weighted = isinstance(op, WeightedOp)
    hybrid = weighted and dtype is DType.FLOAT32 and bool(rng.integers(2))
    inputs = []
    for index, tensor in enumerate(op.inputs):
        if weighted and index == 1:
            inputs.append(_weights(tensor, dtype, hybrid))
        elif weighted and index == 2:
            inputs.append(_bias(tensor, dtype, numerics, rng))
        else:
            inputs.append(_retyped(tensor, dtype))
    same = dict(zip(op.inputs, inputs, strict=True))
    outputs = tuple(same.get(t) or _retyped(t, dtype) for t in op.outputs)
    if scale := FIXED.get((op.kind, dtype)):
        outputs = tuple(replace(t, quant=QuantParams((scale,), (0,))) for t in outputs)
    # TFLite Micro's ADD leaves the activation out of int32, and so does the front end.
    if (op.kind, dtype, numerics) == ("ADD", DType.INT32, Numerics.TFLM):
        op = replace(op, activation=Activation.NONE)  # type: ignore[call-arg]
    # Operands that were one tensor still are.
    return replace(op, inputs=tuple(same[t] for t in op.inputs), outputs=outputs)


def _retyped(tensor: Tensor, dtype: DType) -> Tensor:
    if dtype is DType.FLOAT32 and tensor.quant is not None:
        return _real(tensor)
    if tensor.dtype is not DType.INT8:
        return tensor
    if dtype is DType.INT16:
        return replace(wide_tensor(tensor), name=tensor.name)
    if dtype is DType.UINT8:
        return _unsigned(tensor)
    if dtype is DType.FLOAT32:
        return _real(tensor)
    data = None if tensor.data is None else tensor.data.astype(dtype.numpy)
    return replace(tensor, dtype=dtype, quant=None, data=data, bounds=None)


def _real(tensor: Tensor) -> Tensor:
    data = None if tensor.data is None else _values(tensor)
    return replace(tensor, dtype=DType.FLOAT32, quant=None, data=data, bounds=None)


def _values(tensor: Tensor) -> Array:
    """The real values of a constant."""
    quant = tensor.quant
    if quant is None:
        return tensor.values.astype(np.float32)
    shape = [1] * len(tensor.shape)
    if quant.axis is not None:
        shape[quant.axis] = -1
    scale = np.array(quant.scale).reshape(shape if quant.per_channel else ())
    zero = np.array(quant.zero_point).reshape(shape if quant.per_channel else ())
    return np.asarray((tensor.values.astype(float) - zero) * scale, np.float32)


def _unsigned(tensor: Tensor) -> Tensor:
    quant = tensor.quant
    data = None if tensor.data is None else (tensor.data.astype(int) + 128).astype(np.uint8)
    if quant is not None:
        quant = replace(quant, zero_point=tuple(z + BYTE_MIDDLE for z in quant.zero_point))
    return replace(tensor, dtype=DType.UINT8, quant=quant, data=data, bounds=None)


def _weights(tensor: Tensor, dtype: DType, hybrid: bool) -> Tensor:
    if dtype is DType.UINT8:
        return _unsigned(tensor)
    if hybrid:  # LiteRT's vector instructions cannot negate -128
        return replace(tensor, data=np.maximum(tensor.values, -127))
    return _real(tensor) if dtype is DType.FLOAT32 else tensor


def _bias(tensor: Tensor, dtype: DType, numerics: Numerics, rng: np.random.Generator) -> Tensor:
    if dtype is DType.FLOAT32:
        return _real(tensor)
    if dtype is not DType.INT16 or tensor.quant is None:
        return tensor
    scales = tuple(float(np.float32(scale / 256)) for scale in tensor.quant.scale)
    quant = replace(tensor.quant, scale=scales)
    # Only TFLite Micro takes biases of int32 for what they are.
    narrow = numerics is Numerics.TFLM and rng.random() < 0.2
    low = rng.integers(-128, 128, tensor.shape)
    data = tensor.values.astype(np.int64) * 256 + low
    kind = DType.INT32 if narrow else DType.INT64
    info = np.iinfo(kind.numpy)
    clipped = np.clip(data, info.min, info.max).astype(kind.numpy)
    return replace(tensor, dtype=kind, quant=quant, data=clipped)
