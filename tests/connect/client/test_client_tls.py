"""Both clients with TLS: who is believed, and what happens where only one end speaks it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import Client, DisconnectedError, SyncClient
from tests.support.certificates import write_certificate
from tests.support.plugin_server import PASSWORD, plugin_server, write_plugin
from tests.support.scripted_server import Peer, scripted_server
from tests.support.waiting import until


@pytest.fixture
def server_tls(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*write_certificate(tmp_path))
    return context


@pytest.fixture
def trusting(tmp_path: Path, server_tls: ssl.SSLContext) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))


async def test_frames_go_through_tls(
    tmp_path: Path, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    big = bytes(range(256)) * 4000

    def talk(address: tuple[str, int]) -> None:
        with SyncClient(*address, PASSWORD, tls=trusting) as client:
            assert client.uses_tls
            for _ in range(5):
                client.send("echo", 1, big)
            assert [client.recv(5.0).data for _ in range(5)] == [big] * 5
            with pytest.raises(TimeoutError):
                client.recv(0.01)
            assert client.request("echo", 2, b"x").data == b"x"

    async with plugin_server(write_plugin(tmp_path, "echo"), tls=server_tls) as server:
        async with Client(*server.address, PASSWORD, tls=trusting) as client:
            for _ in range(5):
                await client.send("echo", 1, big)
            assert [(await client.recv()).data for _ in range(5)] == [big] * 5
        await asyncio.to_thread(talk, server.address)
        assert server.stats.logins == 2


async def test_a_certificate_has_to_be_trusted_and_of_the_right_name(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"tls": True}, "self-signed"),
        ({"tls": trusting, "server_hostname": "neko.example"}, "Hostname mismatch"),
    ]
    async with plugin_server(tls=server_tls) as server:
        for options, reason in refused:
            with pytest.raises(ssl.SSLCertVerificationError, match=reason):
                await Client(*server.address, PASSWORD, **options).connect()
            with pytest.raises(ssl.SSLCertVerificationError, match=reason):
                await asyncio.to_thread(SyncClient(*server.address, PASSWORD, **options).connect)
        host, port = server.address
        named = Client(host, port, PASSWORD, tls=trusting, server_hostname="localhost")
        async with named as client:
            assert client.is_open
        assert server.stats.logins == 1


async def test_only_one_end_speaks_tls(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with plugin_server(tls=server_tls) as server:
        with pytest.raises(DisconnectedError):
            await Client(*server.address, PASSWORD).connect()
        with pytest.raises(DisconnectedError):
            await asyncio.to_thread(SyncClient(*server.address, PASSWORD).connect)
    async with plugin_server() as server:
        with pytest.raises(ssl.SSLError):
            await Client(*server.address, PASSWORD, tls=trusting).connect()
        with pytest.raises(ssl.SSLError):
            await asyncio.to_thread(SyncClient(*server.address, PASSWORD, tls=trusting).connect)
        assert server.stats.logins == 0


async def test_a_handshake_that_never_ends_is_given_up(trusting: ssl.SSLContext) -> None:
    async def stay_silent(peer: Peer) -> None:
        await peer._reader.read()

    async with scripted_server(stay_silent) as server:
        with pytest.raises(TimeoutError, match="does not answer"):
            await Client(*server.address, PASSWORD, tls=trusting, timeout=0.05).connect()
        with pytest.raises(TimeoutError, match="does not answer"):
            await asyncio.to_thread(
                SyncClient(*server.address, PASSWORD, tls=trusting, timeout=0.05).connect
            )


async def test_what_was_sent_arrives_although_the_client_closes_at_once(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async def read(peer: Peer) -> None:
        await peer.welcome()
        await peer.rest()

    def talk(address: tuple[str, int]) -> None:
        with SyncClient(*address, PASSWORD, tls=trusting) as client:
            for _ in range(20):
                client.send("a", 1, bytes(10_000))

    async with scripted_server(read, tls=server_tls) as server:
        async with Client(*server.address, PASSWORD, tls=trusting) as client:
            for _ in range(20):
                await client.send("a", 1, bytes(10_000))
        await asyncio.to_thread(talk, server.address)
    assert [len(peer.frames) for peer in server.peers] == [21, 21]


async def test_closing_after_the_server_has_gone_is_silent(
    server_tls: ssl.SSLContext, trusting: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave(peer: Peer) -> None:
        await peer.welcome()

    async with scripted_server(leave, tls=server_tls) as server:
        client = Client(*server.address, PASSWORD, tls=trusting)
        await client.connect()
        with pytest.raises(DisconnectedError):
            await client.recv()
        await until(lambda: client._link is not None and client._link._lost.is_set())
        await client.close()
    assert caplog.messages == []
