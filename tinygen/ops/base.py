"""What an operator is made of: one ``OpDef`` in one file holds everything about it.

The data flow: ``parse`` reads the node of the file, ``rules`` decide whether it is supported,
``reference`` computes it in numpy (the oracle), and ``kernels`` are the rows from which
``tinygen.select`` takes the first that fits the target; its ``lower`` gives the C calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from tinygen.errors import ModelError, UnsupportedError
from tinygen.interval import Interval
from tinygen.ir import Activation, Array, DType, Graph, Numerics, Op, QuantParams, Tensor
from tinygen.isa import Isa
from tinygen.ops.tolerance import EXACT, Tolerance
from tinygen.quant import dtype_range

O = TypeVar("O", bound=Op)  # noqa: E741 - O is an operator throughout
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """One operator as the file has it, for an ``OpDef``'s ``parse``.

    ``inputs`` holds None where the file leaves an optional input out. ``known`` holds the values of
    small tensors that earlier operators make of constants and shapes, ``intermediates`` how results
    within the operator are quantized, ``custom`` the options of a custom operator. ``subgraph``
    reads another subgraph of the file by its index; it raises ModelError where there is none.
    ``unsigned`` says that int8 tensors stand for uint8 ones, whose reference kernels are others
    (``frontend/unsigned.py``).
    """

    kind: str
    name: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    numerics: Numerics
    options_type: int
    options_table: Any  # flatbuffers.table.Table, or None
    known: Mapping[Tensor, Array] = field(default_factory=dict)
    intermediates: tuple[QuantParams | None, ...] = ()
    custom: Mapping[str, int | float] = field(default_factory=dict)
    subgraph: Callable[[int], Graph] = field(default_factory=lambda: no_subgraph)
    unsigned: bool = False

    @property
    def present(self) -> tuple[Tensor, ...]:
        """The inputs that the file gives."""
        return tuple(t for t in self.inputs if t is not None)

    def options(self, reader: type[T]) -> T:
        """The operator's builtin options, read with the tflite package's class ``reader``.

        Options that the file leaves out have the schema's defaults.
        Raises ModelError if the file holds options of another operator.
        """
        import flatbuffers
        import tflite

        name = reader.__name__
        if self.options_table is None:
            table = flatbuffers.table.Table(bytearray(_EMPTY_TABLE), 4)
        elif self.options_type != getattr(tflite.BuiltinOptions, name):
            raise ModelError(f"{self.kind} '{self.name}' carries the options of another operator")
        else:
            table = self.options_table
        options: Any = reader()
        options.Init(table.Bytes, table.Pos)
        return options  # type: ignore[no-any-return]

    def number(self, name: str, least: int = 0, most: int = 2**31 - 1) -> int:
        """The whole number that a custom operator's options give by ``name``.

        Raises ModelError where there is none, or it is not between ``least`` and ``most``.
        """
        value = self.custom.get(name)
        if not isinstance(value, int) or not least <= value <= most:
            found = "is missing" if value is None else f"is {value}"
            raise ModelError(
                f"{self.kind} '{self.name}': its option '{name}' {found}; it should be a whole "
                f"number from {least} to {most}"
            )
        return value

    def activation(self, code: int) -> Activation:
        """The fused activation of TFLite code ``code``.

        Raises ModelError for a code that the schema does not have.
        """
        if not 0 <= code < len(Activation):
            raise ModelError(f"{self.kind} '{self.name}' has an unknown fused activation ({code})")
        return list(Activation)[code]

    def arity(self, inputs: range | int, outputs: int = 1) -> None:
        """Check the number of inputs and outputs; only inputs past the fewest may be left out.

        Raises ModelError.
        """
        wanted = inputs if isinstance(inputs, range) else range(inputs, inputs + 1)
        if len(self.inputs) not in wanted or len(self.outputs) != outputs:
            raise ModelError(
                f"{self.kind} '{self.name}' has {len(self.inputs)} inputs and "
                f"{len(self.outputs)} outputs; the schema asks for "
                f"{wanted.start} to {wanted.stop - 1}, and {outputs}"
            )
        if None in self.inputs[: wanted.start]:
            raise ModelError(f"{self.kind} '{self.name}' leaves out an input that it needs")

    def integers(self, index: int, what: str) -> Array:
        """The int32 or int64 values of input ``index``, which steers the operator.

        Raises UnsupportedError where they are not known when compiling, ModelError for other types.
        """
        tensor = self.inputs[index]
        where = f"{self.kind} '{self.name}'"
        if tensor is None or tensor.dtype not in (DType.INT32, DType.INT64):
            raise ModelError(f"{where}: the {what} are not integers")
        if tensor.is_constant:
            return tensor.values
        if tensor not in self.known:
            raise UnsupportedError(
                f"{where}: the {what} are computed by the model, in {describe(tensor)}.",
                f"Give the {what} as a constant.",
            )
        return self.known[tensor]

    def integer(self, index: int, what: str) -> int:
        """The one value of input ``index``, which steers the operator. Raises as ``integers``."""
        values = self.integers(index, what)
        if values.size != 1:
            raise ModelError(f"{self.kind} '{self.name}': the {what} is not one integer")
        return int(values.reshape(()))

    def integer_list(self, index: int, what: str, length: int) -> tuple[int, ...]:
        """The ``length`` values of input ``index``, which steers the operator.

        Raises as ``integers``.
        """
        values = self.integers(index, what)
        if values.shape != (length,):
            raise ModelError(
                f"{self.kind} '{self.name}': the {what} have shape {values.shape}; "
                f"there should be {length}"
            )
        return tuple(values.tolist())

    def axis(self, axis: int, rank: int) -> int:
        """``axis`` of a tensor with ``rank`` axes, counted from the front. Raises ModelError."""
        if not -rank <= axis < rank:
            raise ModelError(f"{self.kind} '{self.name}': there is no axis {axis} among {rank}")
        return axis % rank

    def makes(self, *shapes: tuple[int, ...]) -> None:
        """Check that the outputs have ``shapes``. Raises ModelError."""
        found = tuple(tensor.shape for tensor in self.outputs)
        if found != shapes:
            wanted, got = (", ".join(map(str, some)) for some in (shapes, found))
            raise ModelError(f"{self.kind} '{self.name}' makes {wanted}; its output is {got}")


def no_subgraph(index: int) -> Graph:
    """The subgraphs of a node without a file. Raises ModelError."""
    raise ModelError(f"there is no subgraph {index}")


# A flatbuffer table without fields: a vtable of 4 bytes (size 4, table size 4), then its table.
_EMPTY_TABLE = bytes((4, 0, 4, 0, 4, 0, 0, 0))


BoundsOf = Callable[[Tensor], Interval]
Value = int | float | Array
Rule = Callable[[O], str]
"""'' where the rule holds, else what was found. The docstring's first line is the rule as a user
reads it; the rest says what to do about it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a kernel: what is known when compiling, what is handed over at run time.

    ``shape`` and ``params`` fill the fields of the C structs ``<types>_shape`` and
    ``<types>_params``. Shapes are constants of the function's instance, so two layers of one
    geometry share its code; params (weights, multipliers, zero points) are the layer's own.
    An array in ``params`` becomes a constant in ``.rodata``.
    """

    shape: tuple[tuple[str, int], ...]
    params: tuple[tuple[str, Value], ...]
    operands: tuple[Tensor, ...]
    results: tuple[Tensor, ...]
    scratch_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Kernel(Generic[O]):
    """One row of the selection table: a C function and when it may be used.

    ``function`` is in ``tinygen/kernels/<header>`` and is called with (shape, params, operands...,
    results..., scratch if ``scratch``). ``types`` is the prefix of its structs' names.
    ``in_place`` rows read each element of operand 0 no later than they write it to result 0.
    ``compresses`` rows save flash at the cost of speed, in weights of less than a byte each: for
    --optimize size they come first, else last. ``packs`` rows spend flash on speed, in weights of
    more than a byte each or in code for each geometry, or RAM on packed activations: they are for
    --optimize speed, and need their shape's fields to be constants. The packed weights of ``bulky``
    rows take several times the room of the model's.

    An unrolled inner loop is for flash without wait states or a cache that holds it, so a row that
    unrolls has a second one after it: the same function, ``short``, with fewer steps written out.
    It fits where it is shorter. ``loop_bytes`` is what the code of the inner loop takes at most,
    0 where it is left to the compiler. ``lean`` rows are the same function once more, with less
    scratch. ``label`` names a row apart from all others of its operator.

    Rows that more scratch makes faster have ``lower_within``, which takes at most so many bytes of
    it; ``lower`` takes little.
    """

    function: str
    header: str
    types: str
    lower: Callable[[O], tuple[Call, ...]]
    needs: Isa = Isa.ANY
    fits: Callable[[O], bool] = lambda op: True
    scratch: bool = False
    in_place: bool = False
    packs: bool = False
    compresses: bool = False
    bulky: bool = False
    short: bool = False
    lean: bool = False
    loop_bytes: int = 0
    lower_within: Callable[[O, int], tuple[Call, ...]] | None = None

    @property
    def label(self) -> str:
        """The function, and which form of it where there are two."""
        return self.function + "/short" * self.short + "/lean" * self.lean


def with_short_form(
    row: Kernel[O],
    lower: Callable[[O], tuple[Call, ...]],
    is_long: Callable[[O], bool],
    loop_bytes: int,
) -> tuple[Kernel[O], Kernel[O]]:
    """``row``, which unrolls, and its short form for the operators that ``is_long`` of."""
    return row, replace(
        row,
        lower=lower,
        fits=lambda op: is_long(op) and row.fits(op),
        short=True,
        loop_bytes=loop_bytes,
    )


def channels_of(tensor: Tensor) -> int:
    """The size of the last axis; 1 for a scalar."""
    return tensor.shape[-1] if tensor.shape else 1


def any_value(op: Op, bounds_of: BoundsOf) -> Interval:
    """Bounds that always hold: the range of the output's 8-bit type."""
    del bounds_of
    return Interval.uniform(*dtype_range(op.y.dtype), channels_of(op.y))


