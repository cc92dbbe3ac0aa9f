"""Timing tables on sequences whose cycles are computed by hand from the manuals."""

import pytest

from tinygen.errors import BoardError, ToolError
from tinygen.timing import (
    CORES,
    Block,
    CoreTiming,
    Instruction,
    Kind,
    Price,
    core_timing,
    estimate,
    parse_disassembly,
    price,
)
from tinygen.timing.decode import decode

DISASSEMBLY = """
demo.elf:     file format elf32-littlearm

Disassembly of section .text:

00000400 <demo_invoke>:
     400:\tb538      \tpush\t{r3, r4, r5, lr}
     402:\tf8d2 3d88 \tldr.w\tr3, [r2, #3464]\t@ 0xd88
     406:\tf7ff fffb \tbl\t400 <demo_invoke>
     40a:\tbd38      \tpop\t{r3, r4, r5, pc}
     40c:\te000e000 \t.word\t0xe000e000
"""


def code(text: str) -> list[Instruction]:
    """Instructions of one per line, ``size mnemonic operands``."""
    found, address = [], 0
    for line in text.strip().splitlines():
        size, mnemonic, *operands = line.split(maxsplit=2)
        found.append(decode(address, int(size), mnemonic, operands[0] if operands else ""))
        address += int(size)
    return found


def test_a_disassembly_gives_addresses_sizes_and_kinds_and_skips_data() -> None:
    image = parse_disassembly(DISASSEMBLY)
    assert [(i.address, i.size, i.kind) for i in image.instructions.values()] == [
        (0x400, 2, Kind.STORE_MULTIPLE),
        (0x402, 4, Kind.LOAD),
        (0x406, 4, Kind.CALL),
        (0x40A, 2, Kind.RETURN),
    ]
    assert [i.address for i in image.block(0x402, 8)] == [0x402, 0x406]
    assert [i.registers for i in image.block(0x400, 2)] == [4]


def test_executed_code_that_the_image_lacks_is_an_error() -> None:
    with pytest.raises(ToolError, match="no instruction at 0x40c"):
        parse_disassembly(DISASSEMBLY).block(0x40A, 4)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("2 adds r0, #1", Kind.ALU),
        ("4 add.w r0, r1, r2, lsl #2", Kind.SHIFTED),
        ("2 lsls r0, r1, #2", Kind.ALU),
        ("4 sxtb16 r3, r4, ror #8", Kind.DSP),
        ("4 sxtab16 r3, r3, r4", Kind.DSP),
        ("4 ssat r0, #8, r1", Kind.DSP),
        ("2 muls r0, r1", Kind.MUL),
        ("4 smlad r0, r1, r2, r0", Kind.MLA),
        ("4 smmla r0, r1, r2, r3", Kind.MLA),
        ("4 smull r0, r1, r2, r3", Kind.MUL_LONG),
        ("4 smlal r0, r1, r2, r3", Kind.MLA_LONG),
        ("4 sdiv r0, r1, r2", Kind.DIV),
        ("2 ldrsb r0, [r1, r2]", Kind.LOAD),
        ("4 ldrbne.w r0, [r1], #1", Kind.LOAD),
        ("4 ldrd r0, r1, [r2, #8]", Kind.LOAD_DOUBLE),
        ("4 ldr.w pc, [sp], #4", Kind.LOAD_BRANCH),
        ("4 ldmia.w sp!, {r4, r5, pc}", Kind.RETURN),
        ("2 strb r0, [r1, #3]", Kind.STORE),
        ("2 strb r0, [r1, r2]", Kind.STORE_INDEXED),
        ("2 cbz r0, 40a <f>", Kind.BRANCH),
        ("2 bls.n 40a <f>", Kind.BRANCH),
        ("2 bx lr", Kind.INDIRECT),
        ("2 mov pc, r3", Kind.INDIRECT),
        ("4 tbb [pc, r3]", Kind.TABLE_BRANCH),
        ("2 itte ne", Kind.IT),
        ("2 nop", Kind.NOP),
        ("4 bic.w r0, r1, r2", Kind.ALU),
        ("4 bfi r0, r1, #0, #8", Kind.ALU),
        ("4 vadd.f32 s0, s1, s2", Kind.FP),
        ("4 vmul.f32 s0, s1, s2", Kind.FP),
        ("4 vfma.f32 s0, s1, s2", Kind.FP_MLA),
        ("4 vdiv.f32 s0, s1, s2", Kind.FP_DIV),
        ("4 vldr s0, [r1, #4]", Kind.FP_LOAD),
        ("4 vldrb.u8 q0, [r1], #16", Kind.VECTOR_LOAD),
        ("4 vldrbt.u8 q0, [r1], #16", Kind.VECTOR_LOAD),
        ("4 vldrb.u16 q2, [r0, q3]", Kind.VECTOR_GATHER),
        ("4 vstrw.32 q2, [r6]", Kind.VECTOR_STORE),
        ("4 vmlava.s8 r8, q0, q1", Kind.VECTOR_MUL),
        ("4 vqrdmulh.s32 q0, q1, q2", Kind.VECTOR_MUL),
        ("4 vmladav.s8 r0, q0, q2", Kind.VECTOR_MUL),
        ("4 vmladava.s8 lr, q1, q3", Kind.VECTOR_MUL),
        ("4 vmullb.s8 q0, q2, q3", Kind.VECTOR_MUL),
        ("4 vmla.s32 q0, q2, r3", Kind.VECTOR_MUL),
        ("4 vmulh.u16 q0, q2, q3", Kind.VECTOR_MUL),
        ("4 vmovlt.s16 q0, q2", Kind.VECTOR_ALU),
        ("4 vsri.32 q7, q6, #8", Kind.VECTOR_ALU),
        ("4 vqshl.s32 q4, q1", Kind.VECTOR_ALU),
        ("4 vmov q3[2], q3[0], r0, r4", Kind.VECTOR_ALU),
        ("4 vctp.8 r9", Kind.ALU),
        ("4 vpstt", Kind.IT),
        ("4 vadd.i32 q0, q1, q2", Kind.VECTOR_ALU),
        ("4 vpst", Kind.IT),
        ("4 vpsel q0, q1, q2", Kind.VECTOR_ALU),
        ("4 vctp.8 r3", Kind.ALU),
        ("4 letp lr, 400 <f>", Kind.LOOP_END),
        ("4 wlstp.8 lr, r7, 400 <f>", Kind.LOOP_START),
    ],
)
def test_instructions_have_their_kind(line: str, kind: Kind) -> None:
    assert code(line)[0].kind is kind


