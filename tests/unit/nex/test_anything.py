"""Whatever consoles ask about rankings and unique ids is answered, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.ranking import Rankings
from nekonex.domain.unique_ids import UniqueIds
from nekonex.nex import RankingServer, UtilityServer
from nekonex.rmc import Protocol
from nekonex.storage.memory_unique_ids import MemoryUniqueIdStore
from nekonex.storage.ranking import MemoryScoreStore
from nekonex.values import RMCError
from nekonex.values.errors import ERROR_CODES
from nekonex.wire import WireContext
from tests.support.arguments import arguments
from tests.support.nexlab import lab_settings

CONTEXT = WireContext("3.8.3")


class Caller:
    """As much of a session as servers look at."""

    context = CONTEXT

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.id = pid


def make(server: type[Protocol]) -> Any:
    if server is RankingServer:
        return RankingServer(lab_settings(), ranking=Rankings(MemoryScoreStore()))
    return UtilityServer(lab_settings(), unique_ids=UniqueIds(MemoryUniqueIdStore()))


async def answer(server: Any, pid: int, number: int, body: bytes) -> bytes | None:
    """Return the reply; None for an error that has a name. All else fails the test."""
    name, reply = "", None
    try:
        reply = await server.handle(Caller(pid), number, body)
    except RMCError as error:
        name = error.name
    assert not name or name in ERROR_CODES
    return reply


@pytest.mark.parametrize("server", [RankingServer, UtilityServer])
@settings(max_examples=30)
@given(data=st.data())
async def test_any_arguments(server: type[Protocol], data: st.DataObject) -> None:
    made = make(server)
    codecs = server.codecs(CONTEXT)
    for _ in range(data.draw(st.integers(1, 8))):
        codec = codecs[data.draw(st.sampled_from(sorted(codecs)))]
        given_to = data.draw(arguments(server, codec, CONTEXT))
        pid = data.draw(st.integers(1, 3))
        body = codec.encode_arguments(given_to)
        reply = await answer(made, pid, codec.method_id, body)
        if reply is not None:
            codec.decode_reply(reply)


@pytest.mark.parametrize("server", [RankingServer, UtilityServer])
@settings(max_examples=40)
@given(number=st.integers(0, 17), body=st.binary(max_size=80))
async def test_any_bytes(server: type[Protocol], number: int, body: bytes) -> None:
    await answer(make(server), 1, number, body)
