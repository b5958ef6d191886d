"""How the demo tells of steps that go wrong, and of chapters that do not end."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import pytest
from nintendo.nex import common, matchmaking
from rich.console import Console as Terminal

from nekonex.connect import Client
from nekonex.demo import Chapter, Stage, plugins, story, talk, tell
from nekonex.demo.chapters import leaderboard, nekoconnect, nobody_found, private_room, rooms
from nekonex.demo.clients import Vanished
from nekonex.demo.crowd import Visitor, crowd
from nekonex.demo.stage import eventually
from nekonex.demo.structures import room
from nekonex.domain.matchmaking import UnreachablePairs
from nekonex.domain.matchmaking.rules import admission


@pytest.fixture(autouse=True)
def _their_structures() -> None:
    """Have data holders decoded as these; variants for single titles replace them on import."""
    for name in ("Gathering", "MatchmakeSession", "PersistentGathering"):
        common.DataHolder.register(getattr(matchmaking, name), name)


async def told(*chapters: Chapter) -> tuple[list[tuple[str, bool, str]], str]:
    output = io.StringIO()
    steps = await tell(chapters, Terminal(file=output, width=120))
    return [(step.title, step.passed, step.seen) for step in steps], output.getvalue()


async def test_what_goes_wrong_is_told_and_the_story_goes_on() -> None:
    async def first(stage: Stage) -> None:
        with stage.step("one", "two is more") as step:
            step.expect([], "two is less")
        with stage.step("a refusal", "no") as step, step.refusal("Core::Nothing"):
            pass
        with stage.step("an accident", "nothing") as step:
            raise ZeroDivisionError("by nought")

    async def endless(stage: Stage) -> None:
        with stage.step("waiting", "an end"):
            await asyncio.sleep(60)

    async def empty(stage: Stage) -> None:
        pass

    async def last(stage: Stage) -> None:
        with stage.step("good", "good") as step:
            step.saw("all is well")

    steps, text = await told(
        Chapter("First", "about it", first),
        Chapter("Endless", "about it", endless, limit=0.05),
        Chapter("Empty", "about it", empty),
        Chapter("Last", "about it", last),
    )
    assert steps == [
        ("one", False, "two is less"),
        ("a refusal", False, "it was let through instead of Core::Nothing"),
        ("an accident", False, "ZeroDivisionError: by nought"),
        ("waiting", False, "it was broken off"),
        ("the chapter", False, "it was not over after 0.05 seconds"),
        ("the chapter", False, "it had no step"),
        ("good", True, "all is well"),
    ]
    assert "6 of 7 steps went wrong." in text
    assert "✓ good  all is well" in text
    assert "expected: two is more" in text


async def test_a_chapter_can_do_without_the_log() -> None:
    async def play(stage: Stage) -> None:
        with stage.step("a guest comes and goes", "all is well"):
            async with stage.guest(stage.kart).online():
                pass
            assert await stage.deserted()

    loud = Chapter("Loud", "about it", play)
    _, text = await told(replace(loud, narrated=False))
    assert "player logged" not in text
    _, text = await told(loud, replace(loud, narrated=False))
    assert (text.count("player logged in"), text.count("player logged out")) == (1, 1)


def is_offline(visitor: Visitor) -> bool:
    try:
        return not visitor.online
    except Vanished:
        return True


async def test_one_of_a_crowd_leaves_and_the_others_stay() -> None:
    left: list[int] = []

    async def play(stage: Stage) -> None:
        consoles = [await stage.console(name) for name in ("one", "two", "three")]
        players = stage.kart.players
        with stage.step("one goes home", "the others stay"):
            async with crowd(consoles) as [one, two, three]:
                assert [each.console for each in (one, two, three)] == consoles
                assert players.count == 3
                gone = one.online.pid
                one.send_home()
                assert await eventually(lambda: players.newest(gone) is None)
                assert await eventually(lambda: is_offline(one))
                await two.online.secure.test_connectivity()
                left.append(players.count)
            assert await eventually(lambda: not players.count)

    steps, _ = await told(Chapter("Crowd", "about it", play))
    assert steps == [("one goes home", True, "")]
    assert left == [2]


async def test_one_of_a_crowd_who_cannot_log_in_ends_the_chapter() -> None:
    async def play(stage: Stage) -> None:
        known = await stage.console("somebody")
        async with crowd([known, replace(known, name="nobody")]):
            raise AssertionError("it is never full")

    steps, _ = await told(Chapter("Crowd", "about it", play, limit=5))
    assert steps == [("the chapter", False, "RendezVous::InvalidUsername")]


async def test_rooms_of_another_size_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "_CONSOLES", 4)
    monkeypatch.setattr(rooms, "_PLACES", 2)
    monkeypatch.setattr(rooms, "room", lambda: room(max_participants=3))
    steps, _ = await told(rooms.CHAPTER)
    assert steps == [("4 consoles look for a room at once", False, "there are rooms of [3, 1]")]


async def test_passwords_that_open_nothing_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_same", lambda _expected, _shown: True)
    steps, _ = await told(private_room.CHAPTER)
    failed = [(title, seen) for title, passed, seen in steps if not passed]
    through = "it was let through instead of RendezVous::MatchmakeSession"
    assert failed[0] == ("Marie tries a password", f"{through}UserPasswordUnmatch")
    assert ("Judd knows the first only", f"{through}SystemPasswordUnmatch") in failed


async def test_that_nobody_is_kept_apart_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnreachablePairs, "failed", lambda *_: None)
    steps, _ = await told(nobody_found.CHAPTER)
    assert [(title, seen) for title, passed, seen in steps if not passed] == [
        ("he looks for other races", "he finds 1"),
        ("the server is asked why", "1 would do"),
        ("why not Lanky's?", ""),
    ]


async def short(stage: Stage) -> None:
    with stage.step("a while passes", "some lines are said"):
        assert stage.talk is not None
        before = len(stage.talk.said)
        assert await eventually(lambda: stage.talk and len(stage.talk.said) > before + 3)


SHORT = Chapter("Short", "about it", short)


async def test_three_chat_as_long_as_the_story_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "PAUSE_SECONDS", 0.01)
    steps, _ = await told(SHORT, replace(SHORT, title="Other"), nekoconnect.CHAPTER)
    assert all(passed for _, passed, _ in steps), steps
    assert [title for title, _, _ in steps[2:]] == [
        "three have chatted all the while",
        "Blathers comes late",
        "somebody guesses the password",
    ]
    lines, _, chapters = steps[2][2].partition(" lines, in ")
    assert int(lines) > 6
    assert chapters in ("2 chapters", "3 chapters")


async def test_a_line_that_came_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(range(1000))

    async def mumble(client: Client) -> str:
        line = await plugins.next_line(client)
        return "isabelle: what?" if next(lines) == 5 else line

    monkeypatch.setattr(talk, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(talk, "next_line", mumble)
    steps, _ = await told(SHORT, nekoconnect.CHAPTER)
    failed = [(title, seen) for title, passed, seen in steps if not passed]
    assert failed[0] == ("three have chatted all the while", "they have not heard the same")


async def test_without_nekoconnect_its_chapter_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "CONFIG", f"{story.CONFIG}\n[connect]\nenabled = false\n")
    steps, _ = await told(nekoconnect.CHAPTER)
    assert [(passed, seen) for _, passed, seen in steps] == [
        (False, "ConnectionError: NekoConnect is off"),
        (False, "StepFailedError: nobody has begun to chat"),
    ]


async def test_a_viewer_is_told_another_board(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wrong(_viewer: Client) -> list[dict[str, object]]:
        return [{"rank": 1, "name": "bowser", "score": 1}] * 6

    monkeypatch.setattr(leaderboard, "next_board", wrong)
    steps, _ = await told(leaderboard.CHAPTER)
    assert [(title, seen) for title, passed, seen in steps if not passed] == [
        ("a viewer hears of it over NekoConnect", "it has {'bowser': 1}"),
    ]
