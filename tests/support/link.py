"""Endpoints in memory, joined by a network as bad as a test wants it, in virtual time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from nekonex.prudp.base import Address
from nekonex.prudp.client import ClientConnection, ClientEndpoint, Credentials
from nekonex.prudp.connection import Connection
from nekonex.prudp.events import Event
from nekonex.prudp.host import Endpoint
from nekonex.prudp.limits import Limits
from nekonex.prudp.server import ServerEndpoint
from nekonex.settings import TransportSettings
from tests.support.reported import Reported
from tests.support.transport import transport

__all__ = ["EPOCH", "SERVER", "Network", "Node", "Pair", "Weather"]

SERVER: Address = ("192.0.2.1", 60000)
EPOCH = 1_700_000_000.0
"""The wall clock when a network's own clock stands at 0."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How a network treats a datagram. Delays are in seconds; their spread reorders."""

    loss: float = 0.0
    duplication: float = 0.0
    delay: tuple[float, float] = (0.01, 0.01)


@dataclass(slots=True)
class Node(Reported):
    """An endpoint at an address, and what it reported and sent."""

    endpoint: Endpoint
    address: Address
    events: list[Event] = field(default_factory=list)
    sent: list[tuple[float, bytes, Address]] = field(default_factory=list)
    on_event: Callable[[Event], None] | None = None


class Network:
    """Carries datagrams between nodes, each as the weather and the seed will have it."""

    def __init__(self, seed: int = 0, weather: Weather | None = None) -> None:
        self.now = 1000.0
        self.weather = weather or Weather()
        self.random = random.Random(seed)
        self.nodes: dict[Address, Node] = {}
        self.filter: Callable[[bytes, Address], bool] = lambda data, target: True
        """Whether a datagram to that address gets through."""
        self.watch: Callable[[], None] = lambda: None
        """Called after every step, to check what must always hold."""
        self._flying: list[tuple[float, int, bytes, Address, Address]] = []
        self._count = 0

    def clock(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return EPOCH + self.now

    def add(self, endpoint: Endpoint, address: Address) -> Node:
        node = self.nodes[address] = Node(endpoint, address)
        endpoint.local_address = address
        return node

    def inject(self, data: bytes, source: Address, target: Address) -> None:
        """Have *target* receive a datagram now, and handle what follows at once."""
        self.nodes[target].endpoint.receive_datagram(data, source, self.now)
        self._collect()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        self._collect()
        while True:
            at = min((item for item in self._next_times()), default=end)
            if at > end:
                break
            self.now = max(self.now, at)
            self._step()
            if at == end:
                break
        self.now = end
        self._collect()

    def run_until(self, condition: Callable[[], bool], limit: float = 300.0) -> None:
        """Let time pass until *condition* holds; fail after *limit* seconds."""
        end = self.now + limit
        self._collect()
        while not condition():
            at = min(self._next_times(), default=end + 1)
            assert at <= end, f"it did not happen within {limit} s"
            self.now = max(self.now, at)
            self._step()

    def stall(self, seconds: float) -> None:
        """Let time pass while nobody looks: neither datagrams nor timers are handled."""
        self.now += seconds

    def _next_times(self) -> list[float]:
        times = [
            node.endpoint.next_timer
            for node in self.nodes.values()
            if node.endpoint.next_timer is not None
        ]
        if self._flying:
            times.append(self._flying[0][0])
        return times

    def _step(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, data, source, target = heapq.heappop(self._flying)
            node = self.nodes.get(target)
            if node is not None:
                node.endpoint.receive_datagram(data, source, self.now)
        self._collect()
        for node in self.nodes.values():
            node.endpoint.handle_timer(self.now)
        self._collect()
        self.watch()

    def _collect(self) -> None:
        """Take events and output of all nodes, until there are no more."""
        busy = True
        while busy:
            busy = False
            for node in self.nodes.values():
                events = node.endpoint.take_events()
                node.events += events
                if node.on_event is not None:
                    for event in events:
                        node.on_event(event)
                output = node.endpoint.take_output()
                for data, target in output:
                    node.sent.append((self.now, data, target))
                    self._carry(data, node.address, target)
                busy = busy or bool(events or output)

    def _carry(self, data: bytes, source: Address, target: Address) -> None:
        if not self.filter(data, target):
            return
        weather = self.weather
        copies = 1 + (self.random.random() < weather.duplication)
        for _ in range(copies):
            if self.random.random() >= weather.loss:
                self._count += 1
                at = self.now + self.random.uniform(*weather.delay)
                heapq.heappush(self._flying, (at, self._count, data, source, target))


class Pair:
    """A server with port 1 bound, and clients to connect with."""

    def __init__(
        self,
        *,
        seed: int = 0,
        weather: Weather | None = None,
        settings: TransportSettings | None = None,
        limits: Limits | None = None,
        key: bytes | None = None,
        minor_version: int | None = None,
    ) -> None:
        self.settings = settings or transport()
        self.limits = limits
        self.network = Network(seed, weather)
        self.server_endpoint = ServerEndpoint(
            self.settings,
            clock=self.network.clock,
            wall_clock=self.network.wall_clock,
            random=self.network.random.randbytes,
            limits=limits,
            minor_version=minor_version,
        )
        self.server_endpoint.bind(1, key)
        self.server = self.network.add(self.server_endpoint, SERVER)
        self._clients = 0

    def client(self, address: Address | None = None, *, limits: Limits | None = None) -> Node:
        """Add a client endpoint, at an address of its own."""
        self._clients += 1
        endpoint = ClientEndpoint(
            self.settings,
            clock=self.network.clock,
            random=self.network.random.randbytes,
            limits=limits or self.limits,
        )
        return self.network.add(endpoint, address or ("198.51.100.7", 50000 + self._clients))

    def start(
        self, node: Node, credentials: Credentials | None = None, *, port: int = 1
    ) -> ClientConnection:
        """Begin a handshake."""
        assert isinstance(node.endpoint, ClientEndpoint)
        return node.endpoint.connect(SERVER, self.network.now, port=port, credentials=credentials)

    def connect(
        self, node: Node | None = None, credentials: Credentials | None = None, *, port: int = 1
    ) -> tuple[ClientConnection, Connection]:
        """Complete a handshake; return the client's and the server's connection."""
        node = node or self.client()
        known = len(self.server.opened())
        ours = self.start(node, credentials, port=port)
        self.network.run_until(lambda: ours.open)
        return ours, self.server.opened()[known]
