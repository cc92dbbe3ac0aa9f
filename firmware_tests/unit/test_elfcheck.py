"""The check of instructions against the core: what it finds, and what it must leave alone."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_tests.models.residual import residual_program
from tinygen.board import Board
from tinygen.board.cores import CORES, Core, Fpu
from tinygen.board.file import all_boards, load_board
from tinygen.build.elfcheck import check_image
from tinygen.build.image import build
from tinygen.errors import BuildError, ToolError
from tinygen.firmware.project import write_project
from tinygen.firmware.target import Target

ARM = ".syntax unified\n.thumb\n"


def link(directory: Path, board: Board, source: str, *flags: str, name: str = "x.S") -> Path:
    """Compile ``source`` for the core of ``board`` and link it alone; it enters at ``start``."""
    compiler = f"{board.core.cross}gcc"
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not here")
    file, image = directory / name, directory / "image.elf"
    file.write_text(source)
    options = [f for f in board.cflags if not f.startswith("--specs")]
    command = [compiler, *options, "-O2", "-nostdlib", "-Wl,-e,start", "-Wl,-Ttext=0x1000"]
    subprocess.run([*command, *flags, file, "-o", image], check=True, capture_output=True)
    return image


def code(*lines: str) -> str:
    """A function ``foreign`` with these lines, behind one that any core runs."""
    body = "\n".join(lines)
    return (
        ".globl start\n.type start, %function\nstart:\n nop\n nop\n"
        f".type foreign, %function\nforeign:\n{body}\n nop\n"
    )


def board_with(name: str, fpu: Fpu) -> Board:
    return replace(load_board(name), fpu=fpu)


M0 = load_board("microbit")
M3 = load_board("mps2-an385")
M4_SOFT = board_with("mps2-an386", Fpu.NONE)
M4 = board_with("mps2-an386", Fpu.SINGLE)
M7_SINGLE = board_with("mps2-an500", Fpu.SINGLE)
M33 = load_board("mps2-an505")
M55 = load_board("mps3-an547")
RV32IMC = load_board("qemu-rv32imc")
LX106 = load_board("qemu-lx106")

THUMB2 = "Armv7-M's Thumb-2 instructions"
FOREIGN = [
    # The assembler is told of a larger core, as by a .cpu line in a file from elsewhere.
    (M0, ".cpu cortex-m3", "udiv r0, r0, r1", THUMB2),
    (M0, ".cpu cortex-m3", "movw r0, #4660", THUMB2),
    (M0, ".cpu cortex-m3", "cbz r0, 2f\n nop\n nop\n2:", THUMB2),
    (M0, ".cpu cortex-m3", "it eq\n moveq r0, r1", THUMB2),
    (M0, ".cpu cortex-m3", "ldr.w r8, [r0]", THUMB2),
    (M0, ".cpu cortex-m4", "smlad r0, r1, r2, r3", "the DSP extension"),
    (M3, ".cpu cortex-m4", "smuad r0, r0, r1", "the DSP extension"),
    (M3, ".cpu cortex-m4", "uxtab16 r0, r1, r2", "the DSP extension"),
    (M3, ".cpu cortex-m4\n.fpu fpv4-sp-d16", "vadd.f32 s0, s1, s2", "a floating-point unit"),
    (M4_SOFT, ".fpu fpv4-sp-d16", "vldr s0, [r0]", "a floating-point unit"),
    (M4, ".fpu fpv5-sp-d16", "vmaxnm.f32 s0, s1, s2", "FPv5's instructions"),
    (M4, ".cpu cortex-m7\n.fpu fpv5-d16", "vadd.f64 d0, d1, d2", "double-precision arithmetic"),
    (M7_SINGLE, ".fpu fpv5-d16", "vcvt.f64.f32 d0, s0", "double-precision arithmetic"),
    (M7_SINGLE, ".cpu cortex-m33", "lda r0, [r1]", "Armv8-M's instructions"),
    (M33, ".arch armv8.1-m.main", "csel r0, r1, r2, eq", "Armv8.1-M's instructions"),
    (M33, ".arch armv8.1-m.main\n.arch_extension mve", "vadd.i8 q0, q1, q2", "(Helium)"),
    (M33, ".arch armv8.1-m.main\n.arch_extension mve", "vmsr p0, r0", "(Helium)"),
    (M33, ".arch armv8.1-m.main\n.arch_extension mve", "vctp.8 r0", "(Helium)"),
    (M33, ".arch armv8.1-m.main\n.arch_extension mve", "vmlava.s8 lr, q0, q1", "(Helium)"),
    (M33, ".arch armv8.1-m.main\n.arch_extension mve", "vmov q0[2], q0[0], r0, r4", "(Helium)"),
    (M33, ".arch armv8.1-m.main\n.arch_extension mve", "vsri.32 q0, q1, #8", "(Helium)"),
    (M33, ".arch armv8.1-m.main\n.arch_extension mve.fp", "vadd.f16 s0, s1, s2", "half-precision"),
    (RV32IMC, ".option arch,+a", "lr.w a0,(a1)", "the A extension (atomics)"),
    (RV32IMC, ".option arch,+f", "fadd.s fa0,fa1,fa2", "the F extension"),
    (RV32IMC, ".option arch,+f", "flw fa0,64(sp)", "the F extension"),
    (RV32IMC, ".option arch,+d", "fmul.d fa0,fa1,fa2", "the D extension"),
    (RV32IMC, ".option arch,+d", "fld fa0,0(a0)", "the D extension"),
    (RV32IMC, ".option arch,+zbb", "clz a0,a0", "the Zb extensions"),
    (RV32IMC, ".option arch,+zba", "sh1add a0,a0,a1", "the Zb extensions"),
]


@pytest.mark.parametrize(
    ("board", "switch", "line", "lacks"), FOREIGN, ids=[f"{b.name}: {x}" for b, _, x, _ in FOREIGN]
)
def test_an_instruction_of_a_larger_core_is_found(
    tmp_path: Path, board: Board, switch: str, line: str, lacks: str
) -> None:
    head = ARM if board.core.arch == "cortex_m" else ""
    source = f"{head}{switch}\n{code(line)}"
    with pytest.raises(BuildError) as error:
        check_image(link(tmp_path, board, source), board)
    mnemonic = line.split(maxsplit=1)[0].removesuffix(".w")
    found = re.search(r"foreign\+0x0: (\S+).* needs (.*)", error.value.message)
    assert found, error.value.message
    assert found[1].removesuffix(".w") == mnemonic
    assert lacks in found[2]
    assert f"the {board.core.title} of {board.name}" in error.value.message
    assert error.value.exit_code == 1


# The LX106's assembler knows no other core's instructions: these are the LX6's, byte by byte.
LX6 = {
    "entry a1, 32": (0x36, 0x41, 0x00, "windowed"),
    "retw": (0x90, 0x00, 0x00, "windowed"),
    "callx8 a2": (0xE0, 0x02, 0x00, "windowed"),
    "call8 .+4": (0x25, 0x00, 0x00, "windowed"),
    "movsp a2, a3": (0x20, 0x13, 0x00, "windowed"),
    "rotw 1": (0x10, 0x80, 0x40, "windowed"),
    "l32e a2, a3, -4": (0x20, 0xF3, 0x09, "windowed"),
    "loop a2, .+8": (0x76, 0x82, 0x04, "the loop option"),
    "loopgtz a2, .+8": (0x76, 0xA2, 0x04, "the loop option"),
    "bt b0, .+8": (0x76, 0x10, 0x04, "boolean"),
    "andb b0, b1, b2": (0x20, 0x01, 0x02, "boolean"),
    "any4 b0, b4": (0x00, 0x84, 0x00, "boolean"),
    "quos a2, a3, a4": (0x40, 0x23, 0xD2, "divide"),
    "remu a2, a3, a4": (0x40, 0x23, 0xE2, "divide"),
    "muluh a2, a3, a4": (0x40, 0x23, 0xA2, "high half"),
    "min a2, a3, a4": (0x40, 0x23, 0x43, "minimum"),
    "sext a2, a3, 7": (0x00, 0x23, 0x23, "sign extension"),
    "clamps a2, a3, 7": (0x00, 0x23, 0x33, "clamps"),
    "rur a2, 231": (0x70, 0x2E, 0xE3, "user registers"),
    "mula.aa.ll a2, a3": (0x34, 0x02, 0x78, "MAC16"),
    "lsi f0, a2, 0": (0x03, 0x02, 0x00, "floating-point"),
    "add.s f0, f1, f2": (0x20, 0x01, 0x0A, "floating-point"),
    "l32ai a2, a3, 0": (0x22, 0xB3, 0x00, "multiprocessor"),
    "s32c1i a2, a3, 0": (0x22, 0xE3, 0x00, "multiprocessor"),
}


@pytest.mark.parametrize("instruction", LX6)
def test_an_instruction_of_the_esp32_is_found_on_the_lx106(
    tmp_path: Path, instruction: str
) -> None:
    *octets, lacks = LX6[instruction]
    line = ".byte " + ", ".join(str(octet) for octet in octets)
    with pytest.raises(BuildError, match=rf"foreign\+0x0: 0x[0-9a-f]{{6}} needs .*{lacks}"):
        check_image(link(tmp_path, LX106, code(line)), LX106)


OWN = [
    (M0, """muls r0, r1; bl start; mrs r0, primask; msr primask, r0; dmb; dsb; isb; udf #1; blx r1
         cpsid i; wfi; sev; rev r0, r1; sxtb r0, r1; ldm r0!, {r1}; bkpt 1"""),
    (M3, """udiv r0, r1, r2; smull r0, r1, r2, r3; umlal r0, r1, r2, r3; ssat r0, #3, r1; pld [r0]
         usat r0, #3, r1; sxtb.w r8, r9; bfi r0, r1, #1, #2; ldrex r0, [r1]; clz r0, r1
         tbb [pc, r0]; ldrd r0, r1, [r2]; mls r0, r1, r2, r3; cbz r0, 2f; mrs r0, basepri; 2:
         itte eq; moveq r0, #1; addeq r0, r1; subne r0, r1"""),
    (M4, """smlad r0, r1, r2, r3; umaal r0, r1, r2, r3; vfma.f32 s0, s1, s2; vldr d0, [r0]
         vmov r0, r1, d0; vpush {d8-d15}; vcvt.s32.f32 s0, s1; vcvtb.f32.f16 s0, s1
         vmrs APSR_nzcv, fpscr; vsqrt.f32 s0, s1; vmov.f32 s0, #1.0"""),
    (M33, """lda r0, [r1]; tt r0, r1; bxns lr; sg; vmaxnm.f32 s0, s1, s2; vrinta.f32 s0, s1
          vseleq.f32 s0, s1, s2; sel r0, r1, r2; vlstm r0"""),
    (M55, """2: csel r0, r1, r2, eq; le lr, 2b; vadd.i8 q0, q1, q2; vctp.8 r0; vadd.f16 s0, s1, s2
          vadd.f64 d0, d1, d2; sqrshrl r0, r1, #64, r2; vmsr p0, r0; vmladav.s8 r0, q0, q1
          vldrb.8 q2, [r5], #16; vmov q0[2], q0[0], r0, r4; vsri.32 q0, q1, #8
          vmullt.s8 q0, q1, q2"""),
    (RV32IMC, """mul a0,a0,a1; rem a0,a0,a1; csrr a0,mcycle; fence.i; c.lwsp a0,0(sp); sra a0,a0,a1
              sub a0,a0,a1; srai a0,a0,31; mret; wfi; ebreak; ecall; fence; auipc a0,1; unimp"""),
    (LX106, """mull a2, a3, a4; mul16s a2, a3, a4; nsau a2, a3; abs a2, a3; addx8 a2, a3, a4
            rsr.sar a2; rsil a2, 3; rfe; rfi 1; callx0 a2; jx a2; ret.n; break 1, 1; simcall
            l16si a2, a3, 0; extui a2, a3, 1, 2; memw; waiti 0; movnez a2, a3, a4"""),
]  # fmt: skip


