"""What the audio front end's operators share: TFLite Micro's custom operators named Signal....

LiteRT has none of them, so TFLite Micro's numbers hold under both names.
"""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.errors import ModelError
from tinygen.ir import DType, Op, Tensor
from tinygen.ops.base import Call, Node, describe

Fields = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class SignalOp(Op):
    """An operator that a file has by its name, with options of its own."""

    is_custom: ClassVar[bool] = True


def check(node: Node, inputs: tuple[DType, ...], outputs: tuple[DType, ...]) -> None:
    """Check number and types of inputs and outputs. Raises ModelError."""
    node.arity(len(inputs), len(outputs))
    for tensor, dtype in zip((*node.present, *node.outputs), (*inputs, *outputs), strict=True):
        if tensor.dtype is not dtype:
            raise ModelError(
                f"{node.kind} '{node.name}': {describe(tensor)} should be of {dtype.value}"
            )


def require(node: Node, fits: bool, what: str) -> None:
    """Raises ModelError that says ``what`` where something does not fit."""
    if not fits:
        shapes = ", ".join(str(t.shape) for t in (*node.present, *node.outputs))
        raise ModelError(f"{node.kind} '{node.name}': {what}; the shapes are {shapes}")


def kept(node: Node, name: str, shape: tuple[int, ...], dtype: DType) -> tuple[Tensor, Tensor]:
    """A state that no tensor of the file holds, before and after; its bytes begin as 0."""
    before = Tensor(f"{node.name}/{name}", shape, dtype)
    return before, Tensor(f"{before.name}/after", shape, dtype)


def one_call(
    op: Op, shape: Fields, params: Fields = (), scratch_bytes: int = 0
) -> tuple[Call, ...]:
    """A call on all inputs and outputs."""
    return (Call(shape, params or (("unused", 0),), op.inputs, op.outputs, scratch_bytes),)
