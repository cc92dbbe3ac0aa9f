"""Flashing: the command for each way, and the cause of a failure in one line."""

import fcntl
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_tests.platformio.catalogue import known_boards
from firmware_tests.unit.test_platformio import project
from tinygen.board import Board
from tinygen.board.file import all_boards, load_board
from tinygen.build.image import BuildTool
from tinygen.causes import UPLOAD, explain
from tinygen.errors import BoardError, ToolError
from tinygen.firmware.manifest import ProjectError
from tinygen.flash.upload import FlashError, flash
from tinygen.flash.uploaders import SERIAL, Probe, direct_command, openocd_target, parse_probe
from tinygen.run.ports import PortError
from tinygen.usb.probes import UsbDevice, probes, usb_devices

# What the programs printed: openocd 0.12.0, stm32flash 0.7, bossac 1.9.1, dfu-util 0.11,
# st-flash 1.7.0, esptool 5.6.0, pyocd 0.46.0. Lines without news are left out.
PRINTED = [
    ("openocd -f interface/stlink.cfg",
     "hla_swd\nError: open failed\nin procedure 'program'\n** OpenOCD init failed **",
     "no debug probe is connected"),
    ("openocd -f interface/cmsis-dap.cfg",
     "swd\nError: unable to find a matching CMSIS-DAP device\n** OpenOCD init failed **",
     "no debug probe is connected"),
    ("openocd -f interface/jlink.cfg",
     "swd\nError: No J-Link device found\n** OpenOCD init failed **",
     "no debug probe is connected"),
    ("st-flash", "2026-01-01T10:01:48 WARN usb.c: Couldn't find any ST-Link devices",
     "no debug probe is connected"),
    ("pyocd load -W", "No connected debug probes\n0000452 E No target device available [load_cmd]",
     "no debug probe is connected"),
    ("stm32flash on a silent port",
     "Interface serial_posix: 115200 8N1\n\nFailed to init device, timeout.",
     "the chip's boot loader does not answer"),
    ("stm32flash without the port",
     'Error probing interface "serial_posix"\nCannot handle device "/dev/ttyUSB7"\n'
     "Failed to open port: /dev/ttyUSB7",
     "port /dev/ttyUSB7 cannot be opened"),
    ("bossac", "No device found on ttyACM0", "no board in its boot loader on ttyACM0"),
    ("dfu-util", "dfu-util: Warning: Invalid DFU suffix signature\n"
     "dfu-util: No DFU capable USB device available",
     "no board in its boot loader is connected"),
    ("esptool without the port",
     "ERROR: A fatal error occurred: Could not open /dev/ttyUSB7, the port is busy or doesn't "
     "exist.\n([Errno 2] could not open port /dev/ttyUSB7: [Errno 2] No such file or directory: "
     "'/dev/ttyUSB7')\n\nHint: Check if the port is correct and ESP connected",
     "there is no port /dev/ttyUSB7"),
    ("esptool on a port in use",
     "ERROR: A fatal error occurred: Could not open /dev/ttyUSB7, the port is busy or doesn't "
     "exist.\n([Errno 11] Could not exclusively lock port /dev/ttyUSB7: [Errno 11] Resource "
     "temporarily unavailable)",
     "port /dev/ttyUSB7 is in use by another program"),
    ("esptool without permission",
     "ERROR: A fatal error occurred: Could not open /dev/ttyUSB7, the port is busy or doesn't "
     "exist.\n([Errno 13] could not open port /dev/ttyUSB7: [Errno 13] Permission denied: "
     "'/dev/ttyUSB7')",
     "no permission to open /dev/ttyUSB7"),
    ("esptool on a silent port",
     "Connecting......\nERROR: A fatal error occurred: Failed to connect to ESP32: No serial data "
     "received.\nFor troubleshooting steps visit: https://docs.espressif.com/",
     "the chip did not enter its boot loader"),
    ("esptool on another chip",
     "ERROR: A fatal error occurred: This chip is ESP32, not ESP32-S3. Wrong chip argument?",
     "the chip is an ESP32, and the firmware is for ESP32-S3"),
    ("PlatformIO without a port",
     "Error: Please specify `upload_port` for environment or use global `--upload-port` option.",
     "no port of the board was found"),
]  # fmt: skip

# Words that only happen with a board: found in the programs themselves.
IN_PROGRAMS = [
    ("openocd", "init mode failed (unable to connect to the target)", "does not answer"),
    ("openocd", "** Verify Failed **", "does not read back"),
    ("dfu-util", "More than one DFU capable USB device found!", "more than one board"),
    ("stm32flash", "Got NACK from device on command", "boot loader does not answer"),
    ("stm32flash", "Failed to verify at address", "does not read back"),
]


@pytest.mark.parametrize(("output", "cause"), [p[1:] for p in PRINTED], ids=[p[0] for p in PRINTED])
def test_the_cause_is_one_line_with_a_remedy(output: str, cause: str) -> None:
    found = explain(UPLOAD, output, port="PORT", tool="TOOL")
    assert found is not None
    assert found.cause == cause
    assert "\n" not in found.cause and found.remedy