@pytest.mark.parametrize(("board", "lines"), OWN, ids=[b.name for b, _ in OWN])
def test_a_cores_own_instructions_pass(tmp_path: Path, board: Board, lines: str) -> None:
    head = ARM if board.core.arch == "cortex_m" else ""
    check_image(link(tmp_path, board, head + code(lines)), board)


def test_code_for_a_larger_core_is_found_by_its_attributes_alone(tmp_path: Path) -> None:
    # Halfword instructions that a Cortex-M0 has too; but the compiler took it that a load may be
    # from any address, which faults there and passes in every emulator.
    source = "struct __attribute__((packed)) word { int x; };\nint start(struct word *p)"
    image = link(tmp_path, M3, source + " { return p->x; }", name="x.c")
    with pytest.raises(BuildError, match="compiled for more than the Cortex-M0 of microbit has: "
                                         "Armv7-M, loads and stores at any address"):  # fmt: skip
        check_image(image, M0)
    check_image(image, M3)


def test_code_for_a_core_that_is_no_microcontroller_is_found(tmp_path: Path) -> None:
    for switch, words in (
        (".arch armv7-a", "Armv7-A"),
        (".fpu neon", "Neon"),
        (".arm", "Arm state"),
    ):
        source = f".syntax unified\n.thumb\n{switch}\n{code('nop')}"
        with pytest.raises(BuildError, match=words):
            check_image(link(tmp_path, M33, source, "-Wa,-march=armv7-a"), M33)


