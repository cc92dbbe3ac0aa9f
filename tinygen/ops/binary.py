"""What ADD, SUB and MUL share: broadcasting, rules, and the rows for one constant or one tensor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.errors import ModelError
from tinygen.interval import Interval
from tinygen.ir import Activation, Array, DType, Op, Tensor
from tinygen.ops.base import BoundsOf, Call, Kernel, Node, Value, describe, is_integer
from tinygen.ops.lut import every_value, lut_kernel
from tinygen.quant import activation_range, dtype_range

Int8Array = npt.NDArray[np.int8]
MAX_LOOPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Pair(Op):
    """y = a op b; shapes broadcast as numpy's do."""

    @property
    def a(self) -> Tensor:
        """The left operand."""
        return self.inputs[0]

    @property
    def b(self) -> Tensor:
        """The right operand."""
        return self.inputs[1]


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Pair):
    """y = act(a op b)."""

    activation: Activation


B = TypeVar("B", bound=Binary)
Elementwise = Callable[[B, Array, Array], Array]
"""Values of both operands, broadcast against each other -> results of the same type."""


def broadcast_operands(node: Node) -> tuple[Tensor, Tensor]:
    """The inputs. Raises ModelError where their shapes do not broadcast to the output's."""
    node.arity(2)
    a, b, y = *node.present, node.outputs[0]
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        shape = None
    if shape != y.shape:
        raise ModelError(
            f"{node.kind} '{node.name}': shapes {a.shape} and {b.shape} do not broadcast to the "
            f"output's {y.shape}"
        )
    return a, b


def parse_binary(node: Node, op: type[B], options: type[Any]) -> B:
    """Read the node. Raises ModelError where the shapes do not broadcast to the output's."""
    operands = broadcast_operands(node)
    activation = node.activation(node.options(options).FusedActivationFunction())
    return op(node.name, operands, node.outputs, activation)


def int8_operands(op: Pair) -> str:
    """Both operands and the output are int8 with one scale and zero point each.

    Convert the model with full integer post-training quantization (int8).
    """
    for tensor in (*op.inputs, *op.outputs):
        if tensor.dtype is not DType.INT8 or tensor.quant is None or tensor.quant.per_channel:
            return describe(tensor)
    return ""


def integer_operands(op: Binary) -> str:
    """Operands and output are int8 with one scale and zero point each, or int16, zero points 0.

    Convert the model with full integer post-training quantization (int8, or 16x8).
    """
    tensors = (*op.inputs, *op.outputs)
    wrong = (t for t in tensors if not is_integer(t) or t.dtype is not op.y.dtype)
    return next((describe(t) for t in wrong), "")


def few_loops(op: Pair) -> str:
    """Broadcasting needs at most four nested loops.

    Expand one operand to the output's shape in the model.
    """
    count = len(broadcast_loops(op.a.shape, op.b.shape, op.y.shape))
    return f"{op.a.shape} with {op.b.shape}" if count > MAX_LOOPS else ""


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop of a broadcast, with the elements that each operand advances by."""

    size: int
    a_stride: int
    b_stride: int


def merged_loops(
    y: tuple[int, ...], *operands: tuple[int, ...]
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The fewest nested loops over ``y``, outermost first: the size, and each operand's stride.

    Neighbours that advance as one merge.
    """
    loops: list[tuple[int, tuple[int, ...]]] = []
    strides = [1] * len(operands)
    for size, *sizes in zip(
        reversed(y), *(reversed(_extended(shape, y)) for shape in operands), strict=True
    ):
        steps = tuple(step if n > 1 else 0 for n, step in zip(sizes, strides, strict=True))
        strides = [n * step for n, step in zip(sizes, strides, strict=True)]
        if size == 1:
            continue
        if loops and steps == tuple(step * loops[-1][0] for step in loops[-1][1]):
            loops[-1] = (loops[-1][0] * size, loops[-1][1])
        else:
            loops.append((size, steps))
    return tuple(reversed(loops)) or ((1, (1,) * len(operands)),)


def broadcast_loops(a: tuple[int, ...], b: tuple[int, ...], y: tuple[int, ...]) -> tuple[Loop, ...]:
    """The fewest nested loops over ``y``, outermost first."""
    return tuple(Loop(size, *steps) for size, steps in merged_loops(y, a, b))


