"""The counting plugin on images whose instruction counts are known by hand."""

import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tinygen.board.cores import CORES
from tinygen.errors import DeviceError, ToolError
from tinygen.run import counting, plugin
from tinygen.run.counting import Counter
from tinygen.run.counting_regions import CodeLayout

QEMU = "qemu-system-arm"
TOOLS = ("arm-none-eabi-gcc", "arm-none-eabi-objdump", QEMU)

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}"
    ),
]


@dataclass(frozen=True)
class Machine:
    """Where a QEMU machine has code and memory; ``stack`` is its initial stack pointer."""

    name: str
    core: str
    code: int = 0
    stack: int = 0x2000_4000


MACHINES = (
    Machine("microbit", "cortex-m0"),
    Machine("mps2-an385", "cortex-m3"),
    Machine("mps2-an386", "cortex-m4"),
    Machine("mps2-an500", "cortex-m7"),
    Machine("mps2-an505", "cortex-m33", 0x1000_0000, 0x3800_4000),
    Machine("mps3-an547", "cortex-m55"),
)
M4, M4_CORE = MACHINES[2], CORES["cortex-m4"]
LAYOUT = CodeLayout("demo_invoke", ("layer_00_loop", "layer_01_shared"))

# Runs demo_invoke a few times, then prints the SysTick ticks that this took and exits.
MAIN = """
#include <stdint.h>

void demo_invoke(void);
volatile uint32_t demo_loops;
extern int main(void);
__attribute__((section(".vectors"), used))
static const uintptr_t vectors[16] = { STACK, (uintptr_t)main };

#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)

static void semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

/* What a hook executes is outside of the measurement, and so is what it calls. */
void helper(void);
__attribute__((noinline)) void firmware_hook(void)
{
    helper();
    __asm__ volatile("nop");
}

/* The compiler makes this a jump: demo_invoke returns to where firmware_invoke was called. */
__attribute__((noinline)) void firmware_invoke(void)
{
    demo_invoke();
}

int main(void)
{
    static const uint32_t stop[2] = { 0x20026, 0 };
    char digits[] = "00000000\\n";

    SYST_RVR = 0xFFFFFF;
    SYST_CVR = 0;
    SYST_CSR = 5;
    for (int i = 0; i < INFERENCES; i++) {
        demo_loops = LOOPS + i * MORE_LOOPS;
        firmware_invoke();
        helper(); /* not part of an inference either */
    }
    uint32_t ticks = 0xFFFFFF - SYST_CVR;
    for (int i = 7; i >= 0; i--, ticks >>= 4) {
        digits[i] = "0123456789abcdef"[ticks & 15];
    }
    semihosting(4, digits);
    if (INFERENCES < 100) {
        semihosting(0x20, stop);
    }
    for (;;) {
    }
}
"""

# helper:      1 + 2 * 10 + 1                          = 22
# layer 0:     1 + 2 + 2 * loops + 1 + helper + 1      = 27 + 2 * loops
# layer 1:     1 + 2 * (1 + helper) + 1                = 48
# demo_invoke: push, three bl, pop                     = 5
DEMO = """
    .syntax unified
    .thumb
    .macro function name
    .global \\name
    .type \\name, %function
    .thumb_func
\\name:
    .endm
    .macro done name
    .size \\name, . - \\name
    .endm

    function demo_invoke
    push {r4, lr}
    bl layer_00_loop
    bl firmware_hook
    bl layer_01_shared.constprop.0
    pop {r4, pc}
    done demo_invoke

    function layer_00_loop
    push {r4, lr}
    ldr r0, =demo_loops
    ldr r0, [r0]
1:  subs r0, #1
    bne 1b
    bl helper
    pop {r4, pc}
    done layer_00_loop

    function layer_01_shared.constprop.0
    push {r4, lr}
    bl helper
    bl helper
    pop {r4, pc}
    done layer_01_shared.constprop.0

    function helper
    movs r1, #10
1:  subs r1, #1
    bne 1b
    bx lr
    done helper
"""
HELPER, LAYER_1, DISPATCH = 22, 48, 5


