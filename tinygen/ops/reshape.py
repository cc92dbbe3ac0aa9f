"""RESHAPE: another shape for the same elements."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ir import Op
from tinygen.ops.view import view_of


@dataclass(frozen=True, slots=True, eq=False)
class Reshape(Op):
    """y = the elements of x in y.shape."""

    kind: ClassVar[str] = "RESHAPE"


RESHAPE = view_of(Reshape)
