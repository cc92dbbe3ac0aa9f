"""The explicit table of every operator that tinygen compiles; one file each."""

from typing import Any

from tinygen.ir import Op
from tinygen.ops.abs import ABS
from tinygen.ops.add import ADD
from tinygen.ops.add_n import ADD_N
from tinygen.ops.arg_max import ARG_MAX
from tinygen.ops.arg_min import ARG_MIN
from tinygen.ops.atan2 import ATAN2
from tinygen.ops.base import OpDef
from tinygen.ops.batch_matmul import BATCH_MATMUL
from tinygen.ops.batch_to_space_nd import BATCH_TO_SPACE_ND
from tinygen.ops.broadcast_args import BROADCAST_ARGS
from tinygen.ops.broadcast_to import BROADCAST_TO
from tinygen.ops.cast import CAST
from tinygen.ops.ceil import CEIL
from tinygen.ops.circular_buffer import CIRCULAR_BUFFER
from tinygen.ops.concatenation import CONCATENATION
from tinygen.ops.conv2d import CONV_2D
from tinygen.ops.cos import COS
from tinygen.ops.cumsum import CUMSUM
from tinygen.ops.depth_to_space import DEPTH_TO_SPACE
from tinygen.ops.depthwise_conv2d import DEPTHWISE_CONV_2D
from tinygen.ops.dequantize import DEQUANTIZE
from tinygen.ops.div import DIV
from tinygen.ops.dynamic_update_slice import DYNAMIC_UPDATE_SLICE
from tinygen.ops.elu import ELU
from tinygen.ops.embedding_lookup import EMBEDDING_LOOKUP
from tinygen.ops.equal import EQUAL
from tinygen.ops.exp import EXP
from tinygen.ops.expand_dims import EXPAND_DIMS
from tinygen.ops.fill import FILL
from tinygen.ops.floor import FLOOR
from tinygen.ops.floor_div import FLOOR_DIV
from tinygen.ops.floor_mod import FLOOR_MOD
from tinygen.ops.fully_connected import FULLY_CONNECTED
from tinygen.ops.gather import GATHER
from tinygen.ops.gather_nd import GATHER_ND
from tinygen.ops.gelu import GELU
from tinygen.ops.greater import GREATER
from tinygen.ops.greater_equal import GREATER_EQUAL
from tinygen.ops.hard_swish import HARD_SWISH
from tinygen.ops.if_then_else import IF
from tinygen.ops.l2_normalization import L2_NORMALIZATION
from tinygen.ops.leaky_relu import LEAKY_RELU
from tinygen.ops.less import LESS
from tinygen.ops.less_equal import LESS_EQUAL
from tinygen.ops.log import LOG
from tinygen.ops.log_softmax import LOG_SOFTMAX
from tinygen.ops.logical_and import LOGICAL_AND
from tinygen.ops.logical_not import LOGICAL_NOT
from tinygen.ops.logical_or import LOGICAL_OR
from tinygen.ops.logistic import LOGISTIC
from tinygen.ops.lookup import LOOKUP
from tinygen.ops.maximum import MAXIMUM
from tinygen.ops.mean import MEAN
from tinygen.ops.minimum import MINIMUM
from tinygen.ops.mirror_pad import MIRROR_PAD
from tinygen.ops.mul import MUL
from tinygen.ops.neg import NEG
from tinygen.ops.not_equal import NOT_EQUAL
from tinygen.ops.pack import PACK
from tinygen.ops.pad import PAD, PADV2
from tinygen.ops.pool2d import AVERAGE_POOL_2D, L2_POOL_2D, MAX_POOL_2D
from tinygen.ops.pow import POW
from tinygen.ops.prelu import PRELU
from tinygen.ops.quantize import QUANTIZE
from tinygen.ops.range import RANGE
from tinygen.ops.rank import RANK
from tinygen.ops.reduce_all import REDUCE_ALL
from tinygen.ops.reduce_any import REDUCE_ANY
from tinygen.ops.reduce_max import REDUCE_MAX
from tinygen.ops.reduce_min import REDUCE_MIN
from tinygen.ops.reduce_prod import REDUCE_PROD
from tinygen.ops.relu import RELU, RELU6, RELU_0_TO_1, RELU_N1_TO_1
from tinygen.ops.reshape import RESHAPE
from tinygen.ops.resize_bilinear import RESIZE_BILINEAR
from tinygen.ops.resize_nearest_neighbor import RESIZE_NEAREST_NEIGHBOR
from tinygen.ops.reverse_v2 import REVERSE_V2
from tinygen.ops.round import ROUND
from tinygen.ops.rsqrt import RSQRT
from tinygen.ops.select import SELECT
from tinygen.ops.select_v2 import SELECT_V2
from tinygen.ops.shape import SHAPE
from tinygen.ops.sign import SIGN
from tinygen.ops.signal_delay import SIGNAL_DELAY
from tinygen.ops.signal_energy import SIGNAL_ENERGY
from tinygen.ops.signal_fft import SIGNAL_IRFFT, SIGNAL_RFFT
from tinygen.ops.signal_fft_auto_scale import SIGNAL_FFT_AUTO_SCALE
from tinygen.ops.signal_filter_bank import SIGNAL_FILTER_BANK
from tinygen.ops.signal_filter_bank_log import SIGNAL_FILTER_BANK_LOG
from tinygen.ops.signal_filter_bank_spectral_subtraction import (
    SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION,
)
from tinygen.ops.signal_filter_bank_square_root import SIGNAL_FILTER_BANK_SQUARE_ROOT
from tinygen.ops.signal_framer import SIGNAL_FRAMER
from tinygen.ops.signal_overlap_add import SIGNAL_OVERLAP_ADD
from tinygen.ops.signal_pcan import SIGNAL_PCAN
from tinygen.ops.signal_stacker import SIGNAL_STACKER
from tinygen.ops.signal_window import SIGNAL_WINDOW
from tinygen.ops.sin import SIN
from tinygen.ops.slice import SLICE
from tinygen.ops.softmax import SOFTMAX
from tinygen.ops.space_to_batch_nd import SPACE_TO_BATCH_ND
from tinygen.ops.space_to_depth import SPACE_TO_DEPTH
from tinygen.ops.split import SPLIT
from tinygen.ops.split_v import SPLIT_V
from tinygen.ops.sqrt import SQRT
from tinygen.ops.square import SQUARE
from tinygen.ops.squared_difference import SQUARED_DIFFERENCE
from tinygen.ops.squeeze import SQUEEZE
from tinygen.ops.store import STORE
from tinygen.ops.strided_slice import STRIDED_SLICE
from tinygen.ops.sub import SUB
from tinygen.ops.sum import SUM
from tinygen.ops.svdf import SVDF
from tinygen.ops.tanh import TANH
from tinygen.ops.tile import TILE
from tinygen.ops.transpose import TRANSPOSE
from tinygen.ops.transpose_conv import TRANSPOSE_CONV
from tinygen.ops.unidirectional_sequence_lstm import UNIDIRECTIONAL_SEQUENCE_LSTM
from tinygen.ops.unpack import UNPACK
from tinygen.ops.while_loop import WHILE
from tinygen.ops.zeros_like import ZEROS_LIKE