def test_riscv_attributes_are_read(tmp_path: Path) -> None:
    image = link(tmp_path, RV32IMC, code("nop"), "-march=rv32imac")
    with pytest.raises(BuildError, match=r"more than the .* has: the A extension \(atomics\)"):
        check_image(image, RV32IMC)


DATA = [
    # Words that read as SMUAD, VADD.F64 and LR.W, where literal pools and jump tables lie.
    (M3, ARM, "bx lr\n .p2align 2\n .word 0xf001fb20, 0x0b02ee31\n .byte 1, 2"),
    (M0, ARM, "bx lr\n .p2align 2\n .word 0xf000bf00, 0xb100bf08\n .short 3"),
    (RV32IMC, "", "ret\n .p2align 2\n .word 0x1005a52f, 0x00c58553\n .byte 1, 2\n .p2align 1"),
    (LX106, "", "ret\n .p2align 2\n .word 0x00014136, 0x000a0120\n .p2align 2"),
]  # fmt: skip


@pytest.mark.parametrize(("board", "head", "lines"), DATA, ids=[b.name for b, _, _ in DATA])
def test_data_inside_code_is_no_instruction(
    tmp_path: Path, board: Board, head: str, lines: str
) -> None:
    check_image(link(tmp_path, board, head + code(lines)), board)


