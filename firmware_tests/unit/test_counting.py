"""Regions from symbols, the plugin's output, and the fallback's arithmetic: no emulator needed."""

import shutil
from pathlib import Path

import pytest

from tinygen.errors import DeviceError
from tinygen.run import counting, plugin
from tinygen.run.counting_regions import CodeLayout, Function, regions_of
from tinygen.timing import Block, parse_disassembly

LAYOUT = CodeLayout("net_invoke", ("layer_00_conv", "layer_01_pool"), ("firmware_", "hook"))


# The invoke function is called at 0x182, and jumped to at the end of firmware_invoke, which is
# itself called at 0x200.
CALLS = """
 182:\tf7ff ffbd \tbl\t100 <net_invoke>
 188:\te7ba      \tb.n\t100 <net_invoke>
 200:\tf7ff ffbe \tbl\t186 <firmware_invoke>
"""


def functions(*rows: tuple[str, int, int]) -> tuple[Function, ...]:
    return tuple(Function(*row) for row in rows)


def test_regions_follow_the_names_that_gcc_gives() -> None:
    regions = regions_of(
        functions(
            ("net_invoke", 0x100, 0x120),
            ("layer_00_conv.constprop.0", 0x120, 0x140),
            ("layer_00_conv.part.0", 0x140, 0x150),
            ("layer_01_pool", 0x150, 0x160),
            ("layer_01_pooling_of_another_model", 0x160, 0x170),
            ("memcpy", 0x170, 0x180),
            ("firmware_other", 0x180, 0x186),
            ("firmware_invoke", 0x186, 0x190),
            ("hook", 0x190, 0x1A0),
            ("hooked", 0x1A0, 0x1B0),
        ),
        parse_disassembly(CALLS),
        LAYOUT,
    )
    assert regions.text().splitlines() == [
        "entry 100",
        "return 186",
        "return 204",
        "range 100 120 0",
        "range 120 140 1",
        "range 140 150 1",
        "range 150 160 2",
        "range 180 186 -1",
        "range 186 190 -1",
        "range 190 1a0 -1",
    ]


def test_layers_folded_into_one_function_are_not_told_apart() -> None:
    names = ("net_invoke", 0x100, 0x120), ("layer_00_conv", 8, 16), ("layer_01_pool", 8, 16)
    regions = regions_of(functions(*names), parse_disassembly(CALLS), LAYOUT)
    assert set(regions.ranges.values()) == {0}


# As objdump prints them: a near call, a far one and a jump; a call and a jump of Xtensa's.
RISCV_CALLS = """
80001000:\t37f9                \tjal\t80000100 <net_invoke>
80002056:\t997ff0ef          \tjal\tra,80000100 <net_invoke>
80003004:\t9a4080e7          \tjalr\t-1628(ra) # 80000100 <net_invoke>
80004000:\tb731                \tj\t80000100 <net_invoke>
80004010:\t02550563          \tbeq\ta0,t0,80000100 <net_invoke>
80004100:\t00078603          \tlb\ta2,0(a5) # 80000100 <net_invoke>
80004200:\tf0dff0ef          \tjal\t80004000 <firmware_invoke>
80004204:\t8082                \tret
"""
XTENSA_CALLS = """
50002ae6:\t006245        \tcall0\t80000100 <net_invoke>
50002af0:\tfff911        \tl32r\ta1, 50000008 <reset_handler+0x8> (80000100 <net_invoke>)
50002af3:\tf00d      \tret.n
80004000:\t000406        \tj\t80000100 <net_invoke>
80004003:\t02b885        \tcall0\t80004000 <firmware_invoke>
80004006:\t0000          \t.byte\t00
"""


@pytest.mark.parametrize(
    ("arch", "text", "returns"),
    [
        ("riscv", RISCV_CALLS, ["80001002", "8000205a", "80003008", "80004204"]),
        ("xtensa", XTENSA_CALLS, ["50002ae9", "80004006"]),
    ],
)
def test_calls_and_jumps_of_other_architectures_are_followed(
    arch: str, text: str, returns: list[str]
) -> None:
    found = functions(
        ("net_invoke", 0x80000100, 0x80000120),
        ("layer_00_conv$constprop$0", 0x80000120, 0x80000140),
        ("firmware_invoke", 0x80004000, 0x80004020),
    )
    regions = regions_of(found, parse_disassembly(text, arch), LAYOUT)
    assert regions.text().splitlines() == [
        "entry 80000100",
        *(f"return {address}" for address in returns),
        "range 80000100 80000120 0",
        "range 80000120 80000140 1",
        "range 80004000 80004020 -1",
    ]


def test_an_invoke_function_that_is_never_called_is_an_error() -> None:
    with pytest.raises(DeviceError, match=r"nothing in the image calls net_invoke\(\) directly"):
        regions_of(functions(("net_invoke", 0, 8)), parse_disassembly(CALLS), LAYOUT)


def test_the_output_of_the_plugin_is_read_in_order() -> None:
    text = (
        "inferences 2 10 12\nblock 1 20 4 2 100 99\nblock 1 1e 2 1 2 0\nblock 0 10 6 2 4 4\nend\n"
    )
    counts = counting.parse_counts(text, 3)
    assert (counts.inferences, counts.fewest, counts.most) == (2, 10, 12)
    assert counts.regions == (
        (Block(0x10, 6, 2, 4, 4),),
        (Block(0x1E, 2, 1, 2, 0), Block(0x20, 4, 2, 100, 99)),
        (),
    )
    assert counting.instructions_of(counts.regions[1]) == 202


@pytest.mark.parametrize("text", ["", "inferences 1 2 3\n", "inferences 1 2 3\nblock 0 10"])
def test_output_that_is_cut_short_is_an_error(text: str) -> None:
    with pytest.raises(DeviceError, match="cut short"):
        counting.parse_counts(text, 1)


def test_ticks_become_instructions() -> None:
    assert counting.ticks_to_instructions(1000, 25_000_000) == 40_000
    assert counting.ticks_to_instructions(3, 16_000_000) == 188
    counts = counting.counts_from_ticks([100, 102], [[50, 50], []], 25_000_000)
    assert (counts.method, counts.cycles) == (counting.ICOUNT, None)
    assert (counts.instructions, counts.fewest, counts.most) == (4040, 4000, 4080)
    assert [layer.instructions for layer in counts.layers] == [2000, None]


def test_no_inference_is_an_error() -> None:
    with pytest.raises(DeviceError, match="no inference was timed"):
        counting.counts_from_ticks([], [], 25_000_000)


def test_the_cache_is_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert plugin.cache_dir() == Path("/somewhere/tinygen")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/to/be/ignored")
    assert plugin.cache_dir() == Path.home() / ".cache" / "tinygen"


def test_the_host_compiler_is_the_users_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setenv("CC", "ccache clang -m64")
    assert plugin.host_compiler() == ["ccache", "clang", "-m64"]
    monkeypatch.delenv("CC")
    assert plugin.host_compiler() == ["cc"]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert plugin.host_compiler() is None
