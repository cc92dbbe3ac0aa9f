"""Detection names a board only where USB proves it, and picks a port only where one is left."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinygen.board import Board, Usb
from tinygen.board.file import all_boards, load_board
from tinygen.cli import main
from tinygen.run.ports import PortError
from tinygen.usb import detect as detection
from tinygen.usb import volumes as drives
from tinygen.usb.detect import (
    Finding,
    Port,
    connected_ports,
    detect,
    detect_text,
    find_port,
    port_of,
    to_json,
)
from tinygen.usb.volumes import Volume, linux_mounts, mounted_volumes, read_volume

BOARDS = all_boards()

MICROBIT_SERIAL = "99050000000000000000000000000000000000009796990a"
ST_LINK = Port("/dev/ttyACM0", "0483:374B", "066EFF303230", "1-2:1.2", "STM32 STLink")
MICROBIT = Port("/dev/ttyACM1", "0D28:0204", MICROBIT_SERIAL, "1-3:1.1", "DAPLink CMSIS-DAP")
J_LINK = Port("/dev/ttyACM2", "1366:1015", "000683", "1-4:1.0", "J-Link")
CP210X = Port("/dev/ttyUSB0", "10C4:EA60", "0001", "1-5", "CP2102N USB to UART Bridge Controller")
CH340 = Port("/dev/ttyUSB1", "1A86:7523", "", "1-6", "USB Serial")
NANO = Port("/dev/ttyACM3", "2341:805A", "53A1", "1-7:1.0", "Nano 33 BLE")
ESPRESSIF = Port("/dev/ttyACM4", "303A:1001", "34:85", "1-8:1.0", "USB JTAG/serial debug unit")
TEENSY = Port("/dev/ttyACM5", "16C0:0483", "1234560", "1-9:1.0", "USB Serial")
MODEM = Port("/dev/ttyACM6", "12D1:1506", "", "1-10:1.0", "HUAWEI Mobile")
BOARDLESS = Port("/dev/ttyS0")

F446_DRIVE = Volume("/media/me/NODE_F446RE", "0777", "", "1-2")


def the_finding(port: Port, *volumes: Volume) -> Finding:
    """What is found where one port is plugged in."""
    findings = detect([port], volumes, BOARDS)
    assert len(findings) == 1
    return findings[0]


@pytest.mark.parametrize(
    ("port", "board"),
    [
        (NANO, "nano33ble"),
        (replace(NANO, usb="2341:005A"), "nano33ble"),
        (replace(NANO, usb="2341:0069"), "uno_r4_minima"),
        (replace(NANO, usb="2886:802D"), "seeed_wio_terminal"),
        (MICROBIT, "bbcmicrobit_v2"),
        (replace(MICROBIT, serial_number="9900" + MICROBIT_SERIAL[4:]), "bbcmicrobit"),
    ],
)
def test_a_board_with_an_id_of_its_own_is_named(port: Port, board: str) -> None:
    finding = the_finding(port)
    assert finding.proven
    assert finding.boards == (board,)


@pytest.mark.parametrize("port", [CP210X, CH340, replace(CH340, usb="0403:6001")])
def test_a_bridge_is_called_a_bridge(port: Port) -> None:
    finding = the_finding(port)
    assert not finding.proven
    assert finding.boards == ()
    assert "USB-to-serial bridge: cannot name its board" in finding.what


def test_an_id_that_boards_share_names_none_of_them() -> None:
    teensy, espressif = detect([TEENSY, ESPRESSIF], (), BOARDS)
    assert not teensy.proven
    assert not espressif.proven
    assert set(teensy.boards) == {"teensy40", "teensy41"}
    assert {"esp32-s3-devkitc-1", "seeed_xiao_esp32c3"} <= set(espressif.boards)
    assert "one of teensy40, teensy41, perhaps" in detect_text([teensy])
    assert to_json([teensy])[0]["board"] is None


def test_two_board_files_with_one_id_are_said_to_be_two() -> None:
    twin = replace(load_board("nano33ble"), name="twin")
    (finding,) = detect([NANO], (), [*BOARDS, twin])
    assert not finding.proven
    assert finding.boards == ("nano33ble", "twin")


def test_a_probe_alone_names_no_board() -> None:
    for port, name in ((ST_LINK, "ST-Link"), (J_LINK, "J-Link")):
        finding = the_finding(port)
        assert finding.boards == ()
        assert finding.what == f"{name}: its board's code is not to be read"


def test_a_probes_drive_names_the_board_behind_the_same_plug() -> None:
    finding = the_finding(ST_LINK, F446_DRIVE)
    assert finding.proven
    assert finding.boards == ("nucleo_f446re",)
    assert finding.what == "ST-Link, board code 0777"


def test_a_drive_at_another_plug_stays_apart() -> None:
    st_link, drive = detect([ST_LINK], [replace(F446_DRIVE, location="1-21")], BOARDS)
    assert not st_link.proven
    assert st_link.boards == ()
    assert drive.port is None
    assert drive.place == F446_DRIVE.path
    assert drive.boards == ("nucleo_f446re",)


def test_a_drive_whose_plug_is_unknown_belongs_to_nobody() -> None:
    st_link, drive = detect([ST_LINK], [replace(F446_DRIVE, location="")], BOARDS)
    assert st_link.boards == ()
    assert drive.proven


def test_a_code_that_no_board_has_is_said_to_be_that() -> None:
    finding = the_finding(ST_LINK, replace(F446_DRIVE, code="0700"))
    assert finding.boards == ()
    assert finding.what == "ST-Link, board code 0700: not a known board"


def test_an_unknown_device_keeps_its_own_name() -> None:
    assert the_finding(MODEM).what == "HUAWEI Mobile: not a known board"


def test_ports_without_usb_are_left_out() -> None:
    assert detect([BOARDLESS], (), BOARDS) == ()
    assert detect_text(()).startswith("nothing is plugged in that could be a board")


def test_the_text_lines_up() -> None:
    text = detect_text(detect([ST_LINK, CP210X, NANO], [F446_DRIVE], BOARDS))
    assert text.splitlines() == [
        "/dev/ttyACM0  0483:374B  ST-Link, board code 0777: nucleo_f446re",
        "/dev/ttyUSB0  10C4:EA60  CP210x USB-to-serial bridge: cannot name its board",
        "/dev/ttyACM3  2341:805A  Arduino Nano 33 BLE (Sense): nano33ble",
    ]


def test_the_json_has_what_the_text_has() -> None:
    assert to_json([the_finding(ST_LINK, F446_DRIVE)]) == [
        {
            "port": "/dev/ttyACM0",
            "volume": None,
            "usb": "0483:374B",
            "serial_number": "066EFF303230",
            "what": "ST-Link, board code 0777",
            "board": "nucleo_f446re",
            "candidates": ["nucleo_f446re"],
            "code": "0777",
        }
    ]


@pytest.mark.parametrize(
    ("board", "ports", "volumes", "chosen"),
    [
        ("nano33ble", [ST_LINK, CP210X, NANO], [], NANO),
        ("nucleo_f446re", [BOARDLESS, ST_LINK, CP210X, MICROBIT], [], ST_LINK),
        ("nucleo_f446re", [ST_LINK, replace(ST_LINK, location="1-9:1.2")], [F446_DRIVE], ST_LINK),
        ("bbcmicrobit_v2", [ST_LINK, MICROBIT], [], MICROBIT),
        ("nrf52840_dk", [ST_LINK, J_LINK], [], J_LINK),
        ("esp32dev", [ST_LINK, CP210X, NANO], [], CP210X),
        ("bluepill_f103c8", [ST_LINK, CH340], [], CH340),
        ("teensy41", [TEENSY, CH340], [], TEENSY),
        ("seeed_xiao_esp32c3", [ESPRESSIF, CP210X], [], ESPRESSIF),
    ],
)
def test_the_only_port_that_fits_is_picked(
    board: str, ports: list[Port], volumes: list[Volume], chosen: Port
) -> None:
    assert find_port(load_board(board), ports, volumes, BOARDS) == chosen


@pytest.mark.parametrize(
    ("board", "ports", "volumes", "message"),
    [
        ("esp32dev", [CP210X, CH340], [], "2 ports can be esp32dev's:\n  /dev/ttyUSB0"),
        ("esp32-s3-devkitc-1", [CP210X, ESPRESSIF], [], "2 ports can be esp32-s3-devkitc-1's"),
        ("nucleo_h743zi", [ST_LINK, replace(ST_LINK, device="/dev/ttyACM9")], [], "2 ports can"),
        ("nano33ble", [], [], "no serial port looks like nano33ble's: no USB serial port is"),
        ("nano33ble", [BOARDLESS], [], "no USB serial port is plugged in"),
        ("nano33ble", [CP210X], [], "plugged in:\n  /dev/ttyUSB0  10C4:EA60  CP210x"),
        # Proven to be another board: not even where it is the only probe.
        ("nucleo_l4r5zi", [ST_LINK], [F446_DRIVE], "ST-Link, board code 0777: nucleo_f446re"),
        ("bbcmicrobit", [MICROBIT], [], "DAPLink, board code 9905: bbcmicrobit_v2"),
        # The ST-Link of this board has no serial port of the chip's.
        ("disco_f407vg", [ST_LINK], [], "no serial port looks like disco_f407vg's"),
    ],
)
def test_no_port_is_guessed(
    board: str, ports: list[Port], volumes: list[Volume], message: str
) -> None:
    with pytest.raises(PortError) as error:
        find_port(load_board(board), ports, volumes, BOARDS)
    assert message in error.value.message
    assert error.value.hint.startswith("--port PORT says")
    assert error.value.exit_code == 2


def board_without_codes() -> Board:
    """A board of a user's own that has an ST-Link."""
    return replace(load_board("nucleo_f446re"), name="mine", usb=Usb(probe="stlink"))