@pytest.mark.parametrize(("program", "words", "cause"), IN_PROGRAMS)
def test_what_only_happens_with_a_board_is_known_too(program: str, words: str, cause: str) -> None:
    found = explain(UPLOAD, words, port="PORT", tool="TOOL")
    assert found is not None and cause in found.cause
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    assert words.encode() in Path(path).read_bytes()


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: open failed", "no permission"),
        ("Cannot open DFU device 0483:df11 found on devnum 4 (LIBUSB_ERROR_ACCESS)", "permission"),
        ("Error: libusb_open() failed with LIBUSB_ERROR_BUSY", "another program uses"),
    ],
)
def test_a_probe_that_may_not_be_used_is_not_called_missing(output: str, cause: str) -> None:
    found = explain(UPLOAD, output, port="PORT", tool="TOOL")
    assert found is not None and cause in found.cause


@pytest.mark.parametrize("row", range(len(UPLOAD)))
def test_every_row_can_be_said(row: int) -> None:
    names = dict.fromkeys(("port", "chip", "wanted", "tool", "protocol"), "x")
    assert UPLOAD[row].cause.format(**names) and UPLOAD[row].remedy.format(**names)


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("", Probe("stlink")),
        ("jlink", Probe("jlink")),
        ("DAPLink", Probe("cmsis-dap")),
        ("stlink:066FFF38", Probe("stlink", "066FFF38")),
        (":066FFF38", Probe("stlink", "066FFF38")),
        ("066FFF38", Probe("stlink", "066FFF38")),
        ("serial", Probe("serial")),
    ],
)
def test_a_probe_is_a_protocol_a_serial_number_or_both(text: str, probe: Probe) -> None:
    assert parse_probe(text, load_board("nucleo_f446re")) == probe


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("nucleo_f446re", "stlnik:1", "unknown upload protocol 'stlnik'\n.*'stlink'"),
        ("nucleo_f446re", "stlink:1; shutdown", "no serial number"),
        ("nucleo_f446re", "no such thing", "unknown upload protocol"),
        ("esp32dev", "066FFF38", "'esptool' has no probe to choose"),
    ],
)
def test_any_other_probe_is_refused(name: str, text: str, words: str) -> None:
    with pytest.raises(BoardError, match=words):
        parse_probe(text, load_board(name))


