"""The monitor: text as it comes, frames in words, and nothing that stops it but the time."""

import struct
import threading
from pathlib import Path

import pytest

from firmware_tests.fault_proxy import PtyPort
from tinygen.errors import DeviceError, TinygenError
from tinygen.run.frames import Frame, encode_frame
from tinygen.run.monitor import LogReader, monitor, where_in
from tinygen.run.protocol import Message, Refusal


def fed(*pieces: bytes) -> list[str]:
    reader = LogReader(lambda address: f"<{address:x}>")
    return [line for piece in pieces for line in reader.feed(piece)] + reader.finish()


def test_text_is_shown_line_by_line_as_it_comes() -> None:
    reader = LogReader()
    assert reader.feed(b"rst:0x1\r\nboot") == ["rst:0x1"]
    assert reader.feed(b" done\r\n21 \xc2\xb0C\r\n") == ["boot done", "21 °C"]
    assert reader.feed(b"login: ") == []
    assert reader.finish() == ["login: "]
    assert reader.finish() == []


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (Frame(0x84, 10, 7, b"12"), "[reply to INVOKE, number 7 of session 0000000a, 2 bytes]"),
        (Frame(0x55, 1, 2), "[type 0x55, number 2 of session 00000001, 0 bytes]"),
        (
            Frame(Message.REFUSED, 1, 9, struct.pack("<BH", Refusal.SEQUENCE, 4)),
            "[REFUSED SEQUENCE, number 9 of session 00000001; 4 is expected]",
        ),
        (
            Frame(Message.CRASH, 1, 0, struct.pack("<5I", 3, 0x10, 0x20, 1 << 25, 0)),
            "[the firmware crashed: HardFault (division by zero) at <10>, called from <20>]",
        ),
        (Frame(Message.CRASH, 1, 0, b"?"), "[CRASH, number 0 of session 00000001, 1 bytes]"),
    ],
    ids=["reply", "unknown", "refused", "crash", "damaged crash"],
)  # fmt: skip
def test_a_frame_is_one_readable_line(frame: Frame, line: str) -> None:
    assert fed(b"before\r\n", encode_frame(frame), b"after\r\n") == ["before", line, "after"]


def test_a_frame_in_single_bytes_is_one_line_too() -> None:
    wire = b"text\n" + encode_frame(Frame(0x81, 5, 0, b"\n\n\nlines\n" * 30))
    assert fed(*(wire[i : i + 1] for i in range(len(wire)))) == [
        "text",
        "[reply to IDENTIFY, number 0 of session 00000005, 270 bytes]",
    ]


def test_noise_is_counted_and_does_not_fill_the_memory() -> None:
    assert fed(b"\xff\x01\x80\0ok\n") == ["[3 bytes that are neither text nor a frame]", "ok"]
    reader = LogReader()
    assert sum(len(reader.feed(b"\xfe" * 8192)) for _ in range(40)) > 1


def test_functions_are_named_only_where_there_is_an_image(tmp_path: Path) -> None:
    assert where_in(None)(0x123) == "0x00000123"
    (tmp_path / "no.elf").write_bytes(b"no ELF file")
    assert where_in(tmp_path / "no.elf")(0x123) == "0x00000123"
    with pytest.raises(TinygenError, match="not a tinygen project"):
        where_in(tmp_path)


@pytest.mark.parametrize("timestamps", [False, True])
def test_a_port_is_watched_through_a_lost_connection_until_ctrl_c(
    tmp_path: Path, timestamps: bool
) -> None:
    port = PtyPort(tmp_path / "port")
    port.plug()
    seen: list[str] = []
    first, ended = threading.Event(), threading.Event()

    def show(line: str) -> None:
        seen.append(line.partition("  ")[2] if timestamps else line)
        if seen[-1] == "line 0":
            first.set()
        if seen[-1] == "line 1":
            raise KeyboardInterrupt

    def feed() -> None:
        while not first.wait(0.02):
            port.write(b"line 0\r\n")
        port.unplug()
        port.plug()
        while not ended.wait(0.02):
            port.write(b"line 1\r\n")
        port.unplug()

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        monitor(port.url, show, timestamps=timestamps)
    finally:
        ended.set()
        feeder.join()
    assert seen[0] == "line 0"
    assert seen[-1] == "line 1"
    assert any("is lost" in line and "waiting for it" in line for line in seen)


def test_a_quiet_port_is_watched_for_the_time_that_is_asked_for(tmp_path: Path) -> None:
    port = PtyPort(tmp_path / "port")
    port.plug()
    try:
        monitor(port.url, pytest.fail, seconds=0.05)
    finally:
        port.unplug()


def test_a_port_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="there is no serial port"):
        monitor(str(tmp_path / "none"), print, seconds=1.0)