@pytest.mark.parametrize(
    ("line", "reads", "writes"),
    [
        ("2 adds r0, #1", {"r0"}, {"r0"}),
        ("4 add.w r0, r1, fp", {"r1", "r11"}, {"r0"}),
        ("2 mov r0, r1", {"r1"}, {"r0"}),
        ("2 ldr r0, [r1, r2]", {"r1", "r2"}, {"r0"}),
        ("4 ldr.w r0, [r1], #4", {"r1"}, {"r0", "r1"}),
        ("4 strb.w r0, [r1, #1]!", {"r0", "r1"}, {"r1"}),
        ("4 smlal r0, r1, r2, r3", {"r0", "r1", "r2", "r3"}, {"r0", "r1"}),
        ("4 mla r0, r1, r2, r3", {"r1", "r2", "r3"}, {"r0"}),
        ("2 cmp r0, r1", {"r0", "r1"}, set()),
        ("4 ldmia.w r0!, {r4-r6}", {"r0", "r4", "r5", "r6"}, {"r4", "r5", "r6"}),
    ],
)
def test_registers_read_and_written(line: str, reads: set[str], writes: set[str]) -> None:
    instruction = code(line)[0]
    assert (set(instruction.reads), set(instruction.writes)) == (reads, writes)


LOADS = "2 ldr r0, [r4, #0]\n2 ldr r1, [r4, #4]\n2 ldr r2, [r4, #8]"
LOOP = "2 subs r0, #1\n2 bne.n 0"