@pytest.mark.parametrize("board", [M0, M3, M4, RV32IMC, LX106], ids=lambda b: b.name)
def test_constants_and_jump_tables_that_the_compiler_lays_into_code_pass(
    tmp_path: Path, board: Board
) -> None:
    cases = "".join(f"case {n}: return x * {n * n * 2654435761 % 2**31};" for n in range(2, 30))
    words = ", ".join(str(0xFB21F000 + 977 * n) + "u" for n in range(500))
    source = f"""
        __attribute__((section(".text.words"))) const unsigned words[] = {{{words}}};
        static const char text[] = "fbfbfbfb";
        int pick(int n, int x) {{ switch (n) {{ {cases} }} return text[x & 7]; }}
        int start(int n) {{ return pick(n, (int)words[n]); }}
    """
    check_image(link(tmp_path, board, source, name="x.c"), board)


# Picolibc for RISC-V comes with a linker script that the whole of it overflows.
LIBRARIES = [
    (board, library)
    for board in (M0, M3, M4_SOFT, M4, M33, M55, RV32IMC, LX106)
    for library in ("gcc", "c")
    if (board, library) != (RV32IMC, "c")
]


@pytest.mark.parametrize(
    ("board", "library"), LIBRARIES, ids=[f"{b.core.name}-{b.fpu.value}-{x}" for b, x in LIBRARIES]
)
def test_the_compilers_own_libraries_pass_as_a_whole(
    tmp_path: Path, board: Board, library: str
) -> None:
    options = "--unresolved-symbols=ignore-all,--allow-multiple-definition,--whole-archive"
    image = link(tmp_path, board, code("nop"), f"-Wl,{options}", f"-l{library}")
    assert image.stat().st_size > 20_000
    check_image(image, board)