def test_a_board_without_codes_takes_a_probe_whose_code_nobody_has() -> None:
    mine = board_without_codes()
    unknown = replace(F446_DRIVE, code="0700")
    assert find_port(mine, [ST_LINK], [unknown], [*BOARDS, mine]) == ST_LINK
    with pytest.raises(PortError, match="board code 0777: nucleo_f446re"):
        find_port(mine, [ST_LINK], [F446_DRIVE], [*BOARDS, mine])


def test_a_board_that_only_its_file_names_is_found_too() -> None:
    mine = replace(load_board("nano33ble"), name="mine", usb=Usb(ids=("1234:ABCD",)))
    port = replace(NANO, usb="1234:ABCD")
    assert find_port(mine, [CP210X, port], [], BOARDS) == port
    with pytest.raises(PortError, match="not a known board"):
        find_port(load_board("nano33ble"), [port], [], BOARDS)


def test_the_drive_of_an_st_link_tells_its_code(tmp_path: Path) -> None:
    (tmp_path / "mbed.htm").write_bytes(
        b'<meta http-equiv="refresh" content="0; url=https://www.st.com/?code=07770221066BFF"/>\r\n'
    )
    assert read_volume(tmp_path, "1-2") == Volume(str(tmp_path), "0777", "", "1-2")