def noted_bounds(tensor: Tensor) -> Interval:
    """What the pass ``note_bounds`` has found that an 8-bit tensor can hold, for kernels."""
    whole = Interval.uniform(*dtype_range(tensor.dtype), channels_of(tensor))
    return tensor.bounds or whole


@dataclass(frozen=True, slots=True)
class OpDef(Generic[O]):
    """Everything about one operator. ``kernels``: best first; the last takes all that passed the
    rules. An empty table marks a view: the output is the input's bytes, and no code is made.

    ``dtypes`` are the element types that it takes: of its ``subject``, which is the first input, or
    the value where that steers.

    ``bounds`` tells what the first output can hold if that has 8 bits, given the bounds of 8-bit
    inputs; it is asked only if the output and all activations are of 8 bits. ``shape_only`` says
    that the result follows from the inputs' shapes; ``reference`` then looks at no value.
    ``tolerance`` is what a float32 result may lie off; every other type is exact.
    """

    op: type[O]
    parse: Callable[[Node], O]
    rules: tuple[Rule[O], ...]
    reference: Callable[[O, tuple[Array, ...]], tuple[Array, ...]]
    kernels: tuple[Kernel[O], ...]
    macs: Callable[[O], int] = lambda op: 0
    bounds: Callable[[O, BoundsOf], Interval] = any_value
    shape_only: bool = False
    tolerance: Tolerance = EXACT
    dtypes: tuple[DType, ...] = ()
    subject: Callable[[O], Tensor] = lambda op: op.inputs[0] if op.inputs else op.outputs[0]

    @property
    def is_view(self) -> bool:
        """Whether the output shares the input's bytes."""
        return not self.kernels

    def violations(self, op: O) -> list[str]:
        """The first broken rule of ``op`` as a message with its remedy; a rule may rely on those
        before it."""
        for rule in self.rules:
            if detail := rule(op):
                first, _, remedy = (rule.__doc__ or rule.__name__).partition("\n")
                line = f"{op.kind} '{op.name}': {first.strip()} Found: {detail}."
                if remedy := " ".join(remedy.split()):
                    line += f" {remedy}"
                return [line]
        return []


