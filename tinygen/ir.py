"""The typed graph that every stage reads: tensors, operators, and their checks.

All values are frozen; a pass builds new ones with ``dataclasses.replace``. Tensors and operators
compare by identity, because two equal tensors are still two buffers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinygen.interval import Interval

Array = npt.NDArray[Any]


class DType(Enum):
    """Element types, by their TFLite names; firmware knows them by their place here."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    BOOL = "bool"
    UINT32 = "uint32"
    UINT64 = "uint64"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type of the same width, little-endian."""
        return np.dtype(self.value).newbyteorder("<")

    @property
    def size(self) -> int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def c_type(self) -> str:
        """The C99 type of one element."""
        return {"float32": "float", "bool": "bool"}.get(self.value, f"{self.value}_t")


class Numerics(Enum):
    """Whose numbers are reproduced, bit for bit, where the two references differ."""

    TFLM = "tflm"
    LITERT = "litert"


class Activation(Enum):
    """Fused activation functions, by their TFLite names."""

    NONE = "NONE"
    RELU = "RELU"
    RELU_N1_TO_1 = "RELU_N1_TO_1"
    RELU6 = "RELU6"
    TANH = "TANH"
    SIGN_BIT = "SIGN_BIT"


@dataclass(frozen=True, slots=True)
class QuantParams:
    """Affine quantization: real = scale * (q - zero_point), per tensor or along one axis."""

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None

    @property
    def per_channel(self) -> bool:
        """Whether there is one scale per index of ``axis``."""
        return len(self.scale) > 1

    def __str__(self) -> str:
        if self.per_channel:
            return f"s=[{len(self.scale)}]@{self.axis}"
        return f"s={self.scale[0]:.6g} z={self.zero_point[0]}"


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value of the graph; ``data`` is set for constants.

    ``bounds`` limit what an 8-bit activation can be, where that is less than its type can hold.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: QuantParams | None = None
    data: Array | None = None
    bounds: Interval | None = None

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the dense tensor."""
        return self.elements * self.dtype.size

    @property
    def is_constant(self) -> bool:
        """Whether the value is known when the model is compiled."""
        return self.data is not None

    @property
    def values(self) -> Array:
        """The data of a constant."""
        if self.data is None:
            raise ValueError(f"tensor '{self.name}' is not constant")
        return self.data

    @property
    def scale(self) -> float:
        """The one scale of a per-tensor quantized tensor."""
        return self._per_tensor().scale[0]

    @property
    def zero_point(self) -> int:
        """The one zero point of a per-tensor quantized tensor."""
        return self._per_tensor().zero_point[0]

    def _per_tensor(self) -> QuantParams:
        if self.quant is None or self.quant.per_channel:
            raise ValueError(f"tensor '{self.name}' is not quantized per tensor")
        return self.quant

    def __str__(self) -> str:
        dims = ",".join(str(d) for d in self.shape)
        return f"{self.dtype.value}[{dims}]" + (f" {self.quant}" if self.quant else "")


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One operator; subclasses add typed attributes and name their inputs.

    Optional inputs that a model leaves out are not in ``inputs``.
    """

    kind: ClassVar[str] = "?"
    # Which results are the new values of which inputs' state: (input, output). A kernel of such an
    # operator may be given one buffer for both.
    updates: ClassVar[tuple[tuple[int, int], ...]] = ()
    # Whether the schema has it by its name only, as a custom operator.
    is_custom: ClassVar[bool] = False

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.inputs[0]

    @property
    def y(self) -> Tensor:
        """The first output."""
        return self.outputs[0]

    @property
    def activations(self) -> tuple[Tensor, ...]:
        """The inputs that are not constant."""
        return tuple(t for t in self.inputs if not t.is_constant)

    def attributes(self) -> dict[str, Any]:
        """The typed attributes that the subclass adds, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)[3:]}


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A value that outlives an invocation: what is ``after`` one is ``before`` the next.

    Before the first it is ``initial``. No operator writes ``before``; any value of the graph can be
    what comes after. So a graph with state is a function like any other, of its inputs and of what
    the state was, and a pass that keeps every result keeps the state.
    """

    before: Tensor
    after: Tensor
    initial: Array


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A model: operators in execution order."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    states: tuple[State, ...] = ()

    @property
    def sources(self) -> tuple[Tensor, ...]:
        """What is there before the first operator: the inputs, then the states."""
        return (*self.inputs, *(state.before for state in self.states))

    @property
    def results(self) -> tuple[Tensor, ...]:
        """What must be there after the last operator: the outputs, then the states."""
        return (*self.outputs, *(state.after for state in self.states))

    def consumers(self, tensor: Tensor) -> tuple[Op, ...]:
        """The operators that read ``tensor``."""
        return tuple(op for op in self.ops if tensor in op.inputs)

    def producer(self, tensor: Tensor) -> Op | None:
        """The operator that writes ``tensor``; None for sources and constants."""
        return next((op for op in self.ops if tensor in op.outputs), None)

    def __str__(self) -> str:
        return "\n".join(graph_lines(self))


def with_tensors(op: Op, by: Mapping[Tensor, Tensor]) -> Op:
    """``op`` with tensors replaced; itself where none is."""
    if not any(t in by for t in (*op.inputs, *op.outputs)):
        return op
    return replace(
        op,
        inputs=tuple(by.get(t, t) for t in op.inputs),
        outputs=tuple(by.get(t, t) for t in op.outputs),
    )


def graph_lines(graph: Graph) -> Sequence[str]:
    """The stable text form that tests compare and ``--print-after`` prints."""
    names: dict[Tensor, str] = {}

    def ref(tensor: Tensor) -> str:
        if tensor not in names:
            names[tensor] = f"{'#' if tensor.is_constant else '%'}{len(names)}"
        return names[tensor]

    lines = [f"{ref(t)} = input {t}" for t in graph.inputs]
    lines += [f"{ref(s.before)} = state {s.before}" for s in graph.states]
    for op in graph.ops:
        args = ", ".join(ref(t) for t in op.inputs)
        attrs = "".join(f" {k}={_text(v)}" for k, v in op.attributes().items())
        results = ", ".join(ref(t) for t in op.outputs)
        types = "; ".join(str(t) for t in op.outputs)
        lines.append(f"{results} = {op.kind.lower()}({args}){attrs}  {types}")
    lines += [f"{ref(s.before)} := {ref(s.after)}" for s in graph.states]
    lines.append("return " + ", ".join(ref(t) for t in graph.outputs))
    return lines


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value).lower()
    if isinstance(value, Graph):
        return "{" + "; ".join(graph_lines(value)) + "}"
    if isinstance(value, tuple):
        return "x".join(_text(v) for v in value)
    return str(value)


def verify(graph: Graph) -> None:
    """Check the invariants that every pass must keep.

    Raises AssertionError: a graph that breaks them is a bug of tinygen, not of the model.
    """
    known = set(graph.sources)
    for op in graph.ops:
        for tensor in op.inputs:
            if not (tensor.is_constant or tensor in known):
                raise AssertionError(f"{op.kind} '{op.name}' reads '{tensor.name}' too early")
        for tensor in op.outputs:
            if tensor in known or tensor.is_constant:
                raise AssertionError(f"{op.kind} '{op.name}' writes '{tensor.name}' again")
            known.add(tensor)
            channels = tensor.shape[-1] if tensor.shape else 1
            if tensor.bounds is not None and len(tensor.bounds) != channels:
                raise AssertionError(f"'{tensor.name}' has bounds for another shape")
    for tensor in graph.results:
        if not (tensor.is_constant or tensor in known):
            raise AssertionError(f"output '{tensor.name}' is never written")
    for state in graph.states:
        before, after = state.before, state.after
        if (before.shape, before.dtype) != (after.shape, after.dtype):
            raise AssertionError(f"state '{before.name}' changes its type to {after}")
        if before.shape != state.initial.shape or before.bounds is not None:
            raise AssertionError(f"state '{before.name}' begins as another tensor")