def test_the_drive_of_a_daplink_tells_its_number(tmp_path: Path) -> None:
    (tmp_path / "DETAILS.TXT").write_text(
        f"# DAPLink\r\nUnique ID: {MICROBIT_SERIAL}\r\nHIC ID\r\n"
    )
    (tmp_path / "MBED.HTM").write_text("?code=9905")
    volume = read_volume(tmp_path)
    assert volume == Volume(str(tmp_path), "9905", MICROBIT_SERIAL)
    finding = the_finding(MICROBIT, volume)
    assert finding.boards == ("bbcmicrobit_v2",)


def test_another_drive_is_no_probes(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("?code=0777")
    (tmp_path / "MBED.HTM").write_text("no link")
    assert read_volume(tmp_path) is None
    assert read_volume(tmp_path / "gone") is None


def test_linux_tells_where_a_drive_is_plugged_in(tmp_path: Path) -> None:
    device = tmp_path / "devices/pci0000:00/usb1/1-1/1-1.4/1-1.4:1.0/host6/target6:0:0/block/sdb"
    device.mkdir(parents=True)
    sysfs = tmp_path / "class"
    sysfs.mkdir()
    (sysfs / "sdb").symlink_to(device)
    mounts = (
        "proc /proc proc rw 0 0\n"
        "/dev/sda1 / ext4 rw 0 0\n"
        "/dev/sdb /media/me/NODE\\040F446 vfat rw 0 0\n"
        "/dev/nvme0n1p1 /boot/efi vfat rw 0 0\n"
        "damaged\n"
    )
    assert list(linux_mounts(mounts, sysfs)) == [
        (Path("/media/me/NODE F446"), "1-1.4"),
        (Path("/boot/efi"), ""),
    ]


def test_what_is_plugged_in_here_can_be_listed() -> None:
    findings = detect(connected_ports(), mounted_volumes(), BOARDS)
    assert len(to_json(findings)) == len(findings)
    assert all(f.place in detect_text(findings) for f in findings)


@pytest.fixture
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ST-Link of a Nucleo, a bridge, and a port that is none of USB's."""
    monkeypatch.setattr(detection, "connected_ports", lambda: (BOARDLESS, ST_LINK, CP210X))
    for module in (detection, drives):
        monkeypatch.setattr(module, "mounted_volumes", lambda: (F446_DRIVE,))


@pytest.mark.usefixtures("plugged_in")
def test_the_command_lists_what_is_plugged_in() -> None:
    done = CliRunner().invoke(main, ["boards", "--detect"])
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "/dev/ttyACM0  0483:374B  ST-Link, board code 0777: nucleo_f446re",
        "/dev/ttyUSB0  10C4:EA60  CP210x USB-to-serial bridge: cannot name its board",
    ]
    done = CliRunner().invoke(main, ["boards", "--detect", "--json"])
    assert [f["board"] for f in json.loads(done.output)] == ["nucleo_f446re", None]


@pytest.mark.usefixtures("plugged_in")
def test_a_boards_port_is_found_among_what_is_plugged_in() -> None:
    assert port_of(load_board("nucleo_f446re")) == "/dev/ttyACM0"
    assert port_of(load_board("esp32dev")) == "/dev/ttyUSB0"
    with pytest.raises(PortError, match="no serial port looks like nano33ble's"):
        port_of(load_board("nano33ble"))
