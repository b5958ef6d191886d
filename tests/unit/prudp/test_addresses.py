"""What a connection says of where it is and where its peer is."""

from __future__ import annotations

import pytest

from tests.support.console import Console
from tests.support.link import Pair


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (("203.0.113.7", 4000), "203.0.113.7"),
        (("::ffff:203.0.113.7", 4000, 0, 0), "203.0.113.7"),
        (("2001:db8::7", 4000, 0, 0), "2001:db8::7"),
    ],
)
def test_an_ipv4_console_has_its_ipv4_address_on_every_socket(
    address: tuple[object, ...], host: str
) -> None:
    pair = Pair()
    console = Console(pair, address=address)
    console.connect()
    (connection,) = pair.server_endpoint.connections()
    assert connection.remote_address == (host, 4000)
    assert connection.address == address
