"""The frozen file for implementers in other languages, and nekonex against it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import ConnectLimits
from nekonex.connect.protocol import (
    ClientSession,
    Frame,
    FrameDecoder,
    FrameError,
    Gatekeeper,
    ImpostorError,
    LoginRefusedError,
    Password,
    Status,
    encode_frame,
)
from nekonex.connect.protocol.frames import encode_op
from tests.support.connect_sessions import FixedRandoms, ServerEnd, frames_of

FILE = Path(__file__).parents[3] / "vectors" / "nekoconnect.json"
DIGEST = "3a3ce5130db406837e7d95e55e03d4300f6d50d0f2c465f8901ffc89dce2e98f"
"""Others rely on the file: it grows with the protocol, and what is in it never changes."""

CONTENT: dict[str, list[Any]] = json.loads(FILE.read_text(encoding="utf-8"))
MIB = 1 << 20


def cases(section: str) -> pytest.MarkDecorator:
    found = CONTENT[section]
    return pytest.mark.parametrize("case", found, ids=[each.get("name", "") for each in found])


def frame_of(case: dict[str, Any]) -> Frame:
    return Frame(
        case["greeter"],
        int(case["op"]),
        case["random"],
        bytes.fromhex(case["data"]),
        case["hash"].encode(),
    )


def test_the_file_is_frozen() -> None:
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == DIGEST


def test_every_section_is_told_about() -> None:
    told = {line.partition(":")[0] for line in CONTENT["about"]}
    assert set(CONTENT) - {"about"} <= told
    steps = [each for talk in CONTENT["conversations"] for each in talk["steps"]]
    statuses = {int(each["op"]) for each in steps if each.get("greeter") == "nekoconnect-server"}
    assert statuses == {200, 400, 404, 413, 500}


@cases("hashes")
def test_hashes(case: dict[str, str]) -> None:
    password, random = Password(case["password"]), case["random"].encode()
    assert password.hash(random).decode() == case["client_hash"]
    assert password.server_hash(random).decode() == case["server_hash"]
    assert password.verify(random, case["client_hash"].encode())
    assert password.verify_server(random, case["server_hash"].encode())
    assert not password.verify(random, case["server_hash"].encode())
    assert not password.verify_server(random, case["client_hash"].encode())


@cases("ops")
def test_op_codes(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["bytes"])
    assert (encode_op(int(case["op"])) == raw) is case["shortest"]
    decoder = FrameDecoder(0)
    decoder.feed(bytes([0, 0, 0, 13 + len(raw), len(raw), 1, 0, 0, 0, 0, 0, 0]) + b"g" + raw)
    assert decoder.next_frame() == Frame("g", int(case["op"]), "", b"", b"")


@cases("frames")
def test_frames(case: dict[str, Any]) -> None:
    raw, frame = bytes.fromhex(case["bytes"]), frame_of(case)
    assert frames_of(raw) == [frame]
    made = encode_frame(
        frame.greeter.encode(), frame.op, frame.random.encode(), frame.data, frame.hash
    )
    assert (made == raw) is case["canonical"]


@cases("errors")
def test_errors(case: dict[str, Any]) -> None:
    raw, decoder = bytes.fromhex(case["bytes"]), FrameDecoder(case["max_data"])
    assert len(raw) == 12 or not case["header"]
    decoder.feed(raw[:-1])
    assert decoder.next_frame() is None
    decoder.feed(raw[-1:])
    with pytest.raises(FrameError) as caught:
        decoder.next_frame()
    assert caught.value.status == case["status"]


@cases("incomplete")
def test_beginnings(case: dict[str, Any]) -> None:
    decoder = FrameDecoder(MIB)
    decoder.feed(bytes.fromhex(case["bytes"]))
    assert decoder.next_frame() is None


@cases("streams")
def test_streams(case: dict[str, Any]) -> None:
    frames = {each["name"]: frame_of(each) for each in CONTENT["frames"]}
    decoder, found = FrameDecoder(MIB), []
    for piece in case["pieces"]:
        decoder.feed(bytes.fromhex(piece))
        found += list(iter(decoder.next_frame, None))
    assert found == [frames[name] for name in case["frames"]]


@cases("conversations")
def test_a_server_says_exactly_this(case: dict[str, Any]) -> None:
    limits = ConnectLimits(max_data=case["max_data"])
    randoms = FixedRandoms(case["server_randoms"])
    end = ServerEnd(gate=Gatekeeper.make(case["password"], limits, randoms))
    session, requests, said = end.session, [], b""
    for step in case["steps"]:
        raw = bytes.fromhex(step["bytes"])
        if step["from"] == "client":
            requests += end.hear(raw)
            continue
        said += b"".join(session.output)
        session.output.clear()
        frame = frame_of(step)
        if step.get("by") == "plugin":
            said += session.frame(frame.greeter.encode(), frame.op, frame.data, end.now)
        elif step.get("by") == "status":
            said += session.status(Status(frame.op), end.now)
        assert said[: len(raw)] == raw, step["note"]
        said = said[len(raw) :]
    assert said == b""
    assert (session.rejection is not None) is case["end"]
    if case["end"]:
        assert requests == []
    else:
        sent = [frame_of(step) for step in case["steps"][1:] if step["from"] == "client"]
        assert requests == [(each.greeter, each.op, each.data) for each in sent]


@pytest.mark.parametrize(
    "case", [each for each in CONTENT["conversations"] if each["ordinary"]], ids=lambda c: c["name"]
)
def test_a_client_says_exactly_this(case: dict[str, Any]) -> None:
    session = ClientSession(
        case.get("client_password", case["password"]),
        max_data=case["max_data"],
        randoms=FixedRandoms(case["client_randoms"]),
    )
    (first, *steps) = case["steps"]
    heard: list[tuple[str, int, bytes]] = []
    assert session.start().hex() == first["bytes"]
    for step in steps:
        if step["from"] == "server":
            session.feed(bytes.fromhex(step["bytes"]))
            try:
                heard += list(iter(session.next_message, None))
            except LoginRefusedError as error:
                heard.append(("nekoconnect-server", error.status, bytes.fromhex(step["data"])))
        else:
            frame = frame_of(step)
            assert session.frame(frame.greeter, frame.op, frame.data).hex() == step["bytes"]
    expected = [frame_of(step) for step in steps if step["from"] == "server"]
    assert [tuple(each) for each in heard] == [(f.greeter, f.op, f.data) for f in expected]


@cases("logins")
def test_a_client_judges_the_answer_to_its_login(case: dict[str, Any]) -> None:
    randoms = FixedRandoms([case["client_random"], "a further random"])
    session = ClientSession(case["password"], max_data=MIB, randoms=randoms)
    assert session.start().hex() == case["first"]
    session.feed(bytes.fromhex(case["answer"]))
    match case["verdict"]:
        case "accept":
            assert session.next_message() == ("nekoconnect-server", 200, b"\xc8")
            assert session.frame("echo", 1, b"")
            return
        case "impostor":
            with pytest.raises(ImpostorError):
                session.next_message()
        case "refused":
            with pytest.raises(LoginRefusedError) as caught:
                session.next_message()
            assert caught.value.status == case["status"]
    with pytest.raises(RuntimeError):
        session.frame("echo", 1, b"")
