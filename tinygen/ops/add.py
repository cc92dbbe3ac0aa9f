"""ADD: elementwise sum with broadcasting, int8, int16, or values without a scale."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinygen.ops.base import Node
from tinygen.ops.binary import Binary
from tinygen.ops.binary_sum_kernels import definition_of_sum, parse_sum


@dataclass(frozen=True, slots=True, eq=False)
class Add(Binary):
    """y = act(a + b).

    Source: TFLite's reference_integer_ops ``AddFunc``.
    """

    kind: ClassVar[str] = "ADD"


def parse(node: Node) -> Add:
    """Read the node. Raises as ``parse_sum``."""
    import tflite

    return parse_sum(node, Add, tflite.AddOptions)


ADD = definition_of_sum(Add, parse, 1, "add", np.add)
