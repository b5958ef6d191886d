"""The server's end of a connection: who gets in, what stays good, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.connect import ConnectLimits
from nekonex.connect.protocol import (
    ClientSession,
    FrameError,
    Gatekeeper,
    ImpostorError,
    LoginRefusedError,
    Password,
    Request,
    Status,
    encode_frame,
)
from nekonex.connect.protocol.frames import encode_op
from tests.support.connect_sessions import (
    FixedRandoms,
    ServerEnd,
    frames_of,
    login_frame,
    numbered,
    plugin_frame,
    pump,
)

SECRET = Password("secret")


# -- the login -----------------------------------------------------------------------------


def test_a_login_is_answered_with_a_proof_and_the_first_random() -> None:
    end = ServerEnd()
    assert end.hear(login_frame("secret", "Rc")) == []
    (answer,) = end.answers()
    assert answer == ("nekoconnect-server", 200, "r0", b"\xc8", SECRET.server_hash(b"Rc"))
    assert answer.hash != SECRET.hash(b"Rc"), "an echo would prove nothing"
    assert (end.session.authenticated, end.session.proven) == (True, False)
    assert end.hear(plugin_frame("secret", "r0", b"x")) == [Request("echo", 1, b"x")]
    assert end.session.proven


@pytest.mark.parametrize(
    "changes",
    [
        {"greeter": b"echo"},
        {"greeter": b"Auth"},
        {"greeter": b"nekoconnect-server"},
        {"op": 201},
        {"op": 0},
        {"op": 200 << 8},
        {"random": b""},
        {"hash_": b""},
        {"hash_": SECRET.hash(b"another")},
        {"hash_": SECRET.server_hash(b"a client's random")},
        {"hash_": SECRET.hash(b"a client's random").upper()},
        {"hash_": SECRET.hash(b"a client's random")[:-1]},
        {"hash_": SECRET.hash(b"a client's random") + b"0"},
        {"hash_": b"\xff" * 64},
        {"random": b"\xff"},
    ],
)
def test_any_other_first_frame_ends_the_connection(changes: dict[str, Any]) -> None:
    end = ServerEnd()
    assert end.hear(login_frame("secret", **changes)) == []
    assert not end.session.authenticated
    assert end.refusal() is Status.BAD_FRAME


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.text(max_size=40))
@settings(max_examples=40)
def test_only_the_same_password_gets_in(ours: str, theirs: str) -> None:
    try:
        frame = login_frame(theirs)
    except UnicodeEncodeError:
        return
    end = ServerEnd(ours)
    end.hear(frame)
    # HMAC fills a short key up with zeros, so these are one password to it.
    same = ours.encode().rstrip(b"\0") == theirs.encode().rstrip(b"\0")
    assert end.session.authenticated is same


def test_the_data_of_a_login_does_not_matter() -> None:
    for data in (b"", b"\x00\xc8", b"200", bytes(1000)):
        end = ServerEnd()
        end.hear(login_frame("secret", data=data))
        assert end.session.authenticated


def test_a_login_and_what_follows_may_come_at_once() -> None:
    end = ServerEnd()
    assert end.hear(login_frame("secret") + plugin_frame("secret", "r0", b"x")) == [
        Request("echo", 1, b"x")
    ]


def test_nothing_is_heard_after_a_wrong_password() -> None:
    end = ServerEnd()
    end.hear(login_frame("wrong") + login_frame("secret"))
    assert end.refusal() is Status.BAD_FRAME


def test_little_data_is_taken_before_the_login() -> None:
    end = ServerEnd(max_login_data=100)
    end.hear(login_frame("secret", data=bytes(101))[:12])
    assert end.refusal() is Status.TOO_LARGE
    end = ServerEnd(max_login_data=100, max_data=1000)
    end.hear(login_frame("secret", data=bytes(100)))
    end.answers()
    assert end.hear(plugin_frame("secret", "r0", bytes(1000))) != []
    end.hear(plugin_frame("secret", "r0", bytes(1001))[:12])
    assert end.refusal() is Status.TOO_LARGE


def test_an_open_server_takes_any_hash_and_any_random_twice() -> None:
    gate = Gatekeeper.make(None, ConnectLimits(), FixedRandoms(numbered("r")))
    for _ in range(2):
        end = ServerEnd(gate=gate)
        end.hear(login_frame("anything", "Rc"))
        assert end.answers()[0].hash == Password("").server_hash(b"Rc")
        assert end.hear(encode_frame(b"echo", 1, b"", b"x", b"")) == [Request("echo", 1, b"x")]
        assert end.session.proven


def test_an_open_server_still_wants_a_login() -> None:
    end = ServerEnd(None)
    end.hear(encode_frame(b"echo", 1, b"", b"x", b""))
    assert end.refusal() is Status.BAD_FRAME


# -- who tries too often, and who copies ---------------------------------------------------


def test_ten_wrong_passwords_a_minute_are_all_that_an_address_has() -> None:
    gate = ServerEnd().gate
    for number in range(10):
        end = ServerEnd(gate=gate, now=1000.0 + number)
        end.hear(login_frame("wrong"))
        assert end.refusal() is Status.BAD_FRAME
    end = ServerEnd(gate=gate, now=1059.9)
    end.hear(login_frame("secret"))
    assert end.refusal() is Status.TOO_MANY, "whether or not the password is right"
    ServerEnd(gate=gate, now=1059.9, address="192.0.2.8").log_in()
    ServerEnd(gate=gate, now=1060.0).log_in(random="another random")


def test_what_is_no_login_is_no_wrong_password() -> None:
    gate = ServerEnd().gate
    for number in range(20):
        ServerEnd(gate=gate).hear(login_frame("secret", op=201))
        ServerEnd(gate=gate).hear(bytes(12))
        ServerEnd(gate=gate).log_in(random=f"random {number}")
        ServerEnd(gate=gate).hear(login_frame("secret", f"random {number}"))
    ServerEnd(gate=gate).log_in()


def test_a_copy_of_a_first_frame_is_refused_for_ten_minutes() -> None:
    first = ServerEnd()
    first.log_in(random="Rc")
    copy = ServerEnd(gate=first.gate, address="198.51.100.1", now=1599.9)
    copy.hear(login_frame("secret", "Rc"))
    assert copy.refusal() is Status.BAD_FRAME
    assert not first.session.rejection
    ServerEnd(gate=first.gate, now=1600.0).log_in(random="Rc")


def test_a_copy_that_is_not_refused_gets_no_frame_further() -> None:
    end = ServerEnd()
    end.log_in(random="Rc")
    end.hear(plugin_frame("secret", "Rc"))
    assert not end.session.proven
    assert end.refusal() is Status.BAD_FRAME


def test_a_wrong_login_does_not_use_a_random_up() -> None:
    gate = ServerEnd().gate
    ServerEnd(gate=gate).hear(login_frame("wrong", "Rc"))
    ServerEnd(gate=gate).log_in(random="Rc")


# -- hashes afterwards ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "hash_",
    [
        b"",
        b"server",
        SECRET.hash(b"r1"),
        SECRET.hash(b"a client's random"),
        SECRET.server_hash(b"r0"),
        SECRET.hash(b"r0").upper(),
        Password("other").hash(b"r0"),
    ],
)
def test_a_wrong_hash_ends_the_connection(hash_: bytes) -> None:
    end = ServerEnd()
    end.log_in()
    assert end.hear(encode_frame(b"echo", 1, b"", b"", hash_)) == []
    assert end.refusal() is Status.BAD_FRAME


def test_another_connection_s_random_is_worth_nothing() -> None:
    end = ServerEnd()
    other = ServerEnd(gate=end.gate)
    end.log_in(random="one")
    random = other.log_in(random="two")
    end.hear(plugin_frame("secret", random))
    assert end.refusal() is Status.BAD_FRAME


def test_many_frames_may_go_on_one_hash() -> None:
    end = ServerEnd()
    random = end.log_in()
    frames = b"".join(plugin_frame("secret", random, b"%d" % number) for number in range(500))
    assert [request.data for request in end.hear(frames)] == [b"%d" % n for n in range(500)]
    end.now += 1e6
    assert len(end.hear(plugin_frame("secret", random))) == 1, "it was accepted last"


def test_a_hash_is_stale_after_thirty_seconds_and_sixty_four_frames() -> None:
    for pushes, seconds, good in ((63, 1e6, True), (64, 30.0, True), (64, 30.1, False)):
        end = ServerEnd()
        random = end.log_in()
        for _ in range(pushes):
            end.push()
        end.now += seconds
        end.hear(plugin_frame("secret", random))
        assert end.refusal() is (None if good else Status.BAD_FRAME)


def test_a_thousand_pushes_between_two_frames_do_no_harm() -> None:
    end = ServerEnd()
    random = end.log_in()
    on_its_way = plugin_frame("secret", random, b"first")
    pushed = [end.push() for _ in range(1000)]
    end.now += 29.0
    assert len(end.hear(on_its_way)) == 1
    assert len(end.hear(plugin_frame("secret", pushed[500]))) == 1
    end.now += 5.0
    assert len(end.hear(plugin_frame("secret", pushed[500]))) == 1
    end.hear(plugin_frame("secret", pushed[499]))
    assert end.refusal() is Status.BAD_FRAME


def test_four_thousand_and_ninety_six_randoms_are_the_most() -> None:
    for pushes, good in ((4095, True), (4096, False)):
        end = ServerEnd()
        random = end.log_in()
        for _ in range(pushes):
            end.push()
        end.hear(plugin_frame("secret", random))
        assert end.refusal() is (None if good else Status.BAD_FRAME)


def test_every_frame_of_the_server_has_a_fresh_random() -> None:
    end = ServerEnd(rate_limit=1)
    randoms = [end.log_in(), end.push(), end.push()]
    (told,) = frames_of(end.session.status(Status.NOT_FOUND, end.now))
    end.hear(plugin_frame("secret", "r0") * 3)
    randoms += [told.random, *(each.random for each in end.answers())]
    (last,) = frames_of(end.session.reject(Status.UNAVAILABLE, "stops", end.now))
    randoms.append(last.random)
    assert randoms == [f"r{number}" for number in range(7)]


# -- what else there is --------------------------------------------------------------------


def test_a_second_login_is_a_frame_like_any_other() -> None:
    end = ServerEnd()
    random = end.log_in()
    assert end.hear(plugin_frame("secret", random, b"\xc8", greeter="auth", op=200)) == [
        Request("auth", 200, b"\xc8")
    ]


def test_too_many_frames_a_second_are_refused_and_the_connection_stays() -> None:
    end = ServerEnd(rate_limit=3)
    random = end.log_in()
    assert len(end.hear(plugin_frame("secret", random) * 5)) == 3
    assert [each.op for each in end.answers()] == [429, 429]
    assert end.session.rejection is None
    end.now += 1.0
    assert len(end.hear(plugin_frame("secret", random))) == 1


def test_what_came_before_a_bad_frame_is_answered_first() -> None:
    end = ServerEnd(rate_limit=1)
    random = end.log_in()
    good = plugin_frame("secret", random)
    assert len(end.hear(good + good + bytes(12) + good)) == 1
    assert [each.op for each in end.answers()] == [429, 400]
    assert end.session.rejection is not None


def test_the_first_reason_of_an_end_counts() -> None:
    end = ServerEnd()
    end.log_in()
    end.hear(bytes(12))
    assert [f.op for f in frames_of(end.session.reject(Status.UNAVAILABLE, "", end.now))] == [400]
    assert end.session.reject(Status.UNAVAILABLE, "", end.now) == b""
    assert end.session.rejection is not None
    assert end.session.rejection.status is Status.BAD_FRAME


@pytest.mark.parametrize("status", list(Status))
def test_a_status_says_its_number_twice(status: Status) -> None:
    end = ServerEnd()
    (frame,) = frames_of(end.session.status(status, end.now))
    assert frame[:2] == ("nekoconnect-server", status)
    assert frame.data == encode_op(status)
    assert frame.hash == b"server"


@given(st.lists(st.binary(max_size=60), max_size=5), st.booleans())
@settings(max_examples=60)
def test_no_garbage_raises(pieces: list[bytes], logged_in: bool) -> None:
    end = ServerEnd()
    if logged_in:
        end.log_in()
    for piece in pieces:
        assert end.hear(piece) == []
    if end.session.rejection is None:
        assert not end.answers()
    else:
        assert end.refusal() in {Status.BAD_FRAME, Status.TOO_LARGE}


# -- the client's end ----------------------------------------------------------------------


def client(password: str = "secret") -> ClientSession:
    return ClientSession(password, max_data=1000, randoms=FixedRandoms(numbered("c")))


def answer(greeter: str = "nekoconnect-server", op: int = 200, hash_: bytes | None = None) -> bytes:
    proof = SECRET.server_hash(b"c0") if hash_ is None else hash_
    return encode_frame(greeter.encode(), op, b"r0", encode_op(op), proof)


def test_a_client_hashes_the_latest_random() -> None:
    session = client()
    assert frames_of(session.start()) == [("auth", 200, "c0", b"\xc8", SECRET.hash(b"c0"))]
    (welcome,) = pump(session, answer())
    assert (welcome.op, welcome.is_status) == (200, True)
    push = encode_frame(b"echo", 5, b"r1", b"data", b"server")
    (message,) = pump(session, push)
    assert (message, message.is_status) == (("echo", 5, b"data"), False)
    (frame,) = frames_of(session.frame("echo", 1, b"x"))
    assert frame == ("echo", 1, "c1", b"x", SECRET.hash(b"r1"))


@pytest.mark.parametrize(
    "hash_",
    [b"", b"server", SECRET.hash(b"c0"), SECRET.server_hash(b"c1"), SECRET.server_hash(b"c0")[:-1]],
)
def test_a_client_says_nothing_to_who_proves_nothing(hash_: bytes) -> None:
    session = client()
    session.start()
    session.feed(answer(hash_=hash_) + answer())
    with pytest.raises(ImpostorError):
        session.next_message()
    with pytest.raises(RuntimeError):
        session.frame("echo", 1, b"")


def test_a_client_takes_nothing_of_a_plugin_before_the_proof() -> None:
    session = client()
    session.start()
    session.feed(answer(greeter="echo"))
    with pytest.raises(ImpostorError):
        session.next_message()


def test_a_client_is_told_why_it_is_refused() -> None:
    session = client()
    session.start()
    session.feed(answer(op=429))
    with pytest.raises(LoginRefusedError, match="429") as caught:
        session.next_message()
    assert caught.value.status == 429


def test_a_client_takes_no_more_data_than_it_wants() -> None:
    session = client()
    session.start()
    pump(session, answer())
    session.feed(encode_frame(b"echo", 1, b"", bytes(1001), b"")[:12])
    with pytest.raises(FrameError) as caught:
        session.next_message()
    assert caught.value.status is Status.TOO_LARGE


def test_a_client_knows_of_a_frame_that_is_not_complete() -> None:
    session = client()
    session.start()
    session.feed(answer()[:20])
    assert session.next_message() is None
    assert session.is_amid_frame
    session.feed(answer()[20:])
    assert session.next_message() is not None
    assert not session.is_amid_frame
