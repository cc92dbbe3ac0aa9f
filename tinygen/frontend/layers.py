"""Operators as the file has them, and what can be wrong with them before they are parsed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinygen.errors import ModelError
from tinygen.frontend.tensors import INT4, SHORT_FLOAT, TensorInfo
from tinygen.frontend.unsigned import WEIGHTED
from tinygen.ir import DType, Graph, Op
from tinygen.ops.control import graphs_within

# The operators for which TFLite Micro unpacks weights of four bits, input 1.
INT4_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True, slots=True)
class Layer:
    """One operator of the file; ``op`` is None where tinygen does not know it, and for those that
    only name or initialize variables.

    ``inputs`` holds None where the file leaves an optional input out.
    """

    kind: str
    name: str
    inputs: tuple[TensorInfo | None, ...]
    outputs: tuple[TensorInfo, ...]
    op: Op | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that a sound file holds, compilable or not.

    ``problems`` names everything that keeps it from being compiled, each with a remedy; ``graph``
    is set where every operator could be read, even if some break a rule.
    """

    name: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    layers: tuple[Layer, ...]
    problems: tuple[str, ...]
    graph: Graph | None


def channels_in_all(graph: Graph) -> int:
    """The channels of all activations, for each of which the passes keep what it can hold.

    Those of graphs within operators count as well.
    """
    graphs = (graph, *graphs_within(graph))
    made = (t for inner in graphs for op in inner.ops for t in op.outputs)
    given = (t for inner in graphs for t in inner.sources)
    return sum(t.shape[-1] for t in (*given, *made) if t.shape)


def empty_among(
    infos: Iterable[TensorInfo | None], but: Sequence[TensorInfo | None] = ()
) -> TensorInfo | None:
    """A tensor of no elements, if one that could be read is among ``infos``."""
    return next((i for i in infos if i and i.tensor and 0 in i.shape and i not in but), None)


def misplaced(layer: Layer) -> str:
    """What is wrong with the int4 and float16 tensors of ``layer``: '' if nothing."""
    infos = [info for info in layer.inputs if info is not None]
    short = next((info for info in infos if info.type_name == SHORT_FLOAT), None)
    if short is not None and layer.kind != "DEQUANTIZE":
        return (
            f"tensor '{short.name}' {short} has elements of type float16. "
            "Only DEQUANTIZE reads them."
        )
    x = next(iter(layer.inputs), None)
    taken = layer.kind in INT4_WEIGHTS and x is not None and x.type_name == DType.INT8.value
    for index, info in enumerate((*layer.inputs, *layer.outputs)):
        if info is not None and info.type_name == INT4 and not (taken and index == 1):
            kinds = " and ".join(INT4_WEIGHTS)
            return (
                f"tensor '{info.name}' {info} is none of the weights of {kinds} on int8, which "
                "alone can be int4. Convert it with int8."
            )
    return ""


def mixed_weights(layer: Layer) -> str:
    """What is wrong with the weights of ``layer`` if they alone are uint8, else ''."""
    index = WEIGHTED.get(layer.kind, len(layer.inputs))
    weights = layer.inputs[index] if index < len(layer.inputs) else None
    others = [info for info in layer.inputs if info is not None and info is not weights]
    old = DType.UINT8.value
    if weights is None or weights.type_name != old or any(i.type_name == old for i in others):
        return ""
    return f"tensor '{weights.name}' {weights} are uint8 weights for other activations than uint8."


def only_litert(layer: Layer) -> bool:
    """Whether TFLite Micro, which takes most int4 weights, does not take those of ``layer``."""
    weights = [info for info in layer.inputs if info is not None and info.type_name == INT4]
    per_channel = any(info.quant is not None and info.quant.per_channel for info in weights)
    return layer.kind == "FULLY_CONNECTED" and per_channel


def first_assigned(layers: Iterable[Layer]) -> dict[TensorInfo, TensorInfo]:
    """What is first assigned to the variable of each handle."""
    found: dict[TensorInfo, TensorInfo] = {}
    for layer in layers:
        if layer.kind == "ASSIGN_VARIABLE" and len(layer.inputs) == 2:
            handle, value = layer.inputs
            if handle is not None and value is not None:
                found.setdefault(handle, value)
    return found


def check_order(
    inputs: tuple[TensorInfo, ...], outputs: tuple[TensorInfo, ...], layers: Sequence[Layer]
) -> None:
    """Check that each tensor is written once, before it is read. Raises ModelError."""
    writers = {info: layer for layer in layers for info in layer.outputs}
    written = set(inputs)

    def require(info: TensorInfo, reader: str) -> None:
        if info in written or info.is_constant or info.is_variable:
            return
        if info in writers:
            raise ModelError(
                f"{reader} reads tensor '{info.name}' before {where_of(writers[info])} writes it"
            )
        if info.tensor is not None:
            raise ModelError(f"{reader} reads tensor '{info.name}', which has no value")

    for layer in layers:
        for info in layer.inputs:
            if info is not None:
                require(info, where_of(layer))
        for info in layer.outputs:
            if info in written or info.is_constant:
                raise ModelError(
                    f"{where_of(layer)} writes tensor '{info.name}', which has a value already"
                )
            written.add(info)
    for info in outputs:
        require(info, "the model's output")


def where_of(layer: Layer) -> str:
    """How messages name an operator of the file."""
    return f"{layer.kind} '{layer.name}'"


def unknown_operator(kind: str, name: str) -> str:
    """What is wrong with an operator that is not in the table."""
    if kind.startswith("CUSTOM:"):
        return (
            f"{kind} '{name}': a custom operator is code that the model does not hold. "
            "Compute it in the application, before or after the model."
        )
    return (
        f"{kind} '{name}': tinygen does not know this operator. "
        "Express it with supported operators, or take it out of the model."
    )
