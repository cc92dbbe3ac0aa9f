"""--optimize size on the Cortex-M4: MLPerf Tiny's models in little flash, faster than published.

The cycles are those of ``shared/baselines.json``'s best published entries on the NUCLEO-L4R5ZI.
"""

import pytest

from firmware_tests.golden.corpus import Entry, compiled_models
from tinygen.board.file import load_board
from tinygen.compile import Options, compile_model
from tinygen.firmware.target import choose_target
from tinygen.frugal import FEW_BYTES, PARTS
from tinygen.isa import Isa
from tinygen.ops import definition_of
from tinygen.ops.convolution import WeightedOp
from tinygen.optimize import Optimize
from tinygen.validate import validate

pytestmark = pytest.mark.corpus

BOARD = "mps2-an386"
CODE_BYTES = 12_000  # beside the weights: the kernels, all layers, protocol, start-up, library
MOST_CYCLES = {
    "mlperf_ic_resnet8_int8": 19_800_000,
    "mlperf_vww_mbv1_96_int8": 10_700_000,
    "mlperf_kws_dscnn_int8": 5_200_000,
    "mlperf_ad_ae_int8": 486_000,
}
CHANNEL_BYTES = 20  # where the sum starts, and at most four words of requantization
MODELS = [entry for entry in compiled_models() if entry.id in MOST_CYCLES]


@pytest.mark.emulated
@pytest.mark.parametrize("entry", MODELS, ids=lambda e: e.id)
def test_size_beats_the_best_published_cycles_with_little_code(entry: Entry) -> None:
    report = validate(
        entry.model,
        choose_target(load_board(BOARD)),
        Options(optimize=Optimize.SIZE),
        vectors=entry.golden,
        count=0,
        seed=0,
        directory=None,
    )
    assert report.passed, report.verdict()
    assert report.estimated_cycles is not None
    assert report.estimated_cycles.mid <= MOST_CYCLES[entry.id]
    assert report.flash_bytes["code"] <= CODE_BYTES


@pytest.mark.parametrize("entry", MODELS, ids=lambda e: e.id)
def test_size_keeps_a_byte_for_each_weight_and_the_arena_near_its_bound(entry: Entry) -> None:
    options = Options(optimize=Optimize.SIZE)
    program = compile_model(entry.model.read_bytes(), entry.id, BOARD, Isa.DSP, options)
    for step in program.steps:
        op = step.op
        if isinstance(op, WeightedOp) and not definition_of(op).is_view:
            channels = op.y.shape[-1]
            padded = op.weights.elements + 3 * channels  # each channel's to whole words
            nbytes = sum(getattr(v, "nbytes", 0) for call in step.calls for _, v in call.params)
            assert nbytes <= padded + CHANNEL_BYTES * channels, op.name
    bound = program.memory.live_bound_bytes
    assert program.memory.arena_bytes <= bound + max(bound // PARTS, FEW_BYTES)
