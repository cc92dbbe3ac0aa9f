"""The timing tables, one for each core, with their sources.

Three readings of each table give the band. ``low`` takes what the manual leaves open in the
program's favour, ``high`` against it; ``mid`` is the plain one. See docs/counting.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinygen.errors import BoardError
from tinygen.timing.instruction import Kind
from tinygen.timing.model import Model, Pairing


@dataclass(frozen=True, slots=True)
class CoreTiming:
    """A core's table in three readings.

    ``approximate`` tells that Arm publishes no cycle counts for this core.
    """

    core: str
    source: str
    approximate: bool
    low: Model
    mid: Model
    high: Model

    @property
    def models(self) -> tuple[Model, Model, Model]:
        """In the order of ``Cycles``."""
        return (self.low, self.mid, self.high)


# Multiple transfers cost 1 + N, N being added by the model; doubles are two transfers.
_TRANSFERS: Mapping[Kind, int] = {
    Kind.LOAD: 2,
    Kind.LOAD_BRANCH: 2,
    Kind.LOAD_DOUBLE: 3,
    Kind.STORE_DOUBLE: 3,
    Kind.FP_LOAD: 2,
    Kind.FP_STORE: 2,
    Kind.SYSTEM: 2,
    Kind.TABLE_BRANCH: 2,
}

# DDI 0432C, table 3-1. Loads and stores take 2 cycles and do not overlap. The multiplier is the
# single-cycle one; BL is 4 and POP with pc 4 + N where other taken branches are 3.
_M0 = Model(
    cycles={
        **_TRANSFERS,
        Kind.STORE: 2,
        Kind.STORE_INDEXED: 2,
        Kind.SYSTEM: 4,
    },
    refill=2,
    refills={Kind.CALL: 3, Kind.RETURN: 3},
)

# DDI 0484C, table 3-1: the two-stage pipeline refills one cycle faster.
_M0PLUS = replace(
    _M0,
    cycles={**_M0.cycles, Kind.SYSTEM: 3},
    refill=1,
    refills={Kind.CALL: 2, Kind.RETURN: 2},
)

# 100166_0001, section 3.3. A single load is 2 cycles, each further back-to-back one 1. A
# store is 1: the write buffer takes it. The refill P is 1 to 3, a division 2 to 12 cycles.
_M4 = Model(
    cycles={**_TRANSFERS, Kind.DIV: 6, Kind.FP_MLA: 3, Kind.FP_DIV: 14},
    refill=2,
    pipelined_loads=1,
)
_M4_LOW = replace(
    _M4, cycles={**_M4.cycles, Kind.LOAD: 1, Kind.DIV: 2, Kind.IT: 0}, refill=1, pipelined_loads=0
)
_M4_HIGH = replace(
    _M4,
    cycles={**_M4.cycles, Kind.STORE_INDEXED: 2, Kind.DIV: 12},
    refill=3,
    pipelined_loads=0,
    address_stall=1,
)

# DDI 0337I, section 3.3: as the M4, but for a 32 x 32 multiplier that takes early exits.
_M3 = replace(_M4, cycles={**_M4.cycles, Kind.MLA: 2, Kind.MUL_LONG: 4, Kind.MLA_LONG: 5})
_M3_LOW = replace(
    _M4_LOW, cycles={**_M4_LOW.cycles, Kind.MLA: 2, Kind.MUL_LONG: 3, Kind.MLA_LONG: 4}
)
_M3_HIGH = replace(
    _M4_HIGH, cycles={**_M4_HIGH.cycles, Kind.MLA: 2, Kind.MUL_LONG: 5, Kind.MLA_LONG: 7}
)

# Loads start every cycle and their result comes one later; two 16-bit instructions may start
# together, one of them a simple one.
_SIMPLE = frozenset({
    "add", "adds", "sub", "subs", "mov", "movs", "uxtb", "uxth", "sxtb", "sxth", "nop",
    "b", "beq", "bne", "bcs", "bcc", "bmi", "bpl", "bhi", "bls", "bge", "blt", "bgt", "ble",
})  # fmt: skip
_NARROW_PAIRS = Pairing(
    units=(frozenset({Kind.LOAD, Kind.STORE, Kind.STORE_INDEXED}),),
    alone=frozenset({Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.DIV, Kind.SYSTEM, Kind.RETURN}),
    narrow=True,
    partners=_SIMPLE,
)
_M33 = replace(_M4, cycles={**_M4.cycles, Kind.LOAD: 1}, pipelined_loads=0, load_use_stall=1)
_M33_LOW = replace(
    _M33,
    cycles={**_M33.cycles, Kind.DIV: 2, Kind.IT: 0, Kind.LOAD_DOUBLE: 2, Kind.STORE_DOUBLE: 2},
    refill=1,
    pairing=_NARROW_PAIRS,
)
_M33_HIGH = replace(
    _M4_HIGH, pipelined_loads=1, cycles={**_M4_HIGH.cycles, Kind.MUL_LONG: 2, Kind.MLA_LONG: 2}
)

# A vector instruction is four beats, two per cycle; neighbours in different pipes overlap. A gather
# reads its lanes one by one. The branch of a low-overhead loop is free once it is known.
_VECTOR: Mapping[Kind, int] = {
    Kind.VECTOR_LOAD: 2,
    Kind.VECTOR_STORE: 2,
    Kind.VECTOR_ALU: 2,
    Kind.VECTOR_MUL: 2,
    Kind.VECTOR_GATHER: 5,
}
_VECTOR_PIPES = (
    frozenset({Kind.VECTOR_LOAD, Kind.VECTOR_STORE, Kind.VECTOR_GATHER}),
    frozenset({Kind.VECTOR_ALU}),
    frozenset({Kind.VECTOR_MUL}),
)
_M55 = replace(
    _M33,
    cycles={**_M33.cycles, **_VECTOR, Kind.LOOP_END: 0, Kind.LOAD_DOUBLE: 2, Kind.STORE_DOUBLE: 2},
    refills={Kind.LOOP_END: 0},
    load_use_stall=1,
    product_use_stall=1,
    pairing=_NARROW_PAIRS,
    vector_pipes=_VECTOR_PIPES,
)
_M55_LOW = replace(
    _M55,
    cycles={**_M55.cycles, Kind.DIV: 2, Kind.IT: 0, Kind.VECTOR_GATHER: 4},
    refill=1,
    load_use_stall=0,
    product_use_stall=0,
)
_M55_HIGH = replace(
    _M55,
    cycles={**_M55.cycles, Kind.DIV: 12, Kind.LOOP_END: 1, Kind.VECTOR_GATHER: 8},
    refill=3,
    refills={Kind.LOOP_END: 1},
    address_stall=1,
    pairing=None,
    vector_pipes=(),
)

# Two issue slots, two loads, one store, one multiplier, one shifter and one branch per cycle. Taken
# branches that the predictor knows are nearly free; the mid reading has some mispredicted.
_M7_PAIRS = Pairing(
    units=(
        frozenset({Kind.STORE, Kind.STORE_INDEXED}),
        frozenset({Kind.MUL, Kind.MLA, Kind.MUL_LONG, Kind.MLA_LONG}),
        frozenset({Kind.DSP}),
        frozenset({Kind.SHIFTED}),
        frozenset({Kind.FP, Kind.FP_MLA, Kind.FP_DIV}),
    ),
    alone=frozenset({
        Kind.LOAD_DOUBLE, Kind.STORE_DOUBLE, Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.RETURN,
        Kind.TABLE_BRANCH, Kind.DIV, Kind.SYSTEM,
    }),
)  # fmt: skip
_M7 = Model(
    cycles={
        Kind.LOAD_DOUBLE: 2,
        Kind.STORE_DOUBLE: 2,
        Kind.DIV: 7,
        Kind.FP_MLA: 1,
        Kind.FP_DIV: 16,
        Kind.SYSTEM: 3,
        Kind.TABLE_BRANCH: 2,
        Kind.LOAD_BRANCH: 2,
    },
    refill=1,
    load_use_stall=1,
    product_use_stall=1,
    pairing=_M7_PAIRS,
)
_M7_LOW = replace(_M7, refill=0, load_use_stall=0, product_use_stall=0)
_M7_HIGH = replace(_M7, refill=3, address_stall=1, pairing=None)

_TABLES = (
    CoreTiming(
        "cortex-m0",
        "Cortex-M0 Technical Reference Manual (Arm DDI 0432C), table 3-1, single-cycle multiplier",
        False, _M0, _M0, _M0,
    ),
    CoreTiming(
        "cortex-m0plus",
        "Cortex-M0+ Technical Reference Manual (Arm DDI 0484C), table 3-1, single-cycle multiplier",
        False, _M0PLUS, _M0PLUS, _M0PLUS,
    ),
    CoreTiming(
        "cortex-m3",
        "Cortex-M3 Technical Reference Manual (Arm DDI 0337I), section 3.3",
        False, _M3_LOW, _M3, _M3_HIGH,
    ),
    CoreTiming(
        "cortex-m4",
        "Cortex-M4 Technical Reference Manual (Arm 100166_0001), section 3.3",
        False, _M4_LOW, _M4, _M4_HIGH,
    ),
    CoreTiming(
        "cortex-m7",
        "approximation after LLVM's scheduling model (ARMScheduleM7.td) and "
        "quinapalus.com/cm7cycles.html; Arm publishes no table",
        True, _M7_LOW, _M7, _M7_HIGH,
    ),
    CoreTiming(
        "cortex-m33",
        "approximation: the Cortex-M4's table, as LLVM schedules it, with pipelined loads; "
        "Arm publishes no table",
        True, _M33_LOW, _M33, _M33_HIGH,
    ),
    CoreTiming(
        "cortex-m55",
        "approximation after LLVM's scheduling model (ARMScheduleM55.td)",
        True, _M55_LOW, _M55, _M55_HIGH,
    ),
)  # fmt: skip

CORES: Mapping[str, CoreTiming] = {t.core: t for t in _TABLES}


def core_timing(core: str) -> CoreTiming:
    """The table of ``core``, a name as GCC's -mcpu takes it; what follows a plus is ignored."""
    name = core.lower().split("+")[0]
    if name not in CORES:
        raise BoardError(
            f"no timing table for the core {core!r}", f"there is one for {', '.join(CORES)}"
        )
    return CORES[name]