def same_type(op: Op) -> str:
    """Input and output have one type.

    Convert the model anew.
    """
    wrong = (y for y in op.outputs if y.dtype is not op.x.dtype)
    return next((f"{describe(op.x)} to {describe(y)}" for y in wrong), "")


def describe(tensor: Tensor) -> str:
    """How an error message names a tensor."""
    return f"tensor '{tensor.name}' {tensor}"


def is_integer(tensor: Tensor) -> bool:
    """Whether it is int8 with one scale and zero point, or int16 with one scale, zero point 0."""
    if tensor.quant is None or tensor.quant.per_channel:
        return False
    symmetric = tensor.dtype is DType.INT16 and tensor.zero_point == 0
    return tensor.dtype is DType.INT8 or symmetric


def only_for(dtype: DType, *rows: Kernel[O]) -> tuple[Kernel[O], ...]:
    """``rows``, which fit operators on ``dtype`` only."""

    def restricted(fits: Callable[[O], bool]) -> Callable[[O], bool]:
        return lambda op: op.x.dtype is dtype and fits(op)

    return tuple(replace(row, fits=restricted(row.fits)) for row in rows)


def integer_per_tensor(op: Op) -> str:
    """Activations are int8 with one scale and zero point, or int16 with one scale, zero point 0.

    Convert the model with full integer post-training quantization (int8, or 16x8).
    """
    tensors = (*op.activations, *op.outputs)
    wrong = (t for t in tensors if not is_integer(t) or t.dtype is not op.y.dtype)
    return next((describe(t) for t in wrong), "")


def int8_per_tensor(op: Op) -> str:
    """Activations are int8 with one scale and zero point.

    Convert the model with full integer post-training quantization (int8).
    """
    for tensor in (*op.activations, *op.outputs):
        if tensor.dtype is not DType.INT8 or tensor.quant is None or tensor.quant.per_channel:
            return describe(tensor)
    return ""
