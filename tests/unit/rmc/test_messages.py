from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.rmc.messages import (
    FrameError,
    Reply,
    encode_error,
    encode_request,
    encode_success,
    is_request,
    parse_reply,
    parse_request,
)

protocols = st.integers(0, 0xFFFF) | st.sampled_from([0x7E, 0x7F, 0x80, 0xFF, 0x100])
words = st.integers(0, 0xFFFF_FFFF)
bodies = st.binary(max_size=64)


def test_golden_bytes() -> None:
    assert encode_request(11, 7, 4, b"ab") == bytes.fromhex("0b000000 8b 07000000 04000000 6162")
    assert encode_success(11, 7, 4, b"ab") == bytes.fromhex("0c000000 0b 01 07000000 04800000 6162")
    assert encode_error(11, 7, 0x80010002) == bytes.fromhex("0a000000 0b 00 02000180 07000000")


def test_golden_bytes_of_the_extended_form() -> None:
    assert encode_request(0x1234, 7, 4, b"a") == bytes.fromhex(
        "0c000000 ff 3412 07000000 04000000 61"
    )
    assert encode_success(0x80, 7, 4, b"") == bytes.fromhex("0c000000 7f 8000 01 07000000 04800000")
    assert encode_error(0xFFFF, 7, 2) == bytes.fromhex("0c000000 7f ffff 00 02000080 07000000")


def test_protocol_0x7f_is_written_extended_because_its_short_form_means_something_else() -> None:
    assert encode_request(0x7F, 1, 1, b"")[4:7] == b"\xff\x7f\x00"
    assert parse_request(encode_request(0x7F, 1, 1, b""))[0] == 0x7F


@given(protocols, words, words, bodies)
def test_requests_round_trip(protocol: int, call_id: int, method: int, body: bytes) -> None:
    frame = encode_request(protocol, call_id, method, body)
    assert is_request(frame)
    assert parse_request(frame) == (protocol, call_id, method, body)


@given(protocols, words, st.integers(0, 0x7FFF), bodies)
def test_successes_round_trip(protocol: int, call_id: int, method: int, body: bytes) -> None:
    frame = encode_success(protocol, call_id, method, body)
    assert not is_request(frame)
    assert parse_reply(frame) == Reply(protocol, call_id, method, 0, body)


@given(protocols, words, words)
def test_errors_round_trip_with_bit_31_set(protocol: int, call_id: int, code: int) -> None:
    frame = encode_error(protocol, call_id, code)
    assert not is_request(frame)
    assert parse_reply(frame) == Reply(protocol, call_id, 0, code | 0x8000_0000, b"")


@given(st.binary(max_size=40))
def test_garbage_is_read_or_refused_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(FrameError):
        if is_request(data):
            protocol, call_id, method, body = parse_request(data)
            assert len(data) == int.from_bytes(data[:4], "little") + 4
            assert encode_request(protocol, call_id, method, body)[-4:] == data[-4:]
        else:
            parse_reply(data)


@given(protocols, words, words, st.data())
def test_a_request_that_is_cut_tells_what_was_left(
    protocol: int, call_id: int, method: int, data: st.DataObject
) -> None:
    frame = encode_request(protocol, call_id, method, b"")
    cut = data.draw(st.integers(0, len(frame) - 1))
    with pytest.raises(FrameError) as caught:
        parse_request(frame[:cut])
    start = len(frame) - 8
    assert caught.value.protocol == (protocol if cut >= start else None)
    assert caught.value.call_id == (call_id if cut >= start + 4 else None)
    assert caught.value.method is None


@pytest.mark.parametrize("protocol", [11, 0x200])
@pytest.mark.parametrize("extra", [b"", b"xy"])
def test_a_request_of_the_wrong_size_tells_what_it_was(protocol: int, extra: bytes) -> None:
    frame = encode_request(protocol, 7, 4, b"abc")
    frame = frame + extra if extra else frame[:-1]
    with pytest.raises(FrameError, match="the frame says") as caught:
        parse_request(frame)
    assert (caught.value.protocol, caught.value.call_id, caught.value.method) == (protocol, 7, 4)


@pytest.mark.parametrize("protocol", [11, 0x200])
def test_malformed_replies_tell_the_call(protocol: int) -> None:
    with pytest.raises(FrameError, match="the frame says") as success:
        parse_reply(encode_success(protocol, 7, 4, b"abc")[:-1])
    assert (success.value.protocol, success.value.call_id, success.value.method) == (protocol, 7, 4)
    with pytest.raises(FrameError, match="the frame says") as error:
        parse_reply(encode_error(protocol, 7, 4) + b"x")
    assert (error.value.protocol, error.value.call_id, error.value.method) == (protocol, 7, None)


def test_an_error_with_a_body_is_malformed() -> None:
    frame = bytearray(encode_error(11, 7, 4) + b"x")
    frame[0] += 1
    with pytest.raises(FrameError, match="more than its code") as caught:
        parse_reply(bytes(frame))
    assert caught.value.call_id == 7


@pytest.mark.parametrize("frame", [encode_success(11, 7, 4, b""), encode_error(0x300, 7, 4)])
def test_short_replies_are_malformed(frame: bytes) -> None:
    for cut in range(len(frame)):
        with pytest.raises(FrameError):
            parse_reply(frame[:cut])


@pytest.mark.parametrize(
    ("protocol", "call_id", "method"),
    [(0x1_0000, 1, 1), (-1, 1, 1), (11, -1, 1), (11, 1 << 32, 1), (11, 1, 1 << 32), (0x200, 1, -1)],
)
def test_numbers_that_do_not_fit_are_a_value_error(
    protocol: int, call_id: int, method: int
) -> None:
    with pytest.raises(ValueError, match="does not fit its field"):
        encode_request(protocol, call_id, method, b"")
    if method == 1:
        with pytest.raises(ValueError, match="does not fit its field"):
            encode_success(protocol, call_id, method, b"")
        with pytest.raises(ValueError, match="does not fit its field"):
            encode_error(protocol, call_id, method)


def test_any_success_byte_but_zero_means_success() -> None:
    frame = bytearray(encode_success(11, 7, 4, b"x"))
    frame[5] = 0xFF
    assert parse_reply(bytes(frame)) == Reply(11, 7, 4, 0, b"x")