def layer_0(loops: int) -> int:
    return 5 + 2 * loops + HELPER


@pytest.fixture(autouse=True)
def private_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cache for all tests of this file, and not the user's."""
    cache = tmp_path_factory.getbasetemp() / "counting-cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def build_demo(
    machine: Machine, folder: Path, loops: int = 100, inferences: int = 3, more_loops: int = 0
) -> Path:
    """Link the demo: it runs ``inferences`` times, each with ``more_loops`` than the one before."""
    (folder / "main.c").write_text(MAIN)
    (folder / "demo.S").write_text(DEMO)
    elf = folder / "demo.elf"
    command = [
        "arm-none-eabi-gcc", f"-mcpu={machine.core}", "-mthumb", "-O2", "-nostdlib",
        f"-DSTACK={machine.stack:#x}", f"-DINFERENCES={inferences}",
        f"-DLOOPS={loops}", f"-DMORE_LOOPS={more_loops}",
        f"-Wl,-Tbss={machine.stack - 0x2000:#x}",
        f"-Wl,--section-start=.vectors={machine.code:#x}", f"-Wl,-Ttext={machine.code + 0x400:#x}",
        "-Wl,-e,main", "main.c", "demo.S", "-o", str(elf),
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return elf


def command_line(machine: Machine, elf: Path, extra: tuple[str, ...]) -> list[str]:
    return [
        QEMU, "-machine", machine.name, "-kernel", str(elf), "-display", "none", "-monitor", "none",
        "-serial", "none", "-semihosting-config", "enable=on,target=native", *extra,
    ]  # fmt: skip


def run_demo(machine: Machine, elf: Path, extra: tuple[str, ...]) -> int:
    """Run until the firmware exits; return the ticks that it printed."""
    command = command_line(machine, elf, extra)
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return int((run.stdout + run.stderr).split()[-1], 16)


def counted(machine: Machine, elf: Path) -> Counter:
    counter = counting.prepare(elf, LAYOUT, elf.parent, CORES[machine.core])
    assert counter.method == counting.PLUGIN, counter.reason
    run_demo(machine, elf, counter.arguments)
    return counter


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.core)
def test_instructions_are_counted_exactly_and_by_layer(machine: Machine, tmp_path: Path) -> None:
    counter = counted(machine, build_demo(machine, tmp_path, loops=1000, inferences=3))
    counts = counting.collect(counter)
    assert counts.inferences == 3
    assert [layer.instructions for layer in counts.layers] == [layer_0(1000), LAYER_1]
    assert counts.instructions == layer_0(1000) + LAYER_1 + DISPATCH
    assert counts.fewest == counts.most == counts.instructions


def test_inferences_that_differ_give_the_mean_and_both_ends(tmp_path: Path) -> None:
    elf = build_demo(M4, tmp_path, loops=100, inferences=4, more_loops=10)
    counts = counting.collect(counted(M4, elf))
    assert counts.layers[0].instructions == layer_0(115)
    fixed = LAYER_1 + DISPATCH
    assert (counts.fewest, counts.most) == (layer_0(100) + fixed, layer_0(130) + fixed)


def test_cycles_of_the_demo_are_those_of_the_manual(tmp_path: Path) -> None:
    counts = counting.collect(counted(M4, build_demo(M4, tmp_path, loops=100)))
    # movs 1, ten subs and bne, nine of which are taken, bx: 1 + 20 + 9 * 2 + 3
    helper = 42
    assert counts.layers[1].cycles is not None
    # push of two 3, bl 3 each, pop with pc 3 + 2
    assert counts.layers[1].cycles.mid == 3 + 2 * (3 + helper) + 5


def test_two_runs_count_the_same(tmp_path: Path) -> None:
    elf = build_demo(M4, tmp_path, loops=5000)
    texts = [counted(M4, elf).output.read_text() for _ in range(3)]
    assert len({tuple(sorted(t.splitlines())) for t in texts}) == 1


