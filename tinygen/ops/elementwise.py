"""Operators whose every element is a function of one element: how each type is computed.

For int8 one table says it all; float32 is a function of ``tg_unary_f32.h``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from tinygen.ir import Array, DType, Numerics, Op
from tinygen.ops.base import (
    Call,
    Kernel,
    Node,
    OpDef,
    Rule,
    any_value,
    describe,
    is_integer,
    only_for,
)
from tinygen.ops.lut import bounds_of_table, lookup, lut_kernel
from tinygen.ops.tolerance import CURVE, EXACT, Tolerance
from tinygen.ops.unary import check_unary

# IEEE 754 rounds the result correctly, or nearly so; it does not say which NaN there is.
ROUNDED = Tolerance(units=1)


@dataclass(frozen=True, slots=True, eq=False)
class Elementwise(Op):
    """y = f(x), element by element."""

    numerics: Numerics = Numerics.TFLM


E = TypeVar("E", bound=Op)
Named = TypeVar("Named", bound=Elementwise)
Floats = npt.NDArray[np.float32]


def parse_elementwise(node: Node, op: type[Named]) -> Named:
    """Read the node. Raises ModelError where input and output shapes differ."""
    check_unary(node)
    return op(node.name, node.present, node.outputs, node.numerics)


@dataclass(frozen=True, slots=True)
class Typed(Generic[E]):
    """How an operator computes one element type.

    ``reference`` is on values, ``rules`` are beyond those of the type. ``plain`` values are taken
    as they are stored; integers are quantized otherwise, or ``bare`` ones may be. Kernels fit
    operators on ``dtype`` only. ``table`` has the 256 results of an 8-bit type.
    """

    dtype: DType
    reference: Callable[[E, Array], Array]
    kernels: tuple[Kernel[E], ...]
    rules: tuple[Rule[E], ...] = ()
    plain: bool = False
    bare: bool = False
    tolerance: Tolerance = EXACT
    table: Callable[[E], Array] | None = None


def tabled(
    table: Callable[[E], Array],
    *rules: Rule[E],
    first: tuple[Kernel[E], ...] = (),
    plain: bool = False,
) -> Typed[E]:
    """int8, by the 256 results that ``table`` computes; rows in ``first`` go before the table's."""
    return Typed(
        DType.INT8,
        lambda op, x: lookup(table(op), x),
        (*first, lut_kernel(table)),
        rules,
        plain=plain,
        table=table,
    )


def real(
    function: str,
    reference: Callable[[E, Floats], Array],
    tolerance: Tolerance = EXACT,
    alpha: Callable[[E], float] = lambda op: 0.0,
    fits: Callable[[E], bool] = lambda op: True,
) -> Typed[E]:
    """float32, by the C ``function`` of ``tg_unary_f32.h``; ``alpha`` is its parameter."""

    def lower(op: E) -> tuple[Call, ...]:
        shape, params = (("size", op.x.elements),), (("alpha", alpha(op)),)
        return (Call(shape, params, (op.x,), (op.y,)),)

    def values(op: E, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(reference(op, x), np.float32)

    row: Kernel[E] = Kernel(
        function, "tg_unary_f32.h", "tg_unary_f32", lower, fits=fits, in_place=True
    )
    return Typed(DType.FLOAT32, values, (row,), plain=True, tolerance=tolerance)


def curve(function: str, by_double: Callable[[npt.NDArray[np.float64]], Any]) -> Typed[E]:
    """float32, by a float function of the C library: the double's result ``by_double``, rounded."""
    return real(function, lambda op, x: by_double(x.astype(np.float64)), CURVE)


def plain(
    dtype: DType,
    function: str,
    reference: Callable[[E, Array], Array],
    fits: Callable[[E], bool] = lambda op: True,
) -> Typed[E]:
    """Whole numbers as they are stored, by the C ``function`` of ``tg_unary_plain.h``."""

    def lower(op: E) -> tuple[Call, ...]:
        shape = (("size", op.x.elements),)
        return (Call(shape, (("unused", 0),), (op.x,), (op.y,)),)

    row: Kernel[E] = Kernel(
        function, "tg_unary_plain.h", "tg_unary_plain", lower, fits=fits, in_place=True
    )
    return Typed(dtype, reference, (row,), plain=True)


def known_types(forms: tuple[Typed[E], ...]) -> Rule[E]:
    """The rule that input and output are of a type among ``forms``."""

    def rule(op: E) -> str:
        form = next((form for form in forms if form.dtype is op.x.dtype), None)
        if form is None:
            return describe(op.x)
        free = form.plain or (form.bare and op.x.quant is op.y.quant is None)
        for tensor in (op.x, op.y):
            if tensor.dtype is not form.dtype or not (free or is_integer(tensor)):
                return describe(tensor)
        return ""

    names = [form.dtype.value for form in forms if form.plain]
    if any(form.dtype is DType.INT16 and not form.plain for form in forms):
        names.append("int16 with one scale and zero point 0")
    if any(form.dtype is DType.INT8 and not form.plain for form in forms):
        names.append("int8 with one scale and zero point")
    rule.__doc__ = (
        f"Input and output are both {', or '.join(names)}.\n\n"
        "No reference kernel takes another; convert the model anew."
    )
    return rule


def only_of(dtype: DType, rule: Rule[E]) -> Rule[E]:
    """``rule``, which holds for operators on other types than ``dtype``."""

    @wraps(rule)
    def restricted(op: E) -> str:
        return rule(op) if op.x.dtype is dtype else ""

    return restricted


def elementwise(op: type[E], parse: Callable[[Node], E], *forms: Typed[E]) -> OpDef[E]:
    """The operator that computes each of some element types in its own way."""
    by = {form.dtype: form for form in forms}
    table = next((form.table for form in forms if form.table is not None), None)
    rows = tuple(row for form in forms for row in only_for(form.dtype, *form.kernels))
    of_types = (only_of(form.dtype, rule) for form in forms for rule in form.rules)
    tolerance = by[DType.FLOAT32].tolerance if DType.FLOAT32 in by else EXACT
    return OpDef(
        op=op,
        dtypes=tuple(dtype for dtype in DType if dtype in by),
        parse=parse,
        rules=(known_types(forms), *of_types),
        reference=lambda op, values: (by[op.x.dtype].reference(op, values[0]),),
        kernels=rows,
        bounds=any_value if table is None else bounds_of_table(table),
        tolerance=tolerance,
    )


def reading(op: type[Named]) -> Callable[[Node], Named]:
    """The parser of an operator without attributes of its own."""
    return lambda node: parse_elementwise(node, op)
