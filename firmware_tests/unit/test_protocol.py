"""The serial protocol's codec: what goes in comes out, nothing else is taken for a frame."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygen.ir import DType
from tinygen.run.frames import Frame, FrameReader, ProtocolError, decode_frame, encode_frame
from tinygen.run.protocol import decode_crash, decode_identity, decode_refused, decode_tensor

frames = st.builds(
    Frame,
    st.integers(0, 255),
    st.integers(0, 2**32 - 1),
    st.integers(0, 65535),
    st.binary(max_size=700),
)


@given(frames)
def test_a_frame_survives_the_line(frame: Frame) -> None:
    wire = encode_frame(frame)
    assert wire[0] == wire[-1] == 0
    assert 0 not in wire[1:-1]
    assert decode_frame(wire[1:-1]) == frame


@given(st.lists(frames, max_size=5), st.binary(max_size=50), st.integers(1, 64))
def test_frames_are_found_behind_noise_and_in_pieces(
    sent: list[Frame], noise: bytes, piece: int
) -> None:
    reader, received = FrameReader(), []
    stream = noise + b"".join(encode_frame(f) for f in sent)
    for start in range(0, len(stream), piece):
        received += reader.feed(stream[start : start + piece])
    assert received == sent


@given(frames, st.data())
def test_a_changed_byte_never_gives_another_frame(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(encode_frame(frame))
    index = data.draw(st.integers(0, len(wire) - 1))
    wire[index] ^= data.draw(st.integers(1, 255))
    assert all(f == frame for f in FrameReader().feed(bytes(wire)))


@given(st.binary(max_size=300))
def test_payloads_are_decoded_or_refused_but_nothing_else(payload: bytes) -> None:
    for decode in (decode_identity, decode_tensor, decode_crash, decode_refused):
        try:
            decode(payload)
        except ProtocolError:
            continue


def test_endless_noise_does_not_fill_the_memory() -> None:
    reader = FrameReader()
    for _ in range(40):
        assert reader.feed(b"\x55" * 8192) == []
    assert reader.damaged >= 2


def test_text_between_frames_is_kept_and_is_no_damage() -> None:
    reader = FrameReader()
    frame = Frame(1, 2, 3, b"payload")
    banner = b"rst:0x1 (POWERON)\r\n\r\ntinygen 1: model on board\r\n"
    assert reader.feed(banner + encode_frame(frame) + b"\x07\x9f\0") == [frame]
    assert list(reader.lines) == ["rst:0x1 (POWERON)", "tinygen 1: model on board"]
    assert reader.damaged == 1


def test_another_protocol_version_is_named() -> None:
    with pytest.raises(ProtocolError, match="version 9, not 2"):
        decode_identity(bytes((9,)) + bytes(100))


def test_a_tensor_is_described() -> None:
    payload = struct.pack("<BBBxIfi3I", 0, 3, 1, 24, 0.5, -3, 2, 3, 4)
    info = decode_tensor(payload)
    assert (info.dtype, info.shape, info.nbytes) == (DType.INT8, (2, 3, 4), 24)
    assert (info.scale, info.zero_point) == (0.5, -3)


def test_a_crash_is_told_in_words() -> None:
    crash = decode_crash(struct.pack("<5I", 3, 0x1234, 0x5678, 1 << 16, 0))
    assert crash.cause == "HardFault (undefined instruction)"
