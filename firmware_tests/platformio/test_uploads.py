"""Real uploaders, driven by ``tinygen flash``, speak to boot loaders on pseudo-terminals."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from firmware_tests.platformio.conftest import Generate
from firmware_tests.platformio.fake_esp32 import FakeEsp32
from firmware_tests.platformio.fake_stm32 import FakeStm32
from firmware_tests.platformio.pty_device import Wire, pty_device
from firmware_tests.tiers import Prove
from tinygen.board.file import load_board
from tinygen.build.image import BuildTool
from tinygen.firmware.target import choose_target
from tinygen.flash.upload import FlashError, flash

APPLICATION = 0x10000


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


@pytest.fixture
def esp32_project(tmp_path: Path, generate: Generate, stand_ins: Path) -> Path:
    del stand_ins
    needs("xtensa-lx106-elf-gcc")
    if importlib.util.find_spec("esptool") is None:
        pytest.skip("esptool is not installed")
    return generate(choose_target(load_board("esp32dev"), "arduino"), tmp_path / "p")


@pytest.fixture
def bluepill_project(
    tmp_path: Path, generate: Generate, stand_ins: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    del stand_ins
    needs("stm32flash")
    # A pseudo-terminal has no parity, which the real boot loader asks for.
    monkeypatch.setenv("PLATFORMIO_UPLOAD_FLAGS", "-m, 8n1")
    return generate(choose_target(load_board("bluepill_f103c8"), "bare"), tmp_path / "p")


def test_esptool_writes_the_application(esp32_project: Path, prove: Prove) -> None:
    chip, lines = FakeEsp32(), list[str]()
    with pty_device(chip.serve) as port:
        report = flash(esp32_project, port, progress=lines.append)
    assert report.command == f"pio run -e esp32dev -t upload --upload-port {port}"
    image = (esp32_project / ".pio" / "build" / "esp32dev" / "firmware.bin").read_bytes()
    assert len(image) > 500
    assert chip.flash[APPLICATION : APPLICATION + len(image)] == image
    assert "Hash of data verified." in lines
    assert any("100.0%" in line for line in lines)
    prove("esp32dev", "uploader", "arduino")


def test_the_sizes_come_before_the_upload(esp32_project: Path) -> None:
    chip, lines = FakeEsp32(), list[str]()
    with pty_device(chip.serve) as port:
        flash(esp32_project, port, progress=lines.append)
    (sizes,) = (i for i, line in enumerate(lines) if line.startswith("built "))
    (command,) = (i for i, line in enumerate(lines) if line.startswith("$ pio run"))
    upload = min(i for i, line in enumerate(lines) if "esptool" in line)
    assert sizes < command < upload
    assert "flash" in lines[sizes] and "RAM" in lines[sizes]


def test_another_chip_is_named(esp32_project: Path, tmp_path: Path, generate: Generate) -> None:
    del esp32_project
    directory = generate(choose_target(load_board("esp32-s3-devkitc-1"), "arduino"), tmp_path / "s")
    with (
        pty_device(FakeEsp32().serve) as port,
        pytest.raises(FlashError, match="the chip is an ESP32, and the firmware is for ESP32-S3"),
    ):
        flash(directory, port)


def test_a_chip_that_is_not_in_its_boot_loader_is_told(esp32_project: Path) -> None:
    def deaf(wire: Wire) -> None:
        while wire.read(1):
            pass

    with pty_device(deaf) as port, pytest.raises(FlashError, match="did not enter its boot loader"):
        flash(esp32_project, port)


def test_stm32flash_writes_and_starts_the_image(bluepill_project: Path, prove: Prove) -> None:
    chip = FakeStm32()
    with pty_device(chip.serve) as port:
        report = flash(bluepill_project, port, "serial")
    assert report.protocol == "serial"
    image = (bluepill_project / ".pio" / "build" / "bluepill_f103c8" / "firmware.bin").read_bytes()
    assert chip.flash[: len(image)] == image
    assert chip.started_at == 0x0800_0000
    # The board's own protocol stays what it was.
    assert "upload_protocol = stlink" in (bluepill_project / "platformio.ini").read_text()
    prove("bluepill_f103c8", "uploader")


def test_a_boot_loader_that_does_not_answer_is_told(bluepill_project: Path) -> None:
    def deaf(wire: Wire) -> None:
        while wire.read(1):
            pass

    with pty_device(deaf) as port, pytest.raises(FlashError, match=r"does not answer\n.*BOOT0"):
        flash(bluepill_project, port, "serial")


def test_an_upload_that_platformio_leaves_out_is_no_success(bluepill_project: Path) -> None:
    with pytest.raises(FlashError, match="cannot upload to this board by 'mbed'"):
        flash(bluepill_project, probe="mbed")


# PlatformIO drives a J-Link with SEGGER's own program.
@pytest.mark.parametrize(
    ("tool", "probe"),
    [
        (BuildTool.MAKE, "stlink"),
        (BuildTool.MAKE, "cmsis-dap"),
        (BuildTool.MAKE, "jlink"),
        (BuildTool.PIO, "stlink"),
        (BuildTool.PIO, "cmsis-dap"),
    ],
)
def test_openocd_without_a_probe_says_so(
    tool: BuildTool, probe: str, tmp_path: Path, generate: Generate, stand_ins: Path
) -> None:
    del stand_ins
    needs("openocd")
    directory = generate(choose_target(load_board("nucleo_l4r5zi"), "bare"), tmp_path / "p")
    # The number of no probe: what is plugged in where the tests run must not be written to.
    with pytest.raises(FlashError, match="no debug probe is connected"):
        flash(directory, probe=f"{probe}:999999999", tool=tool)
