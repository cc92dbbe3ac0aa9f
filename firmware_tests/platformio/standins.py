"""PlatformIO's packages, made on the spot from what this computer has.

``pio run`` takes them for its own: the directory holds a platform, a toolchain and SCons under the
names, owners and versions that a generated ``platformio.ini`` and PlatformIO itself ask for, so
that nothing has to be downloaded. The toolchain is the system's; the platform is
``standin_builder.py`` with the boards of ``catalogue.toml``.
"""

import json
import shutil
from pathlib import Path

from firmware_tests.platformio.catalogue import Known, known_boards, platform_versions

# Any version will do for PlatformIO as long as it lies where the platforms' own tables point.
_TOOLCHAIN = "1.120201.0"
# Version, and the system's program behind it.
_UPLOADERS = {
    "tool-openocd": ("3.1200.0", "openocd"),
    "tool-stm32flash": ("0.7.0", "stm32flash"),
    "tool-esptoolpy": ("2.41100.0", "esptool"),
}
# The platforms whose boards need no framework, and one for its uploader.
BARE = ("ststm32", "nordicnrf51", "nordicnrf52")
STAND_INS = (*BARE, "espressif32")


def make_core_dir(core: Path, scons: str) -> Path:
    """Fill ``core``, a value for PLATFORMIO_CORE_DIR, and return it.

    ``scons`` is the version of SCons that PlatformIO asks for, as its package is numbered.
    """
    packages = core / "packages"
    _tool(packages / "tool-scons", scons)
    run_scons = "import sys\nfrom SCons.Script.Main import main\nsys.exit(main())\n"
    (packages / "tool-scons" / "scons.py").write_text(run_scons)
    _wrap(_tool(packages / "toolchain-gccarmnoneeabi", _TOOLCHAIN), "arm-none-eabi-*")
    for name, (version, program) in _UPLOADERS.items():
        _wrap(_tool(packages / name, version), program)
    run_esptool = "import sys\n\ndel sys.path[0]\nfrom esptool import _main\n\nsys.exit(_main())\n"
    (packages / "tool-esptoolpy" / "esptool.py").write_text(run_esptool)
    for name in STAND_INS:
        _platform(core / "platforms" / name)
    return core


def _tool(directory: Path, version: str) -> Path:
    name = directory.name
    directory.mkdir(parents=True)
    manifest = {"name": name, "version": version, "description": "a stand-in", "system": "*"}
    (directory / "package.json").write_text(json.dumps(manifest))
    _installed(directory, "tool", version)
    return directory


def _wrap(package: Path, pattern: str) -> None:
    """Link the system's programs into ``package``."""
    (package / "bin").mkdir()
    for directory in ("/usr/bin", "/usr/local/bin"):
        for program in Path(directory).glob(pattern):
            (package / "bin" / program.name).symlink_to(program)


def _platform(directory: Path) -> None:
    name = directory.name
    (directory / "builder").mkdir(parents=True)
    (directory / "boards").mkdir()
    uploaders = {
        tool: {"type": "uploader", "optional": True, "owner": "platformio", "version": version}
        for tool, (version, _) in _UPLOADERS.items()
    }
    # The range of the real platforms: what the generated ini does not override is not found.
    toolchain = {"type": "toolchain", "owner": "platformio", "version": ">=1.60301.0,<1.80000.0"}
    packages = {"toolchain-gccarmnoneeabi": toolchain} if name in BARE else {}
    version = platform_versions()[name]
    manifest = {
        "name": name, "version": version, "title": name, "description": "a stand-in",
        "engines": {"platformio": "^6"}, "packages": packages | uploaders,
        "frameworks": {} if name in BARE else {"arduino": {"script": "builder/nothing.py"}},
    }  # fmt: skip
    (directory / "platform.json").write_text(json.dumps(manifest))
    (directory / "platform.py").write_text(
        "from platformio.public import PlatformBase\n\n\n"
        f"class {name.capitalize()}Platform(PlatformBase):\n    pass\n"
    )
    script = "standin_builder.py" if name in BARE else "standin_esp_builder.py"
    shutil.copyfile(Path(__file__).with_name(script), directory / "builder" / "main.py")
    (directory / "builder" / "nothing.py").write_text("")
    for board, facts in known_boards().items():
        if facts.platform == name:
            (directory / "boards" / f"{board}.json").write_text(json.dumps(_board(board, facts)))
    _installed(directory, "platform", version)


def _board(name: str, facts: Known) -> dict[str, object]:
    return {
        "name": name, "vendor": "a stand-in", "url": "",
        "frameworks": facts.frameworks,
        "build": {"cpu": facts.cpu, "f_cpu": f"{facts.f_cpu}L", "mcu": facts.mcu},
        "debug": {"openocd_target": facts.openocd} if facts.openocd else {},
        "upload": {
            "maximum_size": facts.flash, "maximum_ram_size": facts.ram,
            "protocol": facts.protocols[0], "protocols": facts.protocols,
        },
    }  # fmt: skip


def _installed(directory: Path, kind: str, version: str) -> None:
    """The note that PlatformIO leaves in a package that came from its registry."""
    name = directory.name
    spec = {"owner": "platformio", "id": None, "name": name, "requirements": None, "uri": None}
    note = {"type": kind, "name": name, "version": version, "spec": spec}
    (directory / ".piopm").write_text(json.dumps(note))
