"""The explicit table of every operator that tinygen compiles; one file each."""

from typing import Any

from tinygen.ir import Op
from tinygen.ops.add import ADD
from tinygen.ops.base import OpDef
from tinygen.ops.concatenation import CONCATENATION
from tinygen.ops.conv2d import CONV_2D
from tinygen.ops.depthwise_conv2d import DEPTHWISE_CONV_2D
from tinygen.ops.dequantize import DEQUANTIZE
from tinygen.ops.expand_dims import EXPAND_DIMS
from tinygen.ops.fully_connected import FULLY_CONNECTED
from tinygen.ops.logistic import LOGISTIC
from tinygen.ops.lookup import LOOKUP
from tinygen.ops.mean import MEAN
from tinygen.ops.mul import MUL
from tinygen.ops.pad import PAD, PADV2
from tinygen.ops.pool2d import AVERAGE_POOL_2D, MAX_POOL_2D
from tinygen.ops.quantize import QUANTIZE
from tinygen.ops.relu import RELU, RELU6, RELU_N1_TO_1
from tinygen.ops.reshape import RESHAPE
from tinygen.ops.softmax import SOFTMAX
from tinygen.ops.squeeze import SQUEEZE
from tinygen.ops.sub import SUB
from tinygen.ops.tanh import TANH

OPS: tuple[OpDef[Any], ...] = (
    CONV_2D,
    DEPTHWISE_CONV_2D,
    FULLY_CONNECTED,
    AVERAGE_POOL_2D,
    MAX_POOL_2D,
    ADD,
    CONCATENATION,
    DEQUANTIZE,
    EXPAND_DIMS,
    LOGISTIC,
    MEAN,
    MUL,
    PAD,
    PADV2,
    QUANTIZE,
    RELU,
    RELU6,
    RELU_N1_TO_1,
    RESHAPE,
    SOFTMAX,
    SQUEEZE,
    SUB,
    TANH,
)

# Operators that passes make; no file holds them.
INTERNAL: tuple[OpDef[Any], ...] = (LOOKUP,)

BY_KIND: dict[str, OpDef[Any]] = {definition.op.kind: definition for definition in OPS}

_DEFINITIONS: dict[str, OpDef[Any]] = {d.op.kind: d for d in (*OPS, *INTERNAL)}


def definition_of(op: Op) -> OpDef[Any]:
    """The table's entry for ``op``."""
    return _DEFINITIONS[op.kind]