def distinct_cores() -> list[Board]:
    """One board that make can build for each core and floating-point unit."""
    bare = {(b.core.name, b.fpu): b for b in all_boards() if b.layout and b.uart}
    return list(bare.values())


def generate(directory: Path, board: Board) -> Path:
    program = residual_program(board)
    write_project(program, Target(board, board.frameworks[0]), directory)
    return directory


@pytest.mark.parametrize("board", distinct_cores(), ids=lambda b: b.name)
def test_what_tinygen_generates_passes(tmp_path: Path, board: Board) -> None:
    if shutil.which(f"{board.core.cross}gcc") is None:
        pytest.skip(f"{board.core.cross}gcc is not here")
    assert build(generate(tmp_path / "p", board)).image.is_file()


def test_the_build_names_the_object_that_brought_the_instruction(tmp_path: Path) -> None:
    directory = generate(tmp_path / "p", M3)
    source = '__asm__(".cpu cortex-m4\\n");\nint mix(int a, int b);\nint mix(int a, int b) {\n'
    lines = "".join(
        f'    __asm__("smuad %0, %0, %1" : "+r"(a) : "r"(b + {n}));\n' for n in range(9)
    )
    (directory / "src" / "mine.c").write_text(source + lines + "    return a;\n}\n")
    # Nothing calls it; the linker is to keep it all the same.
    makefile = (directory / "Makefile").read_text()
    (directory / "Makefile").write_text(makefile.replace("--gc-sections", "--no-gc-sections"))
    with pytest.raises(BuildError) as error:
        build(directory)
    text = str(error.value)
    assert re.search(r"mix\+0x[0-9a-f]+: smuad r\d, r\d, r\d needs the DSP extension", text)
    assert text.count("smuad") == 4
    assert "\n  and 5 more\n" in text
    assert (
        "hint: made for another core: build/src/mine.o; compile all code with -mcpu=cortex-m3"
        in text
    )


def test_a_stripped_image_is_refused_and_not_called_good(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"has no \.symtab: its instructions cannot be told"):
        check_image(link(tmp_path, M3, ARM + code("nop"), "-s"), M3)


def test_an_image_for_another_family_is_refused(tmp_path: Path) -> None:
    image = link(tmp_path, RV32IMC, code("nop"))
    with pytest.raises(BuildError, match="is made for EM_RISCV; the Cortex-M3 of"):
        check_image(image, M3)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.elf").write_bytes(b"\x7fELF nonsense")
    for name in ("x.elf", "missing.elf"):
        with pytest.raises(BuildError, match=f"cannot read .*{name}"):
            check_image(tmp_path / name, M3)


def test_the_disassembler_may_be_platformios(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = link(tmp_path, M3, ARM + code("nop"))
    objdump = shutil.which("arm-none-eabi-objdump")
    assert objdump
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "pio"))
    with pytest.raises(ToolError, match="arm-none-eabi-objdump is not installed"):
        check_image(image, M3)
    tools = tmp_path / "pio" / "packages" / "toolchain-gccarmnoneeabi" / "bin"
    tools.mkdir(parents=True)
    (tools / "arm-none-eabi-objdump").symlink_to(objdump)
    check_image(image, M3)


def test_a_disassembler_that_fails_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = link(tmp_path, M3, ARM + code("nop"))
    tool = tmp_path / "arm-none-eabi-objdump"
    tool.write_text("#!/bin/sh\necho cannot do that\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BuildError, match=r"cannot disassemble .*: cannot do that"):
        check_image(image, M3)


@pytest.mark.parametrize("core", CORES.values(), ids=lambda c: c.name)
def test_every_core_has_its_rules(tmp_path: Path, core: Core) -> None:
    board = replace(M3, core=core, fpu=next(iter(core.fpus)))
    if core.name == "host":
        check_image(tmp_path / "missing", board)
    else:
        with pytest.raises(BuildError, match="cannot read"):
            check_image(tmp_path / "missing", board)