@pytest.mark.parametrize(
    ("name", "options", "command"),
    [
        ("nucleo_f446re", {}, "pio run -e nucleo_f446re -t upload"),
        # An ST-Link is found by itself: the port is for the test that follows.
        ("nucleo_f446re", {"port": "/dev/ttyACM0"}, "pio run -e nucleo_f446re -t upload"),
        ("nucleo_f446re", {"probe": "066F"},
         "PLATFORMIO_UPLOAD_FLAGS='-c, adapter serial 066F' "
         "pio run -e nucleo_f446re -t upload"),
        ("nucleo_f446re", {"probe": "jlink"},
         "pio run -c .pio/tinygen-upload.ini -e nucleo_f446re -t upload"),
        ("esp32dev", {"port": "/dev/ttyUSB0"},
         "pio run -e esp32dev -t upload --upload-port /dev/ttyUSB0"),
        ("nucleo_f446re", {"tool": BuildTool.MAKE},
         "openocd -d1 -f interface/stlink.cfg -c 'transport select hla_swd' "
         "-f target/stm32f4x.cfg -c 'program {build/firmware.elf} verify reset exit'"),
        ("nrf52840_dk", {"tool": BuildTool.MAKE, "probe": "cmsis-dap:12"},
         "openocd -d1 -c 'adapter serial 12' -f interface/cmsis-dap.cfg -c 'transport select swd' "
         "-f target/nrf52.cfg -c 'program {build/firmware.elf} verify reset exit'"),
        ("bluepill_f103c8", {"tool": BuildTool.MAKE, "probe": "serial", "port": "/dev/ttyUSB0"},
         "stm32flash -b 115200 -v -g 0x08000000 -w build/firmware.bin /dev/ttyUSB0"),
    ],
)  # fmt: skip
def test_a_dry_run_gives_the_command_and_does_nothing(
    name: str, options: dict[str, str | BuildTool], command: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("PLATFORMIO_UPLOAD_FLAGS", raising=False)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr("tinygen.build.platformio.check", lambda *_, **__: None)
    directory = project(tmp_path / "p", name)
    report = flash(directory, **options, dry_run=True)  # type: ignore[arg-type]
    assert report.command == command
    assert not report.uploaded and report.built is None
    assert not (directory / "build").exists()
    assert not (directory / ".pio" / "build").exists()


def test_another_protocol_changes_one_line_of_the_configuration(tmp_path: Path) -> None:
    directory = project(tmp_path / "p", "nucleo_f446re")
    flash(directory, probe="jlink", tool=BuildTool.PIO, dry_run=True)
    ours = (directory / "platformio.ini").read_text().splitlines()
    changed = (directory / ".pio" / "tinygen-upload.ini").read_text().splitlines()
    assert [(a, b) for a, b in zip(ours, changed, strict=True) if a != b] == [
        ("upload_protocol = stlink", "upload_protocol = jlink")
    ]


def test_a_port_that_is_not_there_is_told_before_anything_is_built(tmp_path: Path) -> None:
    directory = project(tmp_path / "p", "esp32dev")
    with pytest.raises(PortError, match="there is no serial port /dev/ttyNONE"):
        flash(directory, "/dev/ttyNONE")
    assert not (directory / ".pio" / "build").exists()


def test_without_a_port_the_boards_is_looked_for_and_never_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ambiguous(board: Board) -> str:
        raise PortError(f"two ports may be {board.name}")

    monkeypatch.setattr("tinygen.flash.upload.port_of", ambiguous)
    with pytest.raises(PortError, match="two ports may be esp32dev"):
        flash(project(tmp_path / "p", "esp32dev"))
    monkeypatch.setattr("tinygen.flash.upload.port_of", lambda board: "/dev/ttyNONE")
    with pytest.raises(PortError, match="there is no serial port /dev/ttyNONE"):
        flash(tmp_path / "p")


def test_a_port_that_another_program_has_is_told(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with pytest.raises(PortError, match="in use"):
            flash(project(tmp_path / "p", "esp32dev"), os.ttyname(theirs))
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("name", ["esp32dev", "nucleo_f446re"])
def test_a_board_elsewhere_cannot_be_flashed_from_here(name: str, tmp_path: Path) -> None:
    with pytest.raises(FlashError, match=r"through a network.*\n.*--no-flash"):
        flash(project(tmp_path / "p", name), "socket://lab:4000", tool=BuildTool.PIO)


def test_there_is_nothing_to_upload_to_in_an_emulator(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="mps2-an386 is nothing to upload to"):
        flash(project(tmp_path / "p", "mps2-an386"))


def test_a_missing_uploader_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(ToolError, match="openocd is not installed"):
        flash(project(tmp_path / "p", "nucleo_f446re"), tool=BuildTool.MAKE)


def test_what_only_platformio_can_upload_is_told() -> None:
    with pytest.raises(ToolError, match="by 'dfu' needs PlatformIO"):
        direct_command(load_board("bluepill_f103c8"), "build/firmware.elf", Probe("dfu"), "")


STM32 = [b for b in all_boards() if b.mcu.startswith("STM32") and b.bare]


@pytest.mark.parametrize("board", STM32, ids=lambda b: b.name)
def test_openocds_target_is_the_one_that_platformio_names(board: Board) -> None:
    assert board.platformio is not None
    assert openocd_target(board) == known_boards()[board.platformio.board].openocd


def test_openocd_has_the_target_of_every_bare_board() -> None:
    if shutil.which("openocd") is None:
        pytest.skip("openocd is not installed")
    for name in sorted({openocd_target(b) for b in all_boards() if b.bare and b.platformio}):
        files = ("-f", "interface/cmsis-dap.cfg", "-f", f"target/{name}.cfg")
        done = subprocess.run(
            ["openocd", *files, "-c", "shutdown"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_every_boards_protocol_is_known() -> None:
    for board in all_boards():
        if board.platformio is not None:
            assert parse_probe("", board) == Probe(board.platformio.upload_protocol)
            assert parse_probe(board.platformio.upload_protocol, board) == parse_probe("", board)
    assert "stlink" not in SERIAL


def usb_tree(directory: Path, mode: int) -> tuple[Path, Path]:
    """A computer with an ST-Link and, on it, an interface; ``mode`` is who may open the device."""
    device = directory / "sys" / "1-2"
    device.mkdir(parents=True)
    (directory / "sys" / "1-2:1.0").mkdir()
    facts = {"idVendor": "0483", "idProduct": "374b", "busnum": "1", "devnum": "7", "serial": "AB"}
    for name, text in facts.items():
        (device / name).write_text(text + "\n")
    node = directory / "dev" / "001" / "007"
    node.parent.mkdir(parents=True)
    node.touch(mode=mode)
    return directory / "sys", directory / "dev"


def test_connected_probes_are_listed(tmp_path: Path) -> None:
    tree = usb_tree(tmp_path, 0o600)
    assert list(usb_devices(*tree)) == [UsbDevice("0483", "374b", "AB", usable=True)]
    assert [p.serial for p in probes("stlink", *tree)] == ["AB"]
    assert probes("jlink", *tree) == ()
    assert list(usb_devices(tmp_path / "no", tmp_path / "no")) == []


def test_a_probe_without_permission_is_told_with_the_udev_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidden = UsbDevice("0483", "374b", "AB", usable=False)
    monkeypatch.setattr("tinygen.flash.upload.probes", lambda kind: (forbidden,))
    with pytest.raises(FlashError, match=r"no permission .*\n.*udev") as error:
        flash(project(tmp_path / "p", "nucleo_f446re"), tool=BuildTool.PIO)
    assert "99-platformio-udev.rules" in error.value.hint
