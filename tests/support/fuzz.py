"""Malformed datagrams by the hundred thousand, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from nekonex.prudp.base import Address
from nekonex.prudp.codec_v0 import V0Codec
from tests.support.console import Console, login_payload
from tests.support.link import EPOCH, Pair
from tests.support.transport import SERVER_KEY, credentials, transport

__all__ = ["CONSOLES", "fuzz", "populated_pair", "recorded_packets"]

CONSOLES: tuple[Address, ...] = (("203.0.113.1", 1), ("203.0.113.2", 2))
"""Addresses of the live connections: of v0 and of v1."""

_MAGIC = b"\xea\xd0\x01"
_V0 = V0Codec(transport())


def populated_pair(seed: int) -> tuple[Pair, list[Console]]:
    """Return a server with a live connection of each version, and both consoles."""
    pair = Pair(seed=seed, settings=transport(version=2, max_substream_id=1), key=SERVER_KEY)
    pair.server_endpoint.bind(2)
    consoles = []
    for version, address in enumerate(CONSOLES):
        console = Console(pair, version=version, address=address)
        key = bytes((seed, version)) * 16
        console.connect(credentials(EPOCH + pair.network.now, pid=version + 1, session_key=key))
        consoles.append(console)
    return pair, consoles


def recorded_packets(seed: int) -> list[bytes]:
    """Return well-formed packets between the same ports, but of another server process."""
    pair, consoles = populated_pair(seed)
    packets = []
    for console in consoles:
        packets += [
            console.syn_bytes(),
            console.connect_bytes(),
            console.connect_bytes(login_payload(credentials(EPOCH + pair.network.now))),
            console.connect_bytes(signed_with=b""),
            console.packet_bytes(2, 2, b"payload"),
            console.packet_bytes(2, 3, b""),
            console.packet_bytes(2, 1, b"", flags=1),
            console.packet_bytes(2, 9, b"\0\1\5\0\7\0", flags=0x200),
            console.packet_bytes(4, 4, b"", flags=4),
            console.packet_bytes(4, 4, b"", flags=6),
            console.packet_bytes(3, 5, b"", flags=6),
            console.packet_bytes(3, 0, b"", flags=0),
        ]
    return packets


def fuzz(seed: int, count: int, packets: list[bytes]) -> Iterator[bytes]:
    """Yield *count* datagrams: noise, and packets that were changed, cut and joined."""
    rng = random.Random(seed)
    choice, randrange, randbytes = rng.choice, rng.randrange, rng.randbytes
    for index in range(count):
        way = index % 6
        if way == 0:
            yield randbytes(randrange(64))
        elif way == 1:
            yield _MAGIC + randbytes(randrange(80))
        elif way == 2:
            packet = choice(packets)
            yield packet[: randrange(len(packet))]
        elif way == 3:
            yield choice(packets) + _changed(choice(packets), rng) + randbytes(randrange(4))
        elif way == 4:
            # What gets past the checksum of v0, which is a sum.
            body = _changed(choice(packets)[:-1], rng)
            yield body + _V0.checksum(body)
        else:
            yield _changed(choice(packets), rng)


def _changed(packet: bytes, rng: random.Random) -> bytes:
    data = bytearray(packet)
    for _ in range(rng.randrange(1, 4)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)
