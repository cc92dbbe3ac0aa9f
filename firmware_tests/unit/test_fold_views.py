"""fold_views: a view of a view shows the first operand."""

from firmware_tests.unit.rewriting import add, assert_untouched, graph, image, like, rewritten
from tinygen.ops.expand_dims import ExpandDims
from tinygen.ops.reshape import Reshape
from tinygen.ops.squeeze import Squeeze
from tinygen.passes.fold_views import fold_views

X = image(2, 3, 1, name="x")
A, B, C = like(X, 6), like(X, 2, 3), like(X, 2, 3, 1, 1)


def test_a_chain_of_views_reads_its_first_operand() -> None:
    ops = (
        Reshape("a", (X,), (A,)),
        Squeeze("b", (A,), (B,)),
        ExpandDims("c", (B,), (C,)),
    )
    before = graph((X,), ops, (C, A))
    assert str(before).splitlines() == [
        "%0 = input int8[2,3,1] s=0.05 z=-128",
        "%1 = reshape(%0)  int8[6] s=0.05 z=-128",
        "%2 = squeeze(%1)  int8[2,3] s=0.05 z=-128",
        "%3 = expand_dims(%2)  int8[2,3,1,1] s=0.05 z=-128",
        "return %3, %1",
    ]
    assert str(rewritten(before, fold_views)).splitlines() == [
        "%0 = input int8[2,3,1] s=0.05 z=-128",
        "%1 = reshape(%0)  int8[6] s=0.05 z=-128",
        "%2 = reshape(%0)  int8[2,3] s=0.05 z=-128",
        "%3 = reshape(%0)  int8[2,3,1,1] s=0.05 z=-128",
        "return %3, %1",
    ]


def test_single_views_stay() -> None:
    total = like(B)
    ops = (Squeeze("b", (X,), (B,)), add(B, B, total), ExpandDims("c", (total,), (C,)))
    assert_untouched(graph((X,), ops, (C,)), fold_views)
