"""EXPAND_DIMS: the input with one more axis, of size one."""

from dataclasses import dataclass
from typing import ClassVar

from tinygen.ir import Op
from tinygen.ops.view import view_of


@dataclass(frozen=True, slots=True, eq=False)
class ExpandDims(Op):
    """y = the elements of x in y.shape, which has an axis of size one more."""

    kind: ClassVar[str] = "EXPAND_DIMS"


EXPAND_DIMS = view_of(ExpandDims)
