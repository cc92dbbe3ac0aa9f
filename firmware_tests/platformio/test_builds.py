"""The user's exact platformio.ini, built by the real ``pio run`` with the system's compiler."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from firmware_tests.platformio.catalogue import known_boards
from firmware_tests.platformio.conftest import Generate
from firmware_tests.platformio.standins import BARE
from firmware_tests.tiers import Prove
from tinygen.board.file import all_boards, load_board
from tinygen.build.image import BuildTool, build
from tinygen.errors import BudgetError, BuildError
from tinygen.firmware.target import choose_target
from tinygen.run.counting_regions import function_ranges

BOARDS = [
    b.name
    for b in all_boards()
    if b.bare and b.platformio and known_boards()[b.platformio.board].platform in BARE
]


def functions(image: Path) -> list[tuple[str, int]]:
    """Names and sizes of the functions in the image."""
    return sorted((f.name, f.end - f.start) for f in function_ranges(image))


@pytest.mark.parametrize("name", BOARDS)
def test_platformio_builds_the_exact_project(
    name: str, tmp_path: Path, generate: Generate, stand_ins: Path, prove: Prove
) -> None:
    del stand_ins
    directory = generate(choose_target(load_board(name), "bare"), tmp_path / "p")
    lines: list[str] = []
    report = build(directory, BuildTool.PIO, lines.append)
    assert report.image == directory / ".pio" / "build" / name / "firmware.elf"
    assert not [line for line in lines if "warning" in line.lower()]
    log = (directory / ".pio" / "tinygen-build.log").read_text()
    assert "Dependency Graph\n|-- residual @" in log
    prove(name, "build")


def test_platformio_and_make_build_the_same_code(
    tmp_path: Path, generate: Generate, stand_ins: Path
) -> None:
    del stand_ins
    directory = generate(choose_target(load_board("nucleo_f446re"), "bare"), tmp_path / "p")
    by_pio, by_make = (build(directory, tool) for tool in (BuildTool.PIO, BuildTool.MAKE))
    assert by_pio.ram == by_make.ram
    assert by_pio.flash["weights"] == by_make.flash["weights"]
    assert functions(by_pio.image) == functions(by_make.image)


def test_the_image_has_the_boards_floating_point_convention(
    tmp_path: Path, generate: Generate, stand_ins: Path
) -> None:
    """It is not the platform's doing."""
    del stand_ins
    directory = generate(choose_target(load_board("nrf52840_dk"), "bare"), tmp_path / "p")
    with build(directory, BuildTool.PIO).image.open("rb") as file:
        attributes = ELFFile(file).get_section_by_name(".ARM.attributes")
        tags = {a.tag for s in attributes.iter_subsections() for b in s.iter_subsubsections()
                for a in b.iter_attributes()}  # fmt: skip
    assert {"TAG_ABI_VFP_ARGS", "TAG_FP_ARCH"} <= tags


def test_cmake_builds_the_same_code_as_make(tmp_path: Path, generate: Generate) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    directory = generate(choose_target(load_board("nucleo_h743zi"), "bare"), tmp_path / "a b")
    made = build(directory, BuildTool.MAKE)
    for command in (["cmake", "-B", "build/cmake"], ["cmake", "--build", "build/cmake"]):
        subprocess.run(command, cwd=directory, capture_output=True, timeout=120, check=True)
    linked = directory / "build" / "cmake" / "firmware.elf"
    assert functions(linked) == functions(made.image)


def test_the_model_is_a_library_of_a_users_own_cmake_project(
    tmp_path: Path, generate: Generate
) -> None:
    if shutil.which("cmake") is None or shutil.which("cc") is None:
        pytest.skip("cmake and a C compiler are not both installed")
    model = generate(choose_target(load_board("native")), tmp_path / "p") / "lib" / "residual"
    shutil.copytree(model, tmp_path / "product" / "residual")
    (tmp_path / "product" / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(product C)\nadd_subdirectory(residual)\n"
        "add_executable(app app.c)\ntarget_link_libraries(app PRIVATE tinygen::residual)\n"
    )
    (tmp_path / "product" / "app.c").write_text(
        '#include "residual.h"\nint main(void) { residual_invoke(); return 0; }\n'
    )
    for command in (["cmake", "-B", "out"], ["cmake", "--build", "out"], ["out/app"]):
        subprocess.run(
            command, cwd=tmp_path / "product", capture_output=True, timeout=120, check=True
        )


