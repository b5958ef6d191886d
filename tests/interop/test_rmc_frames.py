"""Frames of calls against NintendoClients', in both directions."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from nintendo.nex import rmc, settings

from nekonex.rmc import FrameError
from nekonex.rmc.messages import (
    encode_error,
    encode_request,
    encode_success,
    is_request,
    parse_reply,
    parse_request,
)

SETTINGS = settings.default()

# It writes 0x7F in the short form, which it then reads as the extended one.
protocols = st.integers(0, 0xFFFF).filter(lambda protocol: protocol != 0x7F)
words = st.integers(0, 0xFFFF_FFFF)
methods = st.integers(0, 0x7FFF)
bodies = st.binary(max_size=40)


@given(protocols, words, methods, bodies)
def test_requests(protocol: int, call_id: int, method: int, body: bytes) -> None:
    theirs = rmc.RMCMessage.request(SETTINGS, protocol, method, call_id, body).encode()
    assert encode_request(protocol, call_id, method, body) == theirs
    assert parse_request(theirs) == (protocol, call_id, method, body)


@given(protocols, words, methods, bodies)
def test_successes(protocol: int, call_id: int, method: int, body: bytes) -> None:
    theirs = rmc.RMCMessage.response(SETTINGS, protocol, method, call_id, body).encode()
    assert encode_success(protocol, call_id, method, body) == theirs
    assert parse_reply(theirs) == (protocol, call_id, method, 0, body)


@given(protocols, words, words)
def test_errors(protocol: int, call_id: int, code: int) -> None:
    code |= 0x8000_0000
    # It takes the largest code for "no error".
    code = min(code, 0xFFFF_FFFE)
    theirs = rmc.RMCMessage.error(SETTINGS, protocol, 0, call_id, code).encode()
    assert encode_error(protocol, call_id, code) == theirs
    assert parse_reply(theirs) == (protocol, call_id, 0, code, b"")


@given(st.binary(max_size=30), st.booleans())
def test_garbage_means_the_same_to_both(garbage: bytes, sized: bool) -> None:
    data = len(garbage).to_bytes(4, "little") + garbage if sized else garbage
    ours = theirs = None
    with contextlib.suppress(FrameError):
        if is_request(data):
            protocol, call_id, method, body = parse_request(data)
            ours = (True, protocol, call_id, method, body)
        else:
            reply = parse_reply(data)
            ours = (False, reply.protocol, reply.call_id, reply.code or reply.method, reply.body)
    with contextlib.suppress(Exception):
        message = rmc.RMCMessage.parse(SETTINGS, data)
        request = message.mode == rmc.RMCMessage.REQUEST
        # Version 5 calls it `result`; -1 stands for none.
        code = getattr(message, "result", message.error)
        last = message.method if code == -1 else code | 0x8000_0000
        theirs = (request, message.protocol, message.call_id, last, message.body)
    assert ours == theirs
