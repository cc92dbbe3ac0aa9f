"""Tensors of uint8, as models of the older kind have them, by what computes int8.

A uint8 tensor holds the values of an int8 tensor whose zero point is smaller by 128: the same real
numbers, each byte with its highest bit flipped. So an operator on uint8 tensors is read as the same
operator on such int8 twins, and only where the model's own inputs and outputs are uint8, or an
operator that takes uint8 as it is, does a QUANTIZE lead from one to the other.

TFLite Micro has uint8 kernels for few operators, so LiteRT's reference kernels say under both
numerics what an operator on uint8 gives. Most are the int8 kernels of theirs over another range;
where they are not, the operator is told that it is ``unsigned``. Weights stay uint8.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from tinygen.ir import DType, Numerics, Op, QuantParams, Tensor
from tinygen.ops.base import Node
from tinygen.ops.lookup import Lookup
from tinygen.ops.quantize import Quantize

# The operators whose uint8 kernels in LiteRT are known to be those of int8, or whose files here
# know the difference. FULLY_CONNECTED and the convolutions keep input 1, the weights.
KINDS = frozenset(
    """
    ADD ARG_MAX ARG_MIN AVERAGE_POOL_2D BATCH_TO_SPACE_ND BROADCAST_TO CONCATENATION
    CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE EQUAL
    EXPAND_DIMS FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH
    L2_NORMALIZATION LEAKY_RELU LESS LESS_EQUAL LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN
    MINIMUM
    MIRROR_PAD MUL NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE REDUCE_MAX REDUCE_MIN RELU
    RELU6 RELU_N1_TO_1 RESHAPE RESIZE_NEAREST_NEIGHBOR REVERSE_V2 SELECT SELECT_V2 SLICE
    SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQUEEZE STRIDED_SLICE SUB TANH
    TILE TRANSPOSE TRANSPOSE_CONV UNPACK
    """.split()
)
WEIGHTED = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 1}
OFFSET = 128


@dataclass(slots=True)
class Twins:
    """The twins of tensors, and, the other way round, the ``origins`` of twins.

    ``made`` are the twins that the operators so far compute, ``lacking`` the tensors of which they
    compute the twins alone. ``rescaled`` are those that a CONCATENATION reads, with what makes
    them. ``unique`` makes names of operators that no other has.
    """

    unique: Callable[[str], str]
    twins: dict[Tensor, Tensor] = field(default_factory=dict)
    origins: dict[Tensor, Tensor] = field(default_factory=dict)
    rescaled: dict[Tensor, Op] = field(default_factory=dict)
    made: set[Tensor] = field(default_factory=set)
    lacking: set[Tensor] = field(default_factory=set)

    def node(self, node: Node) -> Node | None:
        """``node`` on the twins of its uint8 tensors; None where it has none, or no twins."""
        kept = WEIGHTED.get(node.kind)
        inputs = tuple(
            tensor if i == kept or tensor is None else self.twin(tensor)
            for i, tensor in enumerate(node.inputs)
        )
        outputs = tuple(self.twin(tensor) for tensor in node.outputs)
        if node.kind not in KINDS or (inputs, outputs) == (node.inputs, node.outputs):
            return None
        if node.kind == "CONCATENATION":
            inputs = tuple(t and self._rescaled(t, outputs[0]) for t in inputs)
        return replace(
            node, inputs=inputs, outputs=outputs, numerics=Numerics.LITERT, unsigned=True
        )

    def prefers(self, node: Node) -> bool:
        """Whether ``node`` reads what has been computed as a twin only."""
        return any(t in self.lacking for t in node.present)

    def twin(self, tensor: Tensor) -> Tensor:
        """The int8 tensor that ``tensor`` is read as; itself if it is none of uint8, or none that
        is quantized."""
        quant = tensor.quant
        if tensor.dtype is not DType.UINT8 or quant is None or quant.per_channel:
            return tensor
        if tensor not in self.twins:
            made = QuantParams(quant.scale, (quant.zero_point[0] - OFFSET,))
            data = None
            if tensor.is_constant:
                data = (tensor.values.astype(np.int16) - OFFSET).astype(np.int8)
            self.twins[tensor] = Tensor(tensor.name, tensor.shape, DType.INT8, made, data)
            self.origins[self.twins[tensor]] = tensor
        return self.twins[tensor]

    def _rescaled(self, tensor: Tensor, y: Tensor) -> Tensor:
        """``tensor`` in the quantization of ``y``, as LiteRT's CONCATENATION brings uint8 there.

        Source: reference_ops::ConcatenationWithScaling; all steps round to float32.
        """
        if tensor.dtype is not y.dtype or tensor.quant == y.quant:
            return tensor
        scale = np.float32(tensor.scale) * (np.float32(1) / np.float32(y.scale))
        bias = np.float32(-(tensor.zero_point + OFFSET)) * scale
        real = np.arange(256).astype(np.float32) * scale + bias
        rounded = np.copysign(np.floor(np.abs(real.astype(np.float64)) + 0.5), real)
        results = np.clip(rounded + y.zero_point, -OFFSET, OFFSET - 1).astype(np.int8)
        name = self.unique(f"{tensor.name}/rescaled")
        # From the order of uint8 values to that of int8's bytes.
        table = Tensor(f"{name}/table", (256,), y.dtype, None, np.roll(results, -OFFSET))
        made = replace(tensor, name=name, quant=y.quant, data=None)
        self.rescaled[made] = Lookup(name, (tensor, table), (made,))
        return made

    def before(self, op: Op) -> tuple[Op, ...]:
        """What has to be converted for ``op`` to read it; its results count as computed then."""
        first = [self.rescaled[t] for t in dict.fromkeys(op.inputs) if t in self.rescaled]
        sources = [t for made in (*first, op) for t in made.activations]
        needed = [*(self.converted(t) for t in dict.fromkeys(sources)), *first]
        twins = [t for t in op.outputs if t in self.origins]
        self.made.update(twins)
        self.lacking.update(self.origins[t] for t in twins)
        return tuple(made for made in needed if made is not None)

    def converted(self, tensor: Tensor) -> Op | None:
        """What makes ``tensor`` of its other form; None where that is done, or needless."""
        if tensor in self.lacking:
            source = self.twins[tensor]
            self.lacking.remove(tensor)
        elif tensor in self.origins and tensor not in self.made:
            source = self.origins[tensor]
            self.made.add(tensor)
        else:
            return None
        return Quantize(self.unique(f"{tensor.name}/{tensor.dtype.value}"), (source,), (tensor,))