OPS: tuple[OpDef[Any], ...] = (
    CONV_2D,
    DEPTHWISE_CONV_2D,
    FULLY_CONNECTED,
    AVERAGE_POOL_2D,
    MAX_POOL_2D,
    ABS,
    ADD,
    ADD_N,
    ARG_MAX,
    ARG_MIN,
    ATAN2,
    BATCH_MATMUL,
    BATCH_TO_SPACE_ND,
    BROADCAST_ARGS,
    BROADCAST_TO,
    CAST,
    CEIL,
    CIRCULAR_BUFFER,
    CONCATENATION,
    COS,
    CUMSUM,
    DEPTH_TO_SPACE,
    DEQUANTIZE,
    DIV,
    DYNAMIC_UPDATE_SLICE,
    ELU,
    EMBEDDING_LOOKUP,
    EQUAL,
    EXP,
    EXPAND_DIMS,
    FILL,
    FLOOR,
    FLOOR_DIV,
    FLOOR_MOD,
    GATHER,
    GELU,
    GATHER_ND,
    GREATER,
    GREATER_EQUAL,
    HARD_SWISH,
    IF,
    L2_NORMALIZATION,
    L2_POOL_2D,
    LEAKY_RELU,
    LESS,
    LESS_EQUAL,
    LOG,
    LOGICAL_AND,
    LOGICAL_NOT,
    LOGICAL_OR,
    LOGISTIC,
    LOG_SOFTMAX,
    MAXIMUM,
    MEAN,
    MINIMUM,
    MIRROR_PAD,
    MUL,
    NEG,
    NOT_EQUAL,
    PACK,
    PAD,
    PADV2,
    POW,
    PRELU,
    QUANTIZE,
    RANGE,
    RANK,
    REDUCE_ALL,
    REDUCE_ANY,
    REDUCE_MAX,
    REDUCE_MIN,
    REDUCE_PROD,
    RELU,
    RELU6,
    RELU_0_TO_1,
    RELU_N1_TO_1,
    RESHAPE,
    RESIZE_BILINEAR,
    RESIZE_NEAREST_NEIGHBOR,
    REVERSE_V2,
    ROUND,
    RSQRT,
    SELECT,
    SELECT_V2,
    SHAPE,
    SIGN,
    SIN,
    SIGNAL_DELAY,
    SIGNAL_ENERGY,
    SIGNAL_FFT_AUTO_SCALE,
    SIGNAL_FILTER_BANK,
    SIGNAL_FILTER_BANK_LOG,
    SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION,
    SIGNAL_FILTER_BANK_SQUARE_ROOT,
    SIGNAL_FRAMER,
    SIGNAL_IRFFT,
    SIGNAL_OVERLAP_ADD,
    SIGNAL_PCAN,
    SIGNAL_RFFT,
    SIGNAL_STACKER,
    SIGNAL_WINDOW,
    SLICE,
    SOFTMAX,
    SPACE_TO_BATCH_ND,
    SPACE_TO_DEPTH,
    SPLIT,
    SPLIT_V,
    SQRT,
    SQUARE,
    SQUARED_DIFFERENCE,
    SQUEEZE,
    STRIDED_SLICE,
    SUB,
    SUM,
    SVDF,
    TANH,
    TILE,
    TRANSPOSE,
    TRANSPOSE_CONV,
    UNIDIRECTIONAL_SEQUENCE_LSTM,
    UNPACK,
    WHILE,
    ZEROS_LIKE,
)

# Operators that passes make; no file holds them.
INTERNAL: tuple[OpDef[Any], ...] = (LOOKUP, STORE)

BY_KIND: dict[str, OpDef[Any]] = {definition.op.kind: definition for definition in OPS}

_DEFINITIONS: dict[str, OpDef[Any]] = {d.op.kind: d for d in (*OPS, *INTERNAL)}


def definition_of(op: Op) -> OpDef[Any]:
    """The table's entry for ``op``."""
    return _DEFINITIONS[op.kind]
