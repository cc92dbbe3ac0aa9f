"""SUB: elementwise difference with broadcasting, int8."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ops.base import Node
from tinygen.ops.binary import Binary, parse_binary
from tinygen.ops.binary_sum_kernels import definition_of_sum


@dataclass(frozen=True, slots=True, eq=False)
class Sub(Binary):
    """y = act(a - b).

    Source: TFLite's reference_ops ``SubElementwise``.
    """

    kind: ClassVar[str] = "SUB"


def parse(node: Node) -> Sub:
    """Read the node. Raises ModelError where the shapes do not broadcast."""
    import tflite

    return parse_binary(node, Sub, tflite.SubOptions)


SUB = definition_of_sum(Sub, parse, sign=-1)
