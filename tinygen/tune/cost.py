"""What each kernel row costs: estimated cycles and bytes of code, from one table of constants.

A row is taken to need

    per_mac * MACs + per_output * elements of the output + per_weight * weights
    + per_input * elements of the first input

cycles. The constants are fitted, by relative error, to the estimated cycles (docs/counting.md) that
the layers of the four MLPerf Tiny models take with each row that fits them, on the emulated
Cortex-M4 with one function per geometry. That is a small sample of shapes: most layers of it are
met within 15%, the smallest and those with few channels within 50%. Rows for other cores are fitted
there, and scaled by what rows take that run on both. Maxima are fitted to pools of 2x2. The figures
serve to rank rows of one operator and to tell which saving is worth its bytes, on all cores alike;
they are no prediction of a layer's time. `tinygen tune` measures instead.

A row that is not in the table keeps its place among the rows of its operator, which are listed best
first: it is taken to be a tenth cheaper than the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinygen.ir import Op
from tinygen.ops import definition_of
from tinygen.ops.base import Kernel


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles per multiply-accumulate, per element of the output, per weight, and per element of the
    first input; ``code`` is about what one function of the row takes, in bytes."""

    per_mac: float
    per_output: float
    per_weight: float = 0.0
    code: int = 700
    per_input: float = 0.0


COSTS: dict[str, Cost] = {
    "tg_conv2d_s8_mve": Cost(0.16, 7.6, 0.9),
    "tg_matmul_s8_mve": Cost(0.14, 8.1),
    "tg_depthwise_s8_mve": Cost(1.60, 0.0, 8.5),
    "tg_conv2d_winograd_s8_dsp": Cost(0.46, 41.0, code=4100),
    "tg_conv2d_winograd_s8_dsp/short": Cost(0.49, 42.5, code=2900),
    "tg_conv2d_block_s8_dsp": Cost(1.05, 6.4, 0.8, code=1750),
    "tg_conv2d_block_s8_dsp/short": Cost(1.10, 8.5, 0.8, code=1200),
    "tg_matmul_twist_s8_dsp": Cost(1.35, 12.7, code=1050),
    "tg_matmul_twist_s8_dsp/short": Cost(1.36, 17.5, code=740),
    "tg_depthwise_planar_s8_dsp": Cost(2.08, 0.0, 13.3, code=1100),
    "tg_depthwise_planar_s8_dsp/short": Cost(2.22, 0.0, 13.3, code=1050),
    "tg_conv2d_compact_s8_dsp": Cost(1.10, 16.2, 2.0, code=1100),
    "tg_matmul_compact_s8_dsp": Cost(1.43, 16.6, code=720),
    "tg_depthwise_compact_s8_dsp": Cost(4.04, 0.0, 25.0, code=700),
    "tg_conv2d_trio_s8": Cost(1.75, 23.0, 5.0, code=2200),
    "tg_matmul_trio_s8": Cost(1.98, 31.0, code=630),
    "tg_matmul_s8_dsp": Cost(1.55, 23.7, 0.3, code=550),
    "tg_matmul_s8": Cost(2.78, 22.6, 1.1, code=600),
    "tg_conv2d_patches_s8_dsp": Cost(1.68, 20.9, code=750),
    "tg_conv2d_s8_dsp": Cost(1.70, 21.7, 2.9, code=700),
    "tg_conv2d_patches_s8": Cost(2.88, 22.7, code=800),
    "tg_conv2d_s8": Cost(3.21, 24.0, code=950),
    "tg_depthwise_slide_s8": Cost(5.10, 0.0, 11.0),
    "tg_depthwise_slide_split_s8": Cost(5.50, 0.0, 11.4),
    "tg_depthwise_conv2d_s8_dsp": Cost(5.87, 0.0, 12.5, code=1350),
    "tg_depthwise_conv2d_s8": Cost(8.18, 0.0, 41.3, code=600),
    "tg_fully_connected_s8": Cost(3.70, 90.9, code=500),
    "tg_conv2d_s4": Cost(4.0, 40.0, code=1000),
    "tg_depthwise_conv2d_s4": Cost(14.0, 50.0, code=500),
    "tg_conv2d_offset_s8_dsp": Cost(1.9, 30.0, code=1000),
    "tg_conv2d_offset_s8": Cost(3.2, 30.0, code=1000),
    "tg_add_linear_s8_dsp": Cost(0.0, 7.0, code=240),
    "tg_add_linear_s8": Cost(0.0, 9.8, code=150),
    "tg_add_table_s8": Cost(0.0, 18.0, code=90),
    "tg_average_pool2d_s8_dsp": Cost(0.0, 0.0, code=820, per_input=1.4),
    "tg_average_pool2d_s8": Cost(0.0, 0.0, code=250, per_input=4.1),
    "tg_max_pool2d_s8_dsp": Cost(0.0, 0.0, code=370, per_input=1.3),
    "tg_max_pool2d_s8": Cost(0.0, 0.0, code=250, per_input=7.0),
}
# The rows for any geometry, where every group is one channel.
DEPTHWISE: dict[str, Cost] = {
    "tg_conv2d_patches_s8_dsp": Cost(26.1, 0.0, code=750),
    "tg_conv2d_s8_dsp": Cost(15.1, 0.0, 91.4, code=700),
    "tg_conv2d_patches_s8": Cost(29.2, 0.0, code=800),
    "tg_conv2d_s8": Cost(15.6, 0.0, 99.0, code=950),
    "tg_conv2d_offset_s8_dsp": Cost(30.0, 0.0, code=1000),
    "tg_conv2d_offset_s8": Cost(32.0, 0.0, code=1000),
}
# The last of a table that is not known: it takes whatever came this far.
_LAST = Cost(6.0, 30.0)
_STEP = 0.9


def cost_of(op: Op, row: Kernel[Any]) -> Cost | None:
    """The constants of ``row`` for ``op``; None where nothing was measured."""
    table = DEPTHWISE if op.kind == "DEPTHWISE_CONV_2D" else {}
    return table.get(row.label) or COSTS.get(row.label)


def estimated_cycles(op: Op, rows: Sequence[Kernel[Any]]) -> tuple[int, ...]:
    """What each of ``rows``, which fit ``op`` and are listed best first, is taken to need."""
    cycles: list[float] = []
    for row in reversed(rows):
        cost = cost_of(op, row)
        if cost is not None:
            cycles.append(_cycles(op, cost))
        else:
            cycles.append(_STEP * cycles[-1] if cycles else _cycles(op, _LAST))
    return tuple(round(c) for c in reversed(cycles))


def code_bytes(op: Op, row: Kernel[Any]) -> int:
    """About what one function of ``row`` takes."""
    return (cost_of(op, row) or _LAST).code


def _cycles(op: Op, cost: Cost) -> float:
    weights = sum(t.elements for t in op.inputs if t.is_constant and len(t.shape) > 1)
    macs = definition_of(op).macs(op)
    most = cost.per_mac * macs + cost.per_output * op.y.elements + cost.per_weight * weights
    return most + (cost.per_input * op.x.elements if cost.per_input else 0.0)
