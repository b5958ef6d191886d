"""Messages over a network that loses, repeats and reorders, always across the 65535 wrap."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nekonex.prudp.connection import Connection
from nekonex.prudp.limits import DropReason, Limits
from tests.support.link import Node, Pair, Weather
from tests.support.transport import SERVER_KEY, credentials, preset_numbers, transport

STORM = Weather(loss=0.25, duplication=0.25, delay=(0.001, 0.3))

weathers = st.builds(
    Weather,
    loss=st.sampled_from((0.0, 0.1, 0.3)),
    duplication=st.sampled_from((0.0, 0.3, 1.0)),
    delay=st.sampled_from(((0.01, 0.01), (0.0, 0.05), (0.001, 0.4), (0.0, 2.5))),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """Messages of one direction of one substream."""

    substream: int
    sizes: list[int]
    first: int


def message(index: int, size: int) -> bytes:
    """Return bytes that are half random, half not, so that some compress and some do not."""
    text = b"%d:" % index
    return (
        (text * size)[:size]
        if index % 2
        else bytes((index * 7 + i * i) & 0xFF for i in range(size))
    )


flows = st.builds(
    Flow,
    substream=st.integers(0, 2),
    sizes=st.lists(st.sampled_from((0, 1, 20, 99, 100, 101, 350)), min_size=8, max_size=25),
    first=st.integers(65536 - 8, 65535),
)


def check_window(sender: Connection, receiver: Connection, first: int, substream: int) -> None:
    """Check one direction: nothing beyond the window, nothing acknowledged that is not there."""
    out, into = sender.sender(substream), receiver.receiver(substream)
    window = sender.host.limits.window
    assert len(out.unacknowledged) <= window
    assert len(into.waiting or ()) < window
    for number in out.unacknowledged:
        assert (out.next - number) & 0xFFFF <= window
    for back in range((out.next - first) & 0xFFFF):
        number = (first + back) & 0xFFFF
        if number not in out.unacknowledged:
            assert into.accepted_before(number)


def connected(
    pair: Pair, weather: Weather, *, login: bool = True
) -> tuple[Node, Connection, Connection]:
    """Connect in good weather, then let it turn."""
    node = pair.client()
    ticket = credentials(pair.network.wall_clock()) if login else None
    ours, theirs = pair.connect(node, ticket)
    pair.network.run(0.5)
    pair.network.weather = weather
    return node, ours, theirs


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    weather=weathers,
    up=flows,
    down=flows,
    version=st.sampled_from((0, 1)),
    compression=st.sampled_from((0, 1)),
    window=st.sampled_from((1, 4, 64)),
)
def test_everything_arrives_once_and_in_order(
    seed: int,
    weather: Weather,
    up: Flow,
    down: Flow,
    version: int,
    compression: int,
    window: int,
) -> None:
    pair = Pair(
        seed=seed,
        key=SERVER_KEY,
        limits=Limits(window=window),
        settings=transport(
            version=version,
            compression=compression,
            fragment_size=100,
            max_substream_id=2 if version else 0,
            resend_limit=60,
        ),
    )
    if version == 0:
        up, down = (dataclasses.replace(flow, substream=0) for flow in (up, down))
    node, client, server = connected(pair, weather)
    preset_numbers(client, server, up.first, up.substream)
    preset_numbers(server, client, down.first, down.substream)

    def watch() -> None:
        check_window(client, server, up.first, up.substream)
        check_window(server, client, down.first, down.substream)

    pair.network.watch = watch
    sent_up = [message(index, size) for index, size in enumerate(up.sizes)]
    sent_down = [message(index, size) for index, size in enumerate(down.sizes)]
    for data in sent_up:
        client.send(data, up.substream)
    for data in sent_down:
        server.send(data, down.substream)
    pair.network.run_until(
        lambda: (
            not any(
                sender is not None and (sender.unacknowledged or sender.queue)
                for sender in (*client.senders, *server.senders)
            )
        ),
        limit=600,
    )
    assert pair.server.messages(up.substream) == sent_up
    assert node.messages(down.substream) == sent_down
    assert (client.sender(up.substream).next - up.first) & 0xFFFF > 0
    pair.network.run(3)
    assert pair.server.messages(up.substream) == sent_up
    assert client.queued_bytes == server.queued_bytes == 0


@pytest.mark.parametrize("version", [0, 1])
def test_a_conversation_crosses_the_wrap_in_a_storm(version: int) -> None:
    pair = Pair(seed=version, settings=transport(version=version, resend_limit=60))
    node, client, server = connected(pair, STORM, login=False)
    preset_numbers(client, server, 65436)
    preset_numbers(server, client, 65500)
    for index in range(200):
        client.send(b"request %d" % index)

    done = 0
    while done < 200:
        pair.network.run(0.1)
        for _ in range(done, len(pair.server.messages())):
            server.send(b"answer %d" % done)
            done += 1
    pair.network.run_until(lambda: len(node.messages()) == 200)
    assert pair.server.messages() == [b"request %d" % index for index in range(200)]
    assert node.messages() == [b"answer %d" % index for index in range(200)]
    assert pair.server_endpoint.drops[DropReason.DUPLICATE] > 0


def test_substreams_do_not_wait_for_each_other() -> None:
    pair = Pair(settings=transport(max_substream_id=1))
    _, client, server = connected(pair, Weather(), login=False)
    preset_numbers(client, server, 65535, 0)
    number = client.sender(0).next

    def lose_the_first(data: bytes, target: object) -> bool:
        packet, _ = pair.server_endpoint.v1.decode(data, 0)
        return (packet.substream_id, packet.sequence_id) != (0, number)

    pair.network.filter = lose_the_first
    client.send(b"first on 0")
    client.send(b"first on 1", 1)
    client.send(b"second on 1", 1)
    pair.network.run(0.1)
    assert pair.server.messages(1) == [b"first on 1", b"second on 1"]
    assert pair.server.messages(0) == []
    pair.network.filter = lambda data, target: True
    pair.network.run(1)
    assert pair.server.messages(0) == [b"first on 0"]


def test_every_payload_of_a_lost_packet_window_fits_the_receiver() -> None:
    """One lost packet must not make the sender run ahead of what the receiver can keep."""
    pair = Pair(limits=Limits(window=8))
    _, client, server = connected(pair, Weather(), login=False)
    preset_numbers(client, server, 65530)
    lost: list[bytes] = []

    def lose_the_first(data: bytes, target: object) -> bool:
        if not lost:
            lost.append(data)
            return False
        return data != lost[0] or pair.network.now > 1001.0

    pair.network.filter = lose_the_first
    for index in range(60):
        client.send(b"%d" % index)
    pair.network.run_until(lambda: len(pair.server.messages()) == 60)
    assert pair.server_endpoint.drops[DropReason.OUT_OF_WINDOW] == 0


@example(seed=1)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_unreliable_messages_may_be_lost_but_not_changed(seed: int) -> None:
    pair = Pair(seed=seed, key=SERVER_KEY)
    node, client, server = connected(pair, STORM)
    client.unreliable_number = server.unreliable_number = 65530
    sent = [b"unreliable %d" % index for index in range(40)]
    for data in sent:
        client.send_unreliable(data)
        server.send_unreliable(data)
    pair.network.run(2)
    for received in (pair.server.unreliable(), node.unreliable()):
        assert set(received) <= set(sent)
        assert len(set(received)) > 10