def test_a_librarys_manifest_is_plain(tmp_path: Path, generate: Generate) -> None:
    model = generate(choose_target(load_board("native")), tmp_path / "p") / "lib" / "residual"
    manifest = json.loads((model / "library.json").read_text())
    assert manifest["name"] == "residual"
    # Rounding twice where the reference rounds twice, whatever the framework's own flags are.
    assert "-ffp-contract=off" in manifest["build"]["flags"]


def test_a_compilers_error_is_what_remains_of_platformios_output(
    tmp_path: Path, generate: Generate, stand_ins: Path
) -> None:
    del stand_ins
    directory = generate(choose_target(load_board("disco_f407vg"), "bare"), tmp_path / "p")
    (directory / "src" / "mine.c").write_text('#include "nonsense.h"\n')
    with pytest.raises(BuildError, match=r"nonsense\.h: No such file") as error:
        build(directory, BuildTool.PIO)
    assert "Compiling" not in error.value.message
    assert "registry" not in error.value.message


def test_memory_that_is_too_small_is_told_in_bytes(
    tmp_path: Path, generate: Generate, stand_ins: Path
) -> None:
    del stand_ins
    directory = generate(choose_target(load_board("bluepill_f103c8"), "bare"), tmp_path / "p")
    (directory / "src" / "mine.c").write_text(
        "extern volatile char mine[30000];\nvolatile char mine[30000];\n"
        '__attribute__((used, section(".vectors"))) static volatile char *const p = mine;\n'
    )
    with pytest.raises(BudgetError, match=r"ram 'ram' has 20,480 bytes; .* too many"):
        build(directory, BuildTool.PIO)


# What ESP-IDF does with a component: it asks for the requirements without a project, where a
# component registers itself and is left at once, and then adds it to the build.
IDF_REQUIREMENTS = """
macro(idf_component_register)
    return()
endmacro()
set(ESP_PLATFORM 1)
include(${CMAKE_ARGV3})
"""
IDF_BUILD = """
cmake_minimum_required(VERSION 3.16)
project(product C)
set(ESP_PLATFORM 1)
macro(idf_component_register)
    cmake_parse_arguments(component "" "" "SRCS;INCLUDE_DIRS" ${ARGN})
    set(COMPONENT_LIB component)
    add_library(component STATIC ${component_SRCS})
    target_include_directories(component PUBLIC ${component_INCLUDE_DIRS})
endmacro()
add_subdirectory(model)
add_executable(app app.c)
target_link_libraries(app PRIVATE component m)
"""


def test_the_model_is_a_component_of_esp_idf(tmp_path: Path, generate: Generate) -> None:
    if shutil.which("cmake") is None or shutil.which("cc") is None:
        pytest.skip("cmake and a C compiler are not both installed")
    model = generate(choose_target(load_board("native")), tmp_path / "p") / "lib" / "residual"
    shutil.copytree(model, tmp_path / "product" / "model")
    (tmp_path / "requirements.cmake").write_text(IDF_REQUIREMENTS)
    (tmp_path / "product" / "CMakeLists.txt").write_text(IDF_BUILD)
    (tmp_path / "product" / "app.c").write_text(
        '#include "residual.h"\nint main(void) { residual_invoke(); return 0; }\n'
    )
    component = str(model / "CMakeLists.txt")
    for command in (
        ["cmake", "-P", str(tmp_path / "requirements.cmake"), component],
        ["cmake", "-B", "out"],
        ["cmake", "--build", "out"],
        ["out/app"],
    ):
        done = subprocess.run(
            command, cwd=tmp_path / "product", capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