def test_counts_survive_termination(tmp_path: Path) -> None:
    elf = build_demo(M4, tmp_path, loops=50, inferences=100)  # never exits by itself
    counter = counting.prepare(elf, LAYOUT, tmp_path, M4_CORE)
    with subprocess.Popen(
        command_line(M4, elf, counter.arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as qemu:
        assert qemu.stdout is not None
        qemu.stdout.readline()
        qemu.send_signal(signal.SIGTERM)
        qemu.wait(timeout=30)
    counts = counting.collect(counter)
    assert counts.inferences == 100
    assert counts.instructions == layer_0(50) + LAYER_1 + DISPATCH


def test_counts_that_qemu_did_not_write_are_an_error(tmp_path: Path) -> None:
    elf = build_demo(M4, tmp_path)
    counter = counting.prepare(elf, LAYOUT, tmp_path, M4_CORE)
    with pytest.raises(DeviceError, match="left no instruction counts"):
        counting.collect(counter)
    counter.output.write_text("inferences 1 2 3\n")
    with pytest.raises(DeviceError, match="cut short"):
        counting.collect(counter)


def test_an_image_without_the_model_is_an_error(tmp_path: Path) -> None:
    layout = replace(LAYOUT, invoke="absent_invoke")
    with pytest.raises(DeviceError, match=r"no function absent_invoke\(\)"):
        counting.prepare(build_demo(M4, tmp_path), layout, tmp_path, M4_CORE)


def test_the_instruction_clock_agrees_with_the_plugin(tmp_path: Path) -> None:
    """SysTick runs at 25 MHz: one tick is 40 instructions; the loop in main adds a few."""
    inferences, loops = 20, 10_000
    elf = build_demo(M4, tmp_path, loops=loops, inferences=inferences)
    exact = counting.collect(counted(M4, elf)).instructions
    ticks = run_demo(M4, elf, counting.icount_arguments())
    timed = counting.counts_from_ticks([ticks], [[ticks], []], 25_000_000)
    outside = 100 * inferences  # the hook, and the loop in main
    assert timed.method == counting.ICOUNT
    assert timed.cycles is None
    assert 0 <= timed.instructions - exact * inferences <= outside + 80
    assert run_demo(M4, elf, counting.icount_arguments()) == ticks


def test_processes_that_build_the_plugin_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        libraries = {pool.submit(plugin.plugin_library, QEMU, tmp_path) for _ in range(6)}
        paths = {future.result() for future in libraries}
    assert set(tmp_path.iterdir()) == paths
    assert len(paths) == 1


def test_the_plugin_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = plugin.plugin_library(QEMU, tmp_path)
    built = library.stat().st_mtime_ns
    monkeypatch.delattr(plugin, "_build")
    assert plugin.plugin_library(QEMU, tmp_path).stat().st_mtime_ns == built


@pytest.mark.parametrize("problem", ["no directory", "no home"])
def test_a_cache_that_cannot_be_written_costs_a_build_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: str
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file") if problem != "no home" else "")
    monkeypatch.setattr(Path, "home", homeless)
    elf = build_demo(M4, tmp_path)
    assert counting.prepare(elf, LAYOUT, tmp_path, M4_CORE).method == counting.PLUGIN
    with pytest.raises(ToolError, match="cannot build QEMU's counting plugin"):
        plugin.plugin_library(QEMU)


def test_without_a_host_compiler_the_instruction_clock_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elf = build_demo(M4, tmp_path)
    monkeypatch.setattr(plugin, "host_compiler", lambda: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    counter = counting.prepare(elf, LAYOUT, tmp_path, M4_CORE)
    assert counter.method == counting.ICOUNT
    assert "no C compiler" in counter.reason
    assert run_demo(M4, elf, counter.arguments) > 0


def test_a_plugin_that_qemu_refuses_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin, "API_VERSIONS", (999,))
    with pytest.raises(ToolError, match="requires API version 999"):
        plugin.plugin_library(QEMU, tmp_path)
