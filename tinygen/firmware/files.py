"""Which files make up a firmware project, and what their templates are told.

    lib/<model>/   the model alone
    src/           main and port of the framework
    src/device/    what is the same under every framework
    bare/          start-up and drivers where no framework is needed

A file of ``templates/firmware`` is copied; one that ends in ``.j2`` is rendered.
"""

from typing import Any

from tinygen import __version__, ctext
from tinygen.board import Board, Framework
from tinygen.emit import ArenaKind, Program, constant_symbols, emit, render
from tinygen.errors import UnsupportedError
from tinygen.firmware import mlperf
from tinygen.firmware.manifest import MANIFEST, board_copy, manifest_text
from tinygen.firmware.renode import renode_files
from tinygen.firmware.target import App, Target
from tinygen.instances import Optimize
from tinygen.ir import DType, Tensor
from tinygen.resources import data_dir

# The firmware's order of element types; see templates/firmware/protocol.h.
DTYPE_CODES = tuple(DType)

_DEVICE = (
    "app.h", "board.h", "crc32.c", "crc32.h", "firmware_model.c", "firmware_model.h", "layers.c",
    "layers.h", "platform.h", "uart.h",
)  # fmt: skip
_DEVICE_APP = ("frame.c", "frame.h", "protocol.c", "protocol.h")
_MLPERF_APP = (
    "mlperf.c", "mlperf.h", "mlperf_config.h", "mlperf_tensor.c", "mlperf_tensor.h",
    "mlperf_text.c", "mlperf_text.h",
)  # fmt: skip
# What every framework's port shares.
_PORT = {"port.c": "port.c", "port.h": "port.h"}
_MAIN = {
    Framework.HOST: {"main.c": "host.c"},
    Framework.BARE: {"main.c": "main_bare.c"},
    Framework.ARDUINO: {
        "main.cpp": "main_arduino.cpp",
        "port_arduino.cpp": "port_arduino.cpp",
        "cycles.h": "cycles.h",
        **_PORT,
    },
    Framework.ESPIDF: {
        "main.c": "main_espidf.c",
        "port_espidf.c": "port_espidf.c",
        "CMakeLists.txt": "espidf_CMakeLists.txt",
        **_PORT,
    },
    Framework.STM32CUBE: {
        "main.c": "main_stm32cube.c",
        "port_stm32cube.c": "port_stm32cube.c",
        "cycles.h": "cycles.h",
        **_PORT,
    },
}
_START = {
    "cortex_m": ("cortex_m.c", "cycles.h", "semihosting.c"),
    "riscv": ("riscv.c", "semihosting.c"),
    "xtensa": ("xtensa.c", "simcall.c", "simcall.h", "arithmetic_lx106.c"),
}
_BARE = ("board_setup.c", "mmio.h", "setup.h", "start.c", "start.h", "timer.h")

_HOST_TIMER_HZ = 1_000_000_000


def project_files(program: Program, target: Target) -> dict[str, str]:
    """Every file of the project by its path: the same input always gives the same text.

    Raises UnsupportedError for a model name that the firmware needs itself.
    """
    if program.name == "firmware":
        raise UnsupportedError(
            "a model cannot be called 'firmware': the firmware is", "choose another with --name"
        )
    board = target.board
    model = emit(program)
    context = _context(program, target)
    files = {f"lib/{program.name}/{name}": text for name, text in model.items()}
    files |= {path: _firmware(name, context) for path, name in firmware_paths(target).items()}
    files |= {path: render(f"project/{name}", context) for path, name in _build_files(target)}
    files[f"lib/{program.name}/CMakeLists.txt"] = render("project/model_CMakeLists.txt.j2", context)
    files[f"lib/{program.name}/library.json"] = render("project/library.json.j2", context)
    files[board_copy(board.name)] = board.source
    files[".gitignore"] = "/build/\n/.pio/\n"
    if board.bare:
        files |= renode_files(board, image_path(target), suite=target.app is App.DEVICE)
    constants = constant_symbols(model, program.name)
    symbol = arena_symbol(program)
    manifest = manifest_text(program, target, image_path(target), symbol, constants, list(files))
    return files | {MANIFEST: manifest}


def firmware_paths(target: Target) -> dict[str, str]:
    """The firmware's source files: path in the project to name in ``templates/firmware``."""
    board, framework = target.board, target.framework
    app = _DEVICE_APP if target.app is App.DEVICE else _MLPERF_APP
    paths = {f"src/device/{name}": name for name in (*_DEVICE, *app)}
    paths |= {f"src/{path}": name for path, name in _MAIN[framework].items()}
    if board.bare:
        assert board.uart is not None and board.timer is not None
        drivers = (f"uart_{board.uart.driver}.c", f"timer_{board.timer.driver}.c")
        bare = (*_START[board.core.arch], *_BARE, *drivers)
        paths |= {f"bare/{name}": name for name in bare}
        if framework is not Framework.BARE:
            paths["bare/main.c"] = "main_bare.c"
    return paths


