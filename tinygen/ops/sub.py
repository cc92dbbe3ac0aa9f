"""SUB: elementwise difference with broadcasting, int8, int16, or values without a scale."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.base import Node
from tinygen.ops.binary import Binary
from tinygen.ops.binary_sum_kernels import definition_of_sum, parse_sum


@dataclass(frozen=True, slots=True, eq=False)
class Sub(Binary):
    """y = act(a - b).

    Source: TFLite's reference_ops ``SubElementwise``.
    """

    kind: ClassVar[str] = "SUB"


def parse(node: Node) -> Sub:
    """Read the node. Raises as ``parse_sum``."""
    import tflite

    return parse_sum(node, Sub, tflite.SubOptions)


SUB = definition_of_sum(Sub, parse, -1, "sub", np.subtract)
