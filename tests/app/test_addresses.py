"""What consoles are told about where the secure server is."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest

from nekonex.app import addresses
from nekonex.app.addresses import (
    ExternalAddress,
    address_towards,
    format_address,
    plain_address,
)
from nekonex.app.errors import StartError


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_addresses_are_told_plainly(given: str, plain: str) -> None:
    assert plain_address(given) == plain


def test_an_address_with_its_port_is_one_text() -> None:
    assert format_address(("127.0.0.1", 80)) == "127.0.0.1:80"
    assert format_address(("::1", 80)) == "[::1]:80"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.53", "::ffff:127.0.0.1"])
def test_loopback_is_faced_by_loopback(peer: str) -> None:
    assert address_towards(peer) == "127.0.0.1"


def test_there_is_no_way_to_what_is_no_address() -> None:
    assert address_towards("") is None or address_towards("not an address") is None


def ways(monkeypatch: pytest.MonkeyPatch, **known: str) -> None:
    """Pretend that these are the ways from this machine: a peer, and the address that faces it."""
    table = {peer.replace("_", "."): own for peer, own in known.items()}
    monkeypatch.setattr(addresses, "address_towards", lambda peer: table.get(f"x{peer}"))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_what_is_configured_is_told_to_all(caplog: pytest.LogCaptureFixture) -> None:
    external = ExternalAddress("game", "203.0.113.9", "0.0.0.0")
    await external.start()
    assert external.towards("127.0.0.1") == external.towards("198.51.100.7") == "203.0.113.9"
    assert not warnings(caplog)


async def test_auto_tells_the_address_of_a_socket_that_has_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    external = ExternalAddress("game", "auto", "192.0.2.50")
    await external.start()
    assert external.towards("198.51.100.7") == "192.0.2.50"
    assert not warnings(caplog)


async def test_auto_tells_the_address_that_faces_the_console(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ways(
        monkeypatch,
        x192_0_2_1="192.168.1.5",
        x192_168_1_77="192.168.1.5",
        x10_0_0_3="10.0.0.1",
        x127_0_0_1="127.0.0.1",
    )
    external = ExternalAddress("game", "auto", "0.0.0.0")
    await external.start()
    assert external.towards("192.168.1.77") == "192.168.1.5"
    assert external.towards("10.0.0.3") == "10.0.0.1"
    assert external.towards("127.0.0.1") == "127.0.0.1"
    assert not warnings(caplog)


@pytest.mark.parametrize("bound", ["127.0.0.1", "::1", "0.0.0.0", "::"])
async def test_auto_warns_where_only_loopback_is_known(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, bound: str
) -> None:
    ways(monkeypatch)
    await ExternalAddress("game", "auto", bound).start()
    (warning,) = warnings(caplog)
    assert "only loopback is known" in warning


async def test_a_console_that_cannot_reach_what_it_is_told_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ways(monkeypatch, x192_0_2_1="192.168.1.5", x8_8_8_8="192.168.1.5", x9_9_9_9="192.168.1.5")
    external = ExternalAddress("game", "auto", "0.0.0.0")
    await external.start()
    assert external.towards("8.8.8.8") == external.towards("9.9.9.9") == "192.168.1.5"
    (warning,) = warnings(caplog)
    assert "told a private address" in warning


@pytest.fixture(autouse=True)
def _no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know localhost only, and ask nobody."""

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        if host != "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


async def test_a_host_name_is_looked_up_for_the_consoles() -> None:
    external = ExternalAddress("game", "localhost", "0.0.0.0")
    await external.start()
    assert external.towards("198.51.100.7") == "127.0.0.1"


async def test_a_name_without_address_is_refused() -> None:
    with pytest.raises(StartError, match="has no IPv4 address"):
        await ExternalAddress("game", "no-such-host.invalid", "0.0.0.0").start()


async def test_a_name_is_looked_up_again_and_the_last_address_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    external = ExternalAddress("game", "localhost", "0.0.0.0")
    await external.start()
    monkeypatch.setattr(external, "_configured", "no-such-host.invalid")
    naps = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "sleep", nap)
    with pytest.raises(KeyboardInterrupt):
        await external.keep_fresh()
    assert external.towards("198.51.100.7") == "127.0.0.1"
    assert "cannot be looked up" in warnings(caplog)[0]