def image_path(target: Target) -> str:
    """What make links, relative to the project."""
    return "build/firmware" if target.framework is Framework.HOST else "build/firmware.elf"


def arena_symbol(program: Program) -> str:
    """The name of the arena in the linked image."""
    static = program.provenance.arena is ArenaKind.STATIC
    return f"{program.name}_arena" if static else "firmware_arena"


def environment_name(board: Board) -> str:
    """PlatformIO's name for the project's one environment."""
    return board.name


def _build_files(target: Target) -> list[tuple[str, str]]:
    """Paths of the build systems' files, with their templates in ``templates/project``."""
    board, framework = target.board, target.framework
    files = [("README.md", "README.md.j2")]
    if board.bare or board.hosted:
        files.append(("Makefile", "Makefile.j2"))
    if board.bare:
        files.append(("CMakeLists.txt", "CMakeLists.txt.j2"))
        files.append(("linker.ld", "linker.ld.j2"))
    if board.platformio is not None:
        files.append(("platformio.ini", "platformio.ini.j2"))
        if framework is Framework.BARE:
            files.append(("pio_bare.py", "pio_bare.py.j2"))
    if framework is Framework.ESPIDF:
        files.append(("CMakeLists.txt", "espidf_project.cmake.j2"))
        files.append(("sdkconfig.defaults", "sdkconfig.defaults.j2"))
        files.append(("partitions.csv", "partitions.csv.j2"))
    return files


def _firmware(name: str, context: dict[str, Any]) -> str:
    template = data_dir("templates") / "firmware" / name
    if template.is_file():
        return template.read_text(encoding="utf-8")
    return render(f"firmware/{name}.j2", context)


def _context(program: Program, target: Target) -> dict[str, Any]:
    board = target.board
    static = program.provenance.arena is ArenaKind.STATIC
    heap = target.heap_arena(program.memory.arena_bytes)
    assert not (heap and static)
    arena = target.arena_region
    placed = bool(program.provenance.kernel_section) and target.framework is Framework.BARE
    hot = board.layout.kernels if placed and board.layout else None
    argument = "" if static else "arena" if heap else "&firmware_arena"
    sides = (("INPUT", program.graph.inputs), ("OUTPUT", program.graph.outputs))
    image = image_path(target)
    return {
        "name": program.name,
        "macro": program.name.upper(),
        "version": __version__,
        "board": board,
        "framework": target.framework.value,
        "app": target.app.value,
        "mlperf": None
        if target.app is App.DEVICE
        else mlperf.wire(program.name, program.graph, target.app),
        "layout": board.layout,
        "arena_region": arena,
        "hot_region": hot,
        "kernel_section": program.provenance.kernel_section,
        "environment": environment_name(board),
        "emulated": target.emulated,
        "timer_hz": board.timer.hz if board.timer else _HOST_TIMER_HZ,
        "image": image.removeprefix("build/"),
        "image_path": image,
        "optimization": "-Os" if program.provenance.optimize is Optimize.SIZE else "-O2",
        "layers": len(program.layers),
        "states": len(program.graph.states),
        "static_arena": static,
        "heap_arena": heap,
        "psram": target.psram,
        "arena_argument": argument,
        "arena_symbol": arena_symbol(program),
        "arena_bytes": program.memory.arena_bytes,
        "model_file": ctext.comment(program.provenance.model_file).replace("`", "_"),
        "options": program.provenance.options,
        "tensors": [
            _binding(side, index, tensor)
            for side, tensors in sides
            for index, tensor in enumerate(tensors)
        ],
        "usage": _usage(program, "" if static else "&arena"),
    }


def _binding(side: str, index: int, tensor: Tensor) -> dict[str, Any]:
    return {
        "side": side,
        "index": index,
        "dtype": tensor.dtype.value,
        "dtype_code": DTYPE_CODES.index(tensor.dtype),
        "quantized": tensor.quant is not None and not tensor.quant.per_channel,
    }


def _usage(program: Program, argument: str) -> list[str]:
    """The lines of C that the README shows."""
    name, macro = program.name, program.name.upper()
    lines = [f"{name}_reset({argument}); /* once, before a sequence */"] * bool(
        program.graph.states
    )
    lines += [
        f"memcpy({name}_input_{i}({argument}), input_{i}, {macro}_INPUT_{i}_BYTES);"
        for i in range(len(program.graph.inputs))
    ]
    lines.append(f"{name}_invoke({argument});")
    lines += [
        f"memcpy(output_{i}, {name}_output_{i}({argument}), {macro}_OUTPUT_{i}_BYTES);"
        for i in range(len(program.graph.outputs))
    ]
    return lines