def _extended(shape: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (len(y) - len(shape)) + shape


@dataclass(frozen=True, slots=True)
class Geometry:
    """The loops of a broadcast as kernels take them.

    The kernels' operand 0 always advances in the inner loop. ``swapped`` says that it is the right
    operand; the caller then swaps the operands' parameters as well.
    """

    loops: tuple[Loop, ...]
    swapped: bool

    @property
    def shape(self) -> tuple[tuple[str, int], ...]:
        """The fields of ``tg_binary_shape``."""
        *outer, inner = self.loops
        outer = [Loop(1, 0, 0)] * (MAX_LOOPS - 1 - len(outer)) + outer
        fields = [("size", inner.size), ("w_step", inner.b_stride)]
        for index, loop in enumerate(outer):
            fields += [
                (f"n{index}", loop.size),
                (f"x_stride{index}", loop.a_stride),
                (f"w_stride{index}", loop.b_stride),
            ]
        return tuple(fields)


def geometry_of(op: Pair) -> Geometry:
    """The geometry of ``op``.

    The result may overwrite operand 0, so that is not a constant where both could be it.
    """
    loops = broadcast_loops(op.a.shape, op.b.shape, op.y.shape)
    inner = loops[-1]
    better = op.a.is_constant or op.a.elements < op.b.elements
    swapped = inner.a_stride == 0 or (inner.b_stride == 1 and better)
    if swapped:
        loops = tuple(Loop(loop.size, loop.b_stride, loop.a_stride) for loop in loops)
    return Geometry(loops, swapped)


def pair_call(
    op: Pair,
    params: tuple[tuple[str, Value], ...],
    *,
    right_only: bool = False,
    full_range: bool = True,
) -> Call:
    """A call of a kernel over ``tg_binary_shape``, its operands in the geometry's order."""
    geometry = geometry_of(op)
    operands = (op.b, op.a) if geometry.swapped else (op.a, op.b)
    shape = (*geometry.shape, ("right_only", int(right_only)), ("full_range", int(full_range)))
    return Call(shape, params, operands, (op.y,))


def binary_call(
    op: Binary, params: tuple[tuple[str, Value], ...], *, right_only: bool = False
) -> Call:
    """As ``pair_call``; the output's clamp is added to ``params``."""
    low, high = activation_range(op.activation, op.y)
    full_range = (low, high) == dtype_range(op.y.dtype)
    params = (*params, ("output_min", low), ("output_max", high))
    return pair_call(op, params, right_only=right_only, full_range=full_range)


def rescaling_call(
    op: Binary, params: tuple[tuple[str, Value], ...], multiplier: int, shift: int
) -> Call:
    """A call of a kernel that ends in ``tg_output_s8``, on accumulators below 2**30."""
    right_only = multiplier == 0 or shift < 0
    beyond_first = -1 - shift if multiplier else 0
    params = (
        *params,
        ("multiplier", multiplier),
        ("shift", beyond_first if right_only else shift),
        ("output_zero_point", op.y.zero_point),
    )
    return binary_call(op, params, right_only=right_only)


def one_variable_kernel(elementwise: Elementwise[B]) -> Kernel[B]:
    """The table row: one operand is a single constant, or both are the same tensor."""

    def table(op: B) -> Array:
        values = every_value(DType.INT8)
        a = op.a.values.reshape(()) if op.a.is_constant else values
        b = op.b.values.reshape(()) if op.b.is_constant else values
        return elementwise(op, a, b)

    def fits(op: B) -> bool:
        if op.y.dtype is not DType.INT8:
            return False
        constants = [t for t in op.inputs if t.is_constant]
        return op.a is op.b or (len(constants) == 1 and constants[0].elements == 1)

    return lut_kernel(table, fits)


def corner_bounds(elementwise: Elementwise[B]) -> Callable[[B, BoundsOf], Interval]:
    """The bounds of an operator whose result, each operand for itself, only grows or only falls.

    The extremes are at the operands' ends. Sums and products are so, and the rules keep all steps
    to the result within 32 bits.
    """

    def bounds(op: B, bounds_of: BoundsOf) -> Interval:
        a, b = bounds_of(op.a), bounds_of(op.b)
        corners = [elementwise(op, x, w) for x in (a.low, a.high) for w in (b.low, b.high)]
        return Interval.spanning(*corners)

    return bounds


def reference_of(
    elementwise: Elementwise[B],
) -> Callable[[B, tuple[Array, ...]], tuple[Array, ...]]:
    """The operator's reference, from its function on values."""
    return lambda op, values: (elementwise(op, *values).reshape(op.y.shape),)
