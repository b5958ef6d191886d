"""Frames: what is encoded comes back, however it arrives; what is none is refused, and no more."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nekonex.connect.protocol import Frame, FrameDecoder, FrameError, Status, encode_frame
from nekonex.connect.protocol.frames import HEADER_SIZE, MAX_OP, encode_op

MAX_DATA = 300

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
frames = st.builds(
    Frame,
    greeter=texts.filter(bool),
    op=st.integers(0, MAX_OP) | st.sampled_from([0, 200, 255, 256, 404, 65536]),
    random=texts,
    data=st.binary(max_size=MAX_DATA),
    hash=st.binary(max_size=70),
)


def encoded(frame: Frame) -> bytes:
    return encode_frame(
        frame.greeter.encode(), frame.op, frame.random.encode(), frame.data, frame.hash
    )


def decoded(decoder: FrameDecoder) -> list[Frame]:
    return list(iter(decoder.next_frame, None))


def header(
    size: int, op: int = 1, greeter: int = 4, data: int = 0, hash_: int = 0, random: int = 0
) -> bytes:
    return struct.pack(">IBBIBB", size, op, greeter, data, hash_, random)


def refusal(data: bytes, max_data: int = MAX_DATA) -> Status | None:
    decoder = FrameDecoder(max_data)
    decoder.feed(data)
    try:
        decoded(decoder)
    except FrameError as error:
        return error.status
    return None


@given(st.lists(frames, max_size=5), st.data())
@settings(max_examples=60)
def test_frames_come_back_however_they_are_cut(expected: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(map(encoded, expected))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    decoder, found = FrameDecoder(MAX_DATA), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        decoder.feed(stream[start:end])
        if data.draw(st.booleans()):
            found += decoded(decoder)
    assert found + decoded(decoder) == expected
    assert decoder.buffered == 0


@given(st.lists(frames, min_size=1, max_size=3))
@settings(max_examples=20)
def test_frames_come_back_byte_by_byte(expected: list[Frame]) -> None:
    decoder, found = FrameDecoder(MAX_DATA), []
    for number in b"".join(map(encoded, expected)):
        decoder.feed(bytes([number]))
        found += decoded(decoder)
    assert found == expected


@given(frames, st.binary(max_size=HEADER_SIZE - 1))
@settings(max_examples=40)
def test_what_follows_a_frame_waits(frame: Frame, rest: bytes) -> None:
    decoder = FrameDecoder(MAX_DATA)
    decoder.feed(encoded(frame) + rest)
    assert decoded(decoder) == [frame]
    assert decoder.buffered == len(rest)


@given(st.lists(st.binary(max_size=80), max_size=6))
@settings(max_examples=100)
@example([bytes(12)])
@example([b"\xff" * 12])
def test_garbage_raises_nothing_but_a_frame_error(pieces: list[bytes]) -> None:
    decoder = FrameDecoder(MAX_DATA)
    errors = []
    for piece in pieces:
        decoder.feed(piece)
        try:
            decoded(decoder)
        except FrameError as error:
            errors.append(error)
    assert len({id(error) for error in errors}) <= 1, "the first error is the last"
    assert not errors or decoder.buffered == 0


@given(frames, st.data())
@settings(max_examples=100)
def test_a_frame_with_a_wrong_byte_is_a_frame_or_an_error(
    frame: Frame, data: st.DataObject
) -> None:
    raw = bytearray(encoded(frame))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    decoder = FrameDecoder(MAX_DATA)
    decoder.feed(bytes(raw))
    with contextlib.suppress(FrameError):
        assert decoded(decoder) != [frame]


@given(st.binary(min_size=12, max_size=12))
@settings(max_examples=200)
@example(header(2**32 - 1, 1, 1, 2**32 - 15))
@example(header(16, 0, 4))
@example(header(13, 1, 0))
@example(header(17 + MAX_DATA, 1, 4, MAX_DATA))
@example(header(18 + MAX_DATA, 1, 4, MAX_DATA + 1))
def test_a_header_alone_decides(raw: bytes) -> None:
    size, op, greeter, data, hash_, random = struct.unpack(">IBBIBB", raw)
    if size != 12 + op + greeter + data + hash_ + random or not 1 <= op <= 8 or greeter == 0:
        expected = Status.BAD_FRAME
    elif data > MAX_DATA:
        expected = Status.TOO_LARGE
    else:
        expected = None
    assert refusal(raw) is expected
    assert refusal(raw[:-1]) is None, "11 bytes decide nothing"


def test_one_byte_of_data_more_than_allowed_is_too_large() -> None:
    allowed = encode_frame(b"echo", 1, b"", bytes(MAX_DATA), b"")
    assert refusal(allowed) is None
    assert refusal(allowed, MAX_DATA - 1) is Status.TOO_LARGE


@pytest.mark.parametrize("text", [b"\xff", b"\xe3\x81", b"\xed\xa0\x80", b"\xc0\x80"])
def test_greeter_and_random_are_utf_8(text: bytes) -> None:
    assert refusal(encode_frame(text, 1, b"", b"", b"")) is Status.BAD_FRAME
    assert refusal(encode_frame(b"echo", 1, text, b"", b"")) is Status.BAD_FRAME
    assert refusal(encode_frame(b"echo", 1, b"", text, text)) is None, "data and hash are bytes"


def test_frames_before_a_bad_one_are_read() -> None:
    decoder = FrameDecoder(MAX_DATA)
    good = Frame("echo", 1, "r", b"data", b"hash")
    decoder.feed(encoded(good) * 2 + bytes(12) + encoded(good))
    assert [decoder.next_frame(), decoder.next_frame()] == [good, good]
    for _ in range(2):
        with pytest.raises(FrameError):
            decoder.next_frame()
    decoder.feed(encoded(good))
    with pytest.raises(FrameError):
        decoder.next_frame()


def test_no_more_is_kept_than_a_frame_that_is_not_complete() -> None:
    decoder, frame = FrameDecoder(MAX_DATA), encode_frame(b"echo", 1, b"", bytes(MAX_DATA), b"")
    most = 0
    for start in range(0, 50 * len(frame), 77):
        piece = (frame * 2)[start % len(frame) :][:77]
        decoder.feed(piece)
        decoded(decoder)
        most = max(most, decoder.buffered)
    assert most < len(frame)
    decoder.feed(bytes(10_000))
    with pytest.raises(FrameError):
        decoded(decoder)
    for _ in range(10):
        decoder.feed(bytes(10_000))
    assert decoder.buffered == 0


def test_the_limit_may_change_between_frames() -> None:
    decoder = FrameDecoder(10)
    small, large = (encode_frame(b"echo", 1, b"", bytes(size), b"") for size in (10, 100))
    decoder.feed(small + large)
    assert decoder.next_frame() is not None
    decoder.max_data = 100
    assert decoder.next_frame() is not None


@given(st.integers(0, MAX_OP), st.integers(0, 7))
@settings(max_examples=40)
def test_an_op_code_has_the_fewest_bytes_and_may_have_more(op: int, zeros: int) -> None:
    shortest = encode_op(op)
    assert int.from_bytes(shortest, "big") == op
    assert len(shortest) == 1 or shortest[0] != 0
    longer = shortest.rjust(min(8, len(shortest) + zeros), b"\0")
    decoder = FrameDecoder(MAX_DATA)
    decoder.feed(header(12 + len(longer) + 1, len(longer), 1) + b"a" + longer)
    assert decoded(decoder) == [Frame("a", op, "", b"", b"")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"greeter": b""},
        {"greeter": bytes(256)},
        {"random": bytes(256)},
        {"hash_": bytes(256)},
        {"op": -1},
        {"op": MAX_OP + 1},
    ],
)
def test_what_fits_into_no_frame_is_not_encoded(wrong: dict[str, Any]) -> None:
    parts: dict[str, Any] = {"greeter": b"g", "op": 1, "random": b"", "data": b"", "hash_": b""}
    encode_frame(**parts)
    with pytest.raises(ValueError, match=r"op code|greeter"):
        encode_frame(**{**parts, **wrong})
