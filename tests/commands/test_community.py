"""`nekonex community`, with no server anywhere."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.matchmaking import Community, CommunityType, Participant
from nekonex.storage import open_local
from nekonex.values import DateTime
from tests.support.commands import Commands

pytestmark = pytest.mark.usefixtures("two_games")


def store(run: Commands, game: str, *made: Community) -> list[int]:
    """Store communities as a server would; their gids."""

    async def create() -> list[int]:
        async with open_local(run.folder / "data") as stores:
            return [(await stores.communities(game).create(each)).gid for each in made]

    return asyncio.run(create())


def stored(run: Commands, game: str, gid: int) -> Community:
    async def get() -> Community:
        async with open_local(run.folder / "data") as stores:
            found = await stores.communities(game).get(gid)
            assert found is not None
            return found

    return asyncio.run(get())


def listed(run: Commands, *arguments: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("community", "list", "--json", *arguments))
    return found


def test_an_official_community_of_a_game(run: Commands) -> None:
    assert run("community", "add", "--game", "kart", "Friday Cup") == "1\n"
    (cup,) = listed(run)
    assert cup.pop("created").endswith("Z")
    assert cup == {
        "gid": 1,
        "game": "kart",
        "type": "official",
        "owner": 2,
        "members": 0,
        "max": None,
        "from": None,
        "until": None,
        "password": False,
        "attributes": [0] * 6,
        "description": "Friday Cup",
    }
    assert run("community", "members", 1, "--json") == "[]\n"


def test_all_that_can_be_said_of_one(run: Commands) -> None:
    Path("rules.bin").write_bytes(b"\0rules\xff")
    gid = run(
        *("community", "add", "Night Cup", "--game", "ink", "--owner", 1337, "--max", 300),
        *("--attribute", "5=4294967295", "--attribute", "0=7", "--data", "rules.bin"),
        *("--from", "2026-01-02T03:04:05Z", "--until", "2999-01-02T03:04:05+01:00"),
        "--password-stdin",
        typed="ネコ\nanother line\n".encode(),
    )
    made = stored(run, "ink", int(gid))
    assert (made.type, made.password, made.application_data) == (2, "ネコ", b"\0rules\xff")
    assert made.participation_start == DateTime.make(2026, 1, 2, 3, 4, 5)
    (cup,) = listed(run, "--game", "ink")
    assert (cup["from"], cup["until"]) == ("2026-01-02T03:04:05Z", "2999-01-02T02:04:05Z")
    assert (cup["owner"], cup["max"], cup["password"]) == (1337, 300, True)
    assert cup["attributes"] == [7, 0, 0, 0, 0, 4294967295]
    assert "ネコ" not in run("community", "list", "--json")


def test_the_list_is_of_official_ones_unless_all_are_asked_for(run: Commands) -> None:
    store(run, "ink", Community(owner=9, description="ours"))
    store(run, "kart", *[Community(owner=7, type=CommunityType.PASSWORD)] * 120)
    odd = Community(type=77, participation_end=DateTime(2**64 - 1), description="a\x1b[2Jb\n\x9b")
    (strange,) = store(run, "kart", odd)
    cup = int(run("community", "add", "--game", "kart", "Cup"))
    assert [each["gid"] for each in listed(run)] == [cup]
    assert listed(run, "--game", "ink") == []
    everybodys = listed(run, "--all")
    # The games in the order of the configuration, and of each the oldest first.
    assert [each["gid"] for each in everybodys] == [*range(2, 124), 1]
    assert [each["type"] for each in everybodys[-4:]] == ["password", "77", "official", "open"]
    assert [each["gid"] for each in listed(run, "--all", "--game", "ink")] == [1]
    lines = run("community", "list", "--all").splitlines()
    assert len(lines) == 1 + 123
    assert lines[0].split() == (
        ["gid", "game", "type", "owner", "members", "from", "until", "description"]
    )
    assert lines[1].split() == ["2", "kart", "password", "7", "0/any"]
    assert lines[121].split()[0] == str(strange)
    assert lines[121].endswith("a\\x1b[2Jb\\n\\x9b")
    assert lines[122].split() == [str(cup), "kart", "official", "2", "0/any", "Cup"]


def test_members_and_the_end_of_a_community(run: Commands) -> None:
    members = (Participant(7, message="hi\x07", visits=3), Participant(2**32 - 1))
    founded, other = store(run, "ink", *[Community(owner=7, participants=members)] * 2)
    lines = run("community", "members", founded).splitlines()
    assert [line.split() for line in lines] == [
        ["PID", "visits", "message"],
        ["7", "3", "hi\\x07"],
        ["4294967295", "0"],
    ]
    assert json.loads(run("community", "members", founded, "--json"))[0] == {
        "pid": 7,
        "visits": 3,
        "message": "hi\x07",
    }
    assert run("community", "remove", founded) == f"removed {founded}, which had 2 members\n"
    unknown = f"no configured game has a community {founded}"
    assert run.fails(1, "community", "remove", founded) == unknown
    assert run.fails(1, "community", "members", founded) == unknown
    assert [each["gid"] for each in listed(run, "--all")] == [other]
    cup = int(run("community", "add", "--game", "kart", "Cup"))
    assert run("community", "remove", cup) == f"removed {cup}\n"
    assert int(run("community", "add", "--game", "kart", "Cup")) == cup + 1


ADD = ("add", "--game", "kart")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add", "Cup"), "missing option '--game'"),
        (ADD, "missing argument 'DESCRIPTION'"),
        (("add", "--game", "cart", "Cup"), "there is no game 'cart'; configured: kart, ink"),
        (("list", "--game", "cart"), "there is no game 'cart'"),
        ((*ADD, ""), "a description must not be empty"),
        ((*ADD, "x" * 257), "a description has at most 256 characters, this one has 257"),
        ((*ADD, "Cup", "--attribute", "6=1"), "the index of an attribute is between 0 and 5"),
        ((*ADD, "Cup", "--attribute", "0=4294967296"), "attribute 0 is between 0 and"),
        ((*ADD, "Cup", "--attribute", "0:1"), "--attribute is '0:1'; it is an index and a value"),
        ((*ADD, "Cup", "--attribute", "0=-1"), "--attribute is '0=-1'"),
        (
            (*ADD, "Cup", "--attribute", "0=1", "--attribute", "00=2"),
            "--attribute 0 is there twice",
        ),
        ((*ADD, "Cup", "--owner", "0"), "Input should be"),
        ((*ADD, "Cup", "--owner", "4294967296"), "Input should be"),
        ((*ADD, "Cup", "--max", "65536"), "a maximum of members is between 0 and 65535"),
        ((*ADD, "Cup", "--until", "soon"), "--until is 'soon'; allowed: a date such as"),
        ((*ADD, "Cup", "--until", "2001-01-01"), "the period is over"),
        ((*ADD, "Cup", "--from", "2h", "--until", "1h"), "the period ends before it begins"),
        ((*ADD, "Cup", "--data", "no/such.bin"), "no/such.bin cannot be read: No such file"),
        ((*ADD, "Cup", "--data", "large.bin"), "the data has at most 512 bytes, not 513"),
        ((*ADD, "Cup", "--password-stdin"), "a password must not be empty"),
        (("remove", "-1"), "no such option: -1"),
        (("remove", "4294967296"), "Input should be"),
        (("members", "x"), "a valid integer"),
    ],
)
def test_bad_use_is_one_sentence(run: Commands, arguments: tuple[str, ...], told: str) -> None:
    Path("large.bin").write_bytes(bytes(513))
    assert told in run.fails(2, "community", *arguments)
    assert listed(run, "--all") == []


def test_a_password_that_is_no_text(run: Commands) -> None:
    arguments = ("community", *ADD, "Cup", "--password-stdin")
    assert run.fails(2, *arguments, typed=b"\xff\n") == "the password is not UTF-8"
    assert "at most 32 characters" in run.fails(2, *arguments, typed=b"p" * 33)
