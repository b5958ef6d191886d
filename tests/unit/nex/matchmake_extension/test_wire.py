"""What the servers of the extension say on the wire is what the protocol says."""

from __future__ import annotations

import pytest

from nekonex.games.mario_kart_8 import MarioKart8MatchmakeExtensionServer
from nekonex.games.monster_hunter_xx import MonsterHunterXXMatchmakeExtensionServer
from nekonex.nex.matchmake_extension import MatchmakeExtension, MatchmakeExtensionServer
from nekonex.nex.structures import default_holders
from nekonex.wire import WireContext
from tests.support.nexlab import lab_settings
from tests.support.roomlab import Console, piped, refused, room

SERVERS = [
    MatchmakeExtensionServer,
    MarioKart8MatchmakeExtensionServer,
    MonsterHunterXXMatchmakeExtensionServer,
]


@pytest.mark.parametrize("server", SERVERS)
def test_no_method_has_another_format_than_the_protocol(
    server: type[MatchmakeExtensionServer],
) -> None:
    protocol = {each.name: each.signature for each in MatchmakeExtension.definitions()}
    for definition in server.definitions():
        if definition.name in protocol:
            ours, theirs = definition.signature, protocol[definition.name]
            assert ours.parameters == theirs.parameters, definition.name
            assert ours.parts == theirs.parts, definition.name


NOT_SERVED = {"request_matchmaking", "withdraw_matchmaking", "withdraw_matchmaking_all"}


def test_everything_else_is_served() -> None:
    for definition in MatchmakeExtensionServer.definitions():
        served = definition.owner is not MatchmakeExtension
        inherited = definition.name == "update_notification_data_wide"
        social = definition.owner.__name__ == "SocialMethods"
        assert inherited or (served and not social) == (definition.name not in NOT_SERVED)


def numbers(server: type[MatchmakeExtensionServer], version: str) -> dict[int, str]:
    context = WireContext(version, holders=default_holders())
    return {number: codec.name for number, codec in server.codecs(context).items()}


def test_numbers_of_titles() -> None:
    common = numbers(MatchmakeExtensionServer, "3.5.4")
    mario = numbers(MarioKart8MatchmakeExtensionServer, "3.5.4")
    assert {number: name for number, name in common.items() if not 36 <= number <= 41} == {
        number: name for number, name in mario.items() if number != 40
    }
    assert mario[40] == "join_matchmake_session_with_extra_participants"
    monster = numbers(MonsterHunterXXMatchmakeExtensionServer, "4.4")
    assert set(numbers(MatchmakeExtensionServer, "4.4")) - set(monster) == {54}
    assert monster[59] == "find_community_by_owner"


async def test_background_searches_are_not_implemented() -> None:
    async with piped(lab_settings("4.0.1")) as rooms, rooms.console(1000) as one:
        for call in (
            one.extension.withdraw_matchmaking(1),
            one.extension.withdraw_matchmaking_all(),
        ):
            assert await refused(call) == "Core::NotImplemented"


@pytest.mark.parametrize("version", ["2.4.3", "3.0.1", "3.3.0"])
async def test_before_late_matchmaking_everybody_takes_one_place(version: str) -> None:
    async with piped(lab_settings(version)) as rooms, rooms.consoles(2, minor_version=0) as (a, b):
        made = await a.extension.create_matchmake_session(room(), "hi")
        key = await b.extension.join_matchmake_session_ex(made.gid, "ho", True)
        has_keys = version != "2.4.3"
        assert (len(made.session_key), len(key)) == ((32, 32) if has_keys else (0, 0))
        session = await rooms.get(made.gid)
        assert [(each.count, each.message) for each in session.participants] == [
            (1, "hi"),
            (1, "ho"),
        ]
        # Nobody can say how far the game is, so nobody is told.
        found = await b.extension.find_matchmake_session_by_single_gathering_id(made.gid)
        assert (found.id, found.num_participants) == (made.gid, 2)
        await rooms.settled()
        assert [told.kind for told in a.told] == [3001]
        assert [told.param3 for told in a.told] == [0]


async def test_a_library_that_is_older_than_its_number_says() -> None:
    async with piped(lab_settings("3.5.4")) as rooms, rooms.console(1000) as one:
        body = await made_by_hand(one)
        assert (await rooms.get(int.from_bytes(body[:4], "little"))).places_taken == 1


async def made_by_hand(one: Console) -> bytes:
    session = one.session
    codec = MatchmakeExtension.codecs(session.context)[6]
    body = codec.encode_arguments([room(), "hi", 3])
    reply: bytes = await session.call(109, 6, body[:-2])
    return reply
