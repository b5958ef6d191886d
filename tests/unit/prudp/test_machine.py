"""Two connections driven at random: what must hold whatever happens in which order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nekonex.prudp.connection import Connection
from nekonex.prudp.events import Closed, Message, Opened
from nekonex.prudp.limits import Limits
from tests.support.link import Node, Pair, Weather
from tests.support.transport import preset_numbers, transport

WINDOW = 4
LOSSES = st.sampled_from((0.0, 0.1, 0.4))
sizes = st.sampled_from((0, 1, 60, 130))


class Conversation(RuleBasedStateMachine):
    """A client and a server, each with a list of what it sent."""

    @initialize(seed=st.integers(0, 2**32), version=st.sampled_from((0, 1)))
    def connect(self, seed: int, version: int) -> None:
        self.pair = Pair(
            seed=seed,
            settings=transport(version=version, fragment_size=50, resend_limit=200),
            limits=Limits(window=WINDOW),
        )
        self.node = self.pair.client()
        self.client, self.server = self.pair.connect(self.node)
        self.pair.network.run(0.5)
        preset_numbers(self.client, self.server, 65533)
        preset_numbers(self.server, self.client, 65530)
        self.sent: dict[int, list[bytes]] = {self.client.id: [], self.server.id: []}
        self.ended = False

    @rule(size=sizes, upwards=st.booleans())
    def send(self, size: int, upwards: bool) -> None:
        sender: Connection = self.client if upwards else self.server
        if sender.open:
            sent = self.sent[sender.id]
            sent.append(b"%d " % len(sent) * size)
            sender.send(sent[-1])

    @rule(loss=LOSSES, doubling=LOSSES, spread=st.sampled_from((0.0, 0.1, 1.5)))
    def weather_changes(self, loss: float, doubling: float, spread: float) -> None:
        self.pair.network.weather = Weather(loss, doubling, (0.0, spread))

    @rule(seconds=st.sampled_from((0.01, 0.3, 2.0, 6.0)))
    def time_passes(self, seconds: float) -> None:
        self.pair.network.run(seconds)

    @rule(seconds=st.sampled_from((0.5, 20.0)))
    def everything_stalls(self, seconds: float) -> None:
        self.pair.network.stall(seconds)

    @rule(paused=st.booleans(), upwards=st.booleans())
    def reader_pauses(self, paused: bool, upwards: bool) -> None:
        reader: Connection = self.server if upwards else self.client
        if paused:
            reader.pause_reading()
        else:
            reader.resume_reading()

    @precondition(lambda self: not self.ended)
    @rule(upwards=st.booleans(), force=st.booleans())
    def someone_leaves(self, upwards: bool, force: bool) -> None:
        self.ended = True
        leaver: Connection = self.client if upwards else self.server
        if force:
            leaver.close()
        else:
            leaver.disconnect()

    def teardown(self) -> None:
        if not hasattr(self, "pair"):
            return
        network = self.pair.network
        network.weather = Weather()
        self.client.resume_reading()
        self.server.resume_reading()
        network.run(400)
        if not self.ended:
            assert self.received(self.node) == self.sent[self.server.id]
            assert self.received(self.pair.server) == self.sent[self.client.id]
            self.client.disconnect()
            network.run(400)
        for node in (self.node, self.pair.server):
            assert sum(isinstance(event, Opened) for event in node.events) == 1
            assert isinstance(node.events[-1], Closed)
            assert sum(isinstance(event, Closed) for event in node.events) == 1
            assert len(node.endpoint) == 0
            assert node.endpoint.next_timer is None

    @invariant()
    def what_arrived_is_what_was_sent_so_far(self) -> None:
        if hasattr(self, "pair"):
            for node, sender in ((self.node, self.server), (self.pair.server, self.client)):
                received = self.received(node)
                assert received == self.sent[sender.id][: len(received)]

    @invariant()
    def windows_hold(self) -> None:
        if hasattr(self, "pair"):
            for connection in (self.client, self.server):
                for sender in connection.senders:
                    assert sender is None or len(sender.unacknowledged) <= WINDOW
                for receiver in connection.receivers:
                    assert receiver is None or len(receiver.waiting or ()) < WINDOW

    @staticmethod
    def received(node: Node) -> list[bytes]:
        return [event.data for event in node.events if isinstance(event, Message)]


Conversation.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestConversation = Conversation.TestCase
