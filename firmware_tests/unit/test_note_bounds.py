"""note_bounds: tensors carry what the analysis found, and nothing else changes."""

from firmware_tests.unit.rewriting import assert_untouched, graph, image, like, rewritten
from tinygen.ops.base import noted_bounds
from tinygen.ops.relu import Relu, Relu6
from tinygen.passes.note_bounds import note_bounds

X = image(2, 3, zero_point=0, name="x")


def test_bounds_are_on_the_tensor_afterwards() -> None:
    relu, six = Relu("relu", (X,), (like(X),)), Relu6("six", (X,), (like(X, name="y"),))
    before = graph((X,), (relu, six), (six.y, relu.y))
    after = rewritten(before, note_bounds)
    assert str(after) == str(before)
    assert [noted_bounds(t).high.tolist() for t in after.outputs] == [[120] * 3, [127] * 3]
    assert noted_bounds(after.inputs[0]).low.tolist() == [-128] * 3
    assert note_bounds(after) is after


def test_what_can_be_anything_says_nothing() -> None:
    x = image(2, 3, zero_point=-128)
    relu = Relu("relu", (x,), (like(x),))
    assert_untouched(graph((x,), (relu,), (relu.y,)), note_bounds)
