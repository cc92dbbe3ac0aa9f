"""Draws of operators with weights and state, with what graphs of many operators do not draw."""

from firmware_tests.conformance.bench import Bench
from firmware_tests.kernels.test_svdf import drawn
from firmware_tests.models.random_curves import plausible
from firmware_tests.models.scene import is_int8
from tinygen.ir import Tensor
from tinygen.ops.batch_matmul import BatchMatMul

SEEDS = 1 << 30


def batch_matmul(bench: Bench) -> Tensor:
    """Two tensors, either of them transposed, whose batches broadcast."""
    a = bench.pick(lambda t: is_int8(t) and 2 <= len(t.shape) <= 5)
    left, right = bench.chance(0.5), bench.chance(0.5)
    *batch, rows, depth = a.shape
    if left:
        rows, depth = depth, rows
    columns = bench.integer(1, 9)
    over = [n if bench.chance(0.7) else 1 for n in batch]
    over = over[bench.integer(0, len(over)) :] if bench.chance(0.3) else over
    b = bench.tensor((*over, *((columns, depth) if right else (depth, columns))))
    scale = plausible(a.scale * b.scale * depth**0.5 * bench.rng.uniform(20, 200))
    y = bench.tensor((*batch, rows, columns), scale)
    return bench.add(BatchMatMul(y.name, (a, b), (y,), left, right))


def svdf(bench: Bench) -> Tensor:
    seed = bench.integer(0, SEEDS)
    return bench.add(drawn(seed, bias=bench.chance(0.8)))


DRAWS = (batch_matmul, svdf)