@pytest.mark.parametrize(
    ("core", "text", "low", "mid", "high"),
    [
        # DDI 0432C: loads are 2 cycles each, a branch is 1 or 3.
        ("cortex-m0", LOADS, (6, 2), (6, 2), (6, 2)),
        ("cortex-m0", LOOP, (2, 2), (2, 2), (2, 2)),
        ("cortex-m0", "2 push {r4, lr}\n4 bl 0", (4, 3), (4, 3), (4, 3)),
        ("cortex-m0", "2 pop {r4, pc}", (3, 3), (3, 3), (3, 3)),
        ("cortex-m0plus", LOOP, (2, 1), (2, 1), (2, 1)),
        # 100166_0001: 2 cycles and 1 for each further load; a refill is 1 to 3.
        ("cortex-m4", LOADS, (3, 1), (4, 2), (6, 3)),
        ("cortex-m4", LOOP, (2, 1), (2, 2), (2, 3)),
        ("cortex-m4", "4 smlad r0, r1, r2, r0\n4 smull r0, r1, r2, r3", (2, 1), (2, 2), (2, 3)),
        ("cortex-m4", "2 push {r4-r7, lr}\n4 ldrd r0, r1, [r2]", (9, 1), (9, 2), (9, 3)),
        ("cortex-m4", "4 sdiv r0, r1, r2\n2 strb r0, [r3, r4]", (3, 1), (7, 2), (14, 3)),
        ("cortex-m4", "2 adds r1, #4\n2 ldr r0, [r1, #0]", (2, 1), (3, 2), (4, 3)),
        # DDI 0337I: MLA 2, SMULL 3 to 5, SMLAL 4 to 7.
        ("cortex-m3", "4 mla r0, r1, r2, r0\n4 smull r4, r5, r6, r7", (5, 1), (6, 2), (7, 3)),
        # Two issue slots: both loads start together, the dependent addition one cycle later.
        ("cortex-m7", LOADS, (2, 0), (2, 1), (3, 3)),
        ("cortex-m7", "2 ldr r0, [r4, #0]\n2 adds r0, #1", (2, 0), (3, 1), (3, 3)),
        ("cortex-m33", LOADS, (3, 1), (3, 2), (4, 3)),
        ("cortex-m33", "2 ldr r0, [r4, #0]\n2 adds r1, #1", (1, 1), (2, 2), (3, 3)),
        # Beats of neighbours in different pipes overlap; those of one pipe do not.
        (
            "cortex-m55",
            "4 vldrb.u8 q0, [r1]\n4 vadd.i32 q2, q0, q1\n4 vmul.i32 q3, q2, q1\n4 vstrw.32 q3, [r0]",  # noqa: E501
            (5, 1), (5, 2), (8, 3),
        ),
        (
            "cortex-m55",
            "4 vldrb.u8 q0, [r1]\n4 vldrb.u8 q1, [r2]\n4 vadd.i32 q2, q0, q1\n4 vstrw.32 q2, [r0]",
            (6, 1), (6, 2), (8, 3),
        ),
        ("cortex-m55", "4 vldrb.u8 q0, [r1], #16\n4 le lr, 0", (2, 0), (2, 0), (3, 1)),
    ],
)  # fmt: skip
def test_sequences_cost_what_the_manual_says(
    core: str, text: str, low: tuple[int, int], mid: tuple[int, int], high: tuple[int, int]
) -> None:
    prices = [price(model, code(text)) for model in core_timing(core).models]
    assert prices == [Price(*low), Price(*mid), Price(*high)]


def test_an_estimate_is_executions_times_price_plus_taken_branches() -> None:
    image = parse_disassembly("   0:\t3801      \tsubs\tr0, #1\n   2:\td1fd      \tbne.n\t0 <f>\n")
    blocks = [Block(0, 4, 2, executions=100, taken_exits=99)]
    assert estimate(image, core_timing("cortex-m4").models, blocks) == (299, 398, 497)


@pytest.mark.parametrize("timing", CORES.values(), ids=lambda t: t.core)
@pytest.mark.parametrize("text", [LOADS, LOOP, "2 itt ne\n2 movne r0, r1\n2 ldrne r1, [r0]"])
def test_the_band_is_ordered(timing: CoreTiming, text: str) -> None:
    prices = [price(model, code(text)) for model in timing.models]
    assert [p.straight for p in prices] == sorted(p.straight for p in prices)
    assert [p.taken for p in prices] == sorted(p.taken for p in prices)


def test_a_core_without_a_table_is_an_error() -> None:
    assert core_timing("cortex-m4").core == "cortex-m4"
    with pytest.raises(BoardError, match="no timing table for the core 'cortex-a9'"):
        core_timing("cortex-a9")
