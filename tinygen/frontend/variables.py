"""Resource variables: VAR_HANDLE names one, READ_VARIABLE and ASSIGN_VARIABLE get and set its
value.

What a variable holds at a place in the graph is a tensor: what it was before the invocation, or
what was assigned last. So reading and assigning are views, and only what a variable holds before
and after the invocation is state. Nothing that follows needs to know of an order of reads and
writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinygen.errors import ModelError, UnsupportedError
from tinygen.frontend.tensors import TensorInfo
from tinygen.ir import Array, DType, Op, QuantParams, State, Tensor
from tinygen.names import printable
from tinygen.ops.base import Node
from tinygen.ops.reshape import Reshape
from tinygen.passes.fold_constants import LARGEST_CONSTANT_BYTES

SILENT = ("CALL_ONCE", "VAR_HANDLE")  # nothing is left of them in the graph
KINDS = (*SILENT, "READ_VARIABLE", "ASSIGN_VARIABLE")

Key = tuple[str, str]
"""A variable's container and name."""


@dataclass(slots=True)
class Variables:
    """The variables of one subgraph while its operators are read in order.

    ``assigned`` has what the subgraph's first ASSIGN_VARIABLE of each handle assigns. ``initial``
    are the values that the CALL_ONCE operators so far gave, ``current`` what the variables hold.
    """

    assigned: Mapping[TensorInfo, TensorInfo]
    initial: dict[Key, Array] = field(default_factory=dict)
    current: dict[Key, Tensor] = field(default_factory=dict)
    _before: dict[Key, Tensor] = field(default_factory=dict)
    _handles: dict[TensorInfo, Key] = field(default_factory=dict)

    @property
    def touched(self) -> bool:
        """Whether any variable was read or assigned yet."""
        return bool(self.current)

    def read(self, node: Node, handles: Sequence[TensorInfo]) -> Op | None:
        """The view that a variable's operator is; None for VAR_HANDLE. ``handles`` are its resource
        tensors, which ``node`` does without.

        Raises ModelError, UnsupportedError.
        """
        if len(handles) != 1:
            raise ModelError(f"{node.kind} '{node.name}' names {len(handles)} variables, not one")
        if node.kind == "VAR_HANDLE":
            self._name(node, handles[0])
            return None
        if handles[0] not in self._handles:
            raise ModelError(f"{node.kind} '{node.name}' has a handle that no VAR_HANDLE made")
        key = self._handles[handles[0]]
        if node.kind == "ASSIGN_VARIABLE":
            node.arity(1, 0)
            return self._assign(node, key)
        node.arity(0, 1)
        return self._get(node, key)

    def states(self) -> tuple[State, ...]:
        """The variables whose values before the invocation somebody reads."""
        return tuple(
            State(before, self.current[key], self.initial[key].reshape(before.shape))
            for key, before in self._before.items()
        )

    def _name(self, node: Node, handle: TensorInfo) -> None:
        import tflite

        node.arity(0, 0)
        options = node.options(tflite.VarHandleOptions)
        container, name = options.Container(), options.SharedName()
        self._handles[handle] = (container or b"").decode(), (name or b"").decode()

    def _assign(self, node: Node, key: Key) -> Op:
        x = node.present[0]
        known = self.current.get(key)
        after = known or x
        _check_type(node, x, after)
        y = Tensor(f"{printable(key[1])}:={x.name}", after.shape, x.dtype, after.quant)
        self.current[key] = y
        return Reshape(node.name, (x,), (y,))

    def _get(self, node: Node, key: Key) -> Op:
        y = node.outputs[0]
        if key not in self.current:
            self.current[key] = self._first(node, key, self._assigned(key))
        value = self.current[key]
        _check_type(node, y, value)
        return Reshape(node.name, (value,), (y,))

    def _assigned(self, key: Key) -> TensorInfo | None:
        """What the subgraph assigns to the variable first."""
        found = (x for handle, x in self.assigned.items() if self._handles.get(handle) == key)
        return next(found, None)

    def _first(self, node: Node, key: Key, later: TensorInfo | None) -> Tensor:
        """What a variable holds where it has not been assigned yet."""
        y, shown = node.outputs[0], printable(key[1])
        if key not in self.initial:
            if later is None or later.tensor is None:
                raise UnsupportedError(
                    f"{node.kind} '{node.name}': the variable '{shown}' never gets a value.",
                    "Assign one in the function that CALL_ONCE calls.",
                )
            self.initial[key] = resting(y, later.quant)
        value = self.initial[key]
        if (value.size, value.dtype) != (y.elements, y.dtype.numpy):
            raise ModelError(
                f"{node.kind} '{node.name}' reads {y} from the variable '{shown}', which is "
                f"initialized as {value.dtype}{list(value.shape)}"
            )
        if later is None:
            return Tensor(shown, y.shape, y.dtype, y.quant, value.reshape(y.shape))
        before = Tensor(shown, y.shape, y.dtype, y.quant)
        self._before[key] = before
        return before


def resting(tensor: Tensor, quant: QuantParams | None) -> Array:
    """The value of state that nobody has given one: every byte is the lowest of the zero point.

    Source: TFLM's MicroResourceVariables::Allocate and ResetVariableTensor. Raises UnsupportedError
    for state that no board could hold.
    """
    if tensor.nbytes > LARGEST_CONSTANT_BYTES:
        raise UnsupportedError(
            f"the state '{tensor.name}' takes {tensor.nbytes:,} bytes.",
            f"Up to {LARGEST_CONSTANT_BYTES:,} are allowed.",
        )
    byte = quant.zero_point[0] & 0xFF if quant is not None else 0
    raw = np.full(tensor.nbytes, byte, np.uint8)
    if tensor.dtype is DType.BOOL:
        raw = np.minimum(raw, 1)
    return raw.view(tensor.dtype.numpy).reshape(tensor.shape)


def _check_type(node: Node, tensor: Tensor, value: Tensor) -> None:
    """Check that ``tensor`` has the bytes of ``value``. Raises ModelError."""
    if (tensor.elements, tensor.dtype) != (value.elements, value.dtype):
        raise ModelError(
            f"{node.kind} '{node.name}': {tensor} and the variable's {value} differ in size or type"
        )
