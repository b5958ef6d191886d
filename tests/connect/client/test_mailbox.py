"""What a client keeps of what comes, and who gets what; without sockets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.connect import ImpostorError, Message
from nekonex.connect.client.mailbox import MESSAGE_OVERHEAD, Expected, Mailbox
from nekonex.connect.protocol import ClientSession, Status
from tests.support.connect_sessions import ServerEnd


class Lab:
    """A mailbox, and the server that fills it."""

    def __init__(self, limit: int = 1 << 20) -> None:
        self.session = ClientSession("secret", max_data=1000)
        self.server = ServerEnd()
        self.server.hear(self.session.start())
        self.mailbox = Mailbox(self.session, limit)
        self.mailbox.feed(b"".join(self.server.session.output))
        self.answers: list[Message] = []

    def frame(self, greeter: str, data: bytes = b"", op: int = 1) -> bytes:
        return self.server.session.frame(greeter.encode(), op, data, 0.0)

    def status(self, status: Status) -> bytes:
        return self.server.session.status(status, 0.0)

    def take_all(self) -> list[bytes]:
        return [message.data for message in iter(self.mailbox.take, None)]

    def expect(self, greeter: str, *, wanted: bool = True) -> Expected:
        def deliver(message: Message) -> bool:
            if wanted:
                self.answers.append(message)
            return wanted

        expected = Expected(greeter, deliver)
        self.mailbox.expect(expected)
        return expected


def test_the_login_is_nobody_s_message() -> None:
    lab = Lab()
    assert lab.session.authenticated
    assert len(lab.mailbox) == 0


def test_messages_wait_in_their_order() -> None:
    lab = Lab()
    lab.mailbox.feed(lab.frame("a", b"1") + lab.frame("b", b"2") + lab.status(Status.NOT_FOUND))
    assert len(lab.mailbox) == 3
    assert lab.take_all() == [b"1", b"2", b"\x01\x94"]


def test_an_answer_goes_to_who_waits_for_longest() -> None:
    lab = Lab()
    for greeter in ("a", "b", "a"):
        lab.expect(greeter)
    lab.mailbox.feed(lab.frame("b", b"1") + lab.frame("a", b"2") + lab.frame("b", b"3"))
    assert [message.data for message in lab.answers] == [b"1", b"2"]
    assert lab.take_all() == [b"3"]
    lab.mailbox.feed(lab.status(Status.PLUGIN_FAILED) + lab.frame("a", b"4"))
    assert [message.op for message in lab.answers[2:]] == [500]
    assert lab.take_all() == [b"4"]


def test_a_status_goes_to_the_first_request_of_all() -> None:
    lab = Lab()
    lab.expect("a")
    lab.expect("b")
    lab.mailbox.feed(lab.status(Status.NOT_FOUND) + lab.frame("b", b"1"))
    assert [message.op for message in lab.answers] == [404, 1]


def test_who_does_not_want_it_any_more_is_passed_over() -> None:
    lab = Lab()
    lab.expect("a", wanted=False)
    lab.expect("a", wanted=True)
    gone = lab.expect("a", wanted=True)
    lab.mailbox.forget(gone)
    lab.mailbox.forget(gone)
    lab.mailbox.feed(lab.frame("a", b"1") + lab.frame("a", b"2"))
    assert [message.data for message in lab.answers] == [b"1"]
    assert lab.take_all() == [b"2"]


def test_what_is_put_back_comes_first() -> None:
    lab = Lab()
    lab.mailbox.feed(lab.frame("a", b"2"))
    lab.mailbox.put_back(Message("a", 1, b"1"))
    assert lab.take_all() == [b"1", b"2"]


def test_a_full_mailbox_leaves_the_rest_with_the_session() -> None:
    lab = Lab(limit=10 * MESSAGE_OVERHEAD)
    lab.mailbox.feed(b"".join(lab.frame("a", b"%d" % number) for number in range(30)))
    assert lab.mailbox.is_full
    assert len(lab.mailbox) == 10
    assert all(lab.mailbox.take() for _ in range(5))
    assert (lab.mailbox.is_full, len(lab.mailbox)) == (True, 5), "it is not refilled one by one"
    assert lab.mailbox.take()
    assert len(lab.mailbox) == 10
    assert lab.take_all() == [b"%d" % number for number in range(6, 30)]
    assert not lab.mailbox.is_full


def test_a_message_larger_than_the_limit_is_taken_alone() -> None:
    lab = Lab(limit=1)
    lab.mailbox.feed(lab.frame("a", bytes(1000)) + lab.frame("a", b"next"))
    assert len(lab.mailbox) == 1
    assert lab.take_all() == [bytes(1000), b"next"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["feed", "take", "expect"]), st.sampled_from(["a", "b"])),
        max_size=40,
    ),
    st.sampled_from([1, 600, 3000]),
)
@settings(max_examples=50)
def test_every_message_is_delivered_once(steps: list[tuple[str, str]], limit: int) -> None:
    lab = Lab(limit)
    fed = 0
    taken: list[Message] = []
    for step, greeter in steps:
        if step == "feed":
            lab.mailbox.feed(lab.frame(greeter, b"%d" % fed))
            fed += 1
        elif step == "expect":
            lab.expect(greeter)
        elif (message := lab.mailbox.take()) is not None:
            taken.append(message)
        assert len(lab.mailbox) <= limit // MESSAGE_OVERHEAD + 1
    taken += iter(lab.mailbox.take, None)
    seen = [int(message.data) for message in taken]
    assert seen == sorted(seen)
    assert sorted(seen + [int(message.data) for message in lab.answers]) == list(range(fed))


def test_the_end_comes_after_what_came_before_it() -> None:
    lab = Lab()
    lab.mailbox.feed(lab.frame("a", b"1"))
    lab.mailbox.end("gone")
    lab.mailbox.end("a second reason", is_broken=False)
    assert lab.mailbox.is_over
    assert lab.take_all() == [b"1"]
    error = lab.mailbox.disconnected()
    assert (str(error), error.status, error.was_closed) == ("gone", None, True)


@pytest.mark.parametrize("status", list(Status))
def test_the_status_that_ends_a_connection_is_told(status: Status) -> None:
    lab = Lab()
    lab.mailbox.feed(lab.status(status))
    lab.mailbox.end("gone")
    ends = status not in {Status.OK, Status.NOT_FOUND, Status.PLUGIN_FAILED}
    error = lab.mailbox.disconnected()
    assert error.status == (status if ends else None)
    assert error.was_closed
    assert (f"status {status.value}" in str(error)) is ends


def test_a_status_long_before_the_end_is_not_why() -> None:
    lab = Lab()
    lab.mailbox.feed(lab.status(Status.TOO_MANY) + lab.frame("a"))
    lab.mailbox.end("gone")
    assert lab.mailbox.disconnected().status is None


def test_an_end_amid_a_frame_is_no_end_that_anybody_wants() -> None:
    lab = Lab()
    lab.mailbox.feed(lab.frame("a", b"data")[:-1])
    lab.mailbox.end("gone")
    assert not lab.mailbox.disconnected().was_closed


def test_what_is_no_frame_is_the_end() -> None:
    lab = Lab()
    lab.mailbox.feed(lab.frame("a", b"1") + bytes(12) + lab.frame("a", b"2"))
    assert lab.mailbox.is_over
    assert lab.take_all() == [b"1"]
    error = lab.mailbox.disconnected()
    assert "no frame" in str(error)
    assert not error.was_closed


def test_what_is_no_frame_instead_of_a_proof_is_an_impostor_s() -> None:
    session = ClientSession("secret", max_data=1000)
    session.start()
    mailbox = Mailbox(session, 1000)
    with pytest.raises(ImpostorError):
        mailbox.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_closed_mailbox_has_nothing_and_takes_nothing() -> None:
    lab = Lab()
    lab.mailbox.feed(lab.frame("a", b"1") + lab.frame("a", b"2")[:-1])
    lab.mailbox.close()
    lab.mailbox.feed(lab.frame("a", b"3"))
    assert lab.take_all() == []
    assert lab.mailbox.disconnected().was_closed
