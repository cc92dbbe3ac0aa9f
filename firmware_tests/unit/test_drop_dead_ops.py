"""drop_dead_ops: only what leads to an output stays."""

from firmware_tests.unit.rewriting import add, assert_untouched, graph, image, like, rewritten
from tinygen.passes.drop_dead_ops import drop_dead_ops

X = image(4, name="x")
UNUSED = image(4, name="unused")


def test_operators_without_a_reader_go_and_so_do_those_before_them() -> None:
    a, b, c, y = (like(X, name=name) for name in "abcy")
    before = graph((X, UNUSED), (add(X, X, a), add(X, UNUSED, b), add(b, b, c), add(a, a, y)), (y,))
    assert str(rewritten(before, drop_dead_ops)).splitlines() == [
        "%0 = input int8[4] s=0.05 z=-128",
        "%1 = input int8[4] s=0.05 z=-128",
        "%2 = add(%0, %0) activation=none  int8[4] s=0.05 z=-128",
        "%3 = add(%2, %2) activation=none  int8[4] s=0.05 z=-128",
        "return %3",
    ]


def test_everything_that_leads_to_an_output_stays() -> None:
    a, y = like(X), like(X)
    assert_untouched(graph((X,), (add(X, X, a), add(a, X, y)), (y, a)), drop_dead_ops)
