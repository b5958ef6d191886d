"""What the pages about matchmaking show is what the server and its commands say."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs._gen.limits import nat_counters, nat_reasons
from docs._gen.matchmaking import flag_table, refusal_table
from docs._gen.protocols import SERVERS, protocol_tables, variant_tables
from nekonex.domain.matchmaking import GatheringFlag, NumberFilter, Selection, parse_filter
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.relations.status import STATUS_TYPES
from nekonex.logs import configure_logging
from nekonex.nex import MatchmakeExtension
from nekonex.nex.matchmaking import REFUSAL_NAMES, query_of
from nekonex.nex.nat_traversal import IgnoredReport, NATStats, SkippedProbe
from nekonex.nex.structures import MatchmakeSessionSearchCriteria
from nekonex.rmc import Protocol
from nekonex.testing import running_server
from nekonex.values import RMCError
from tests.support.players import playing
from tests.support.rooms import auto_matchmake, console, new_session, open_session
from tests.support.server_process import command

DOCS = Path(__file__).parents[3] / "docs"
HOW_TO = DOCS / "how-to"
KART = '[[game]]\nname = "mario-kart-8"\ntitle = "mario-kart-8"\n'
FRIENDS_ONLY = 98


def shown(page: str) -> dict[str, str]:
    """Return the output of each command that a page shows, and of logs under no command."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = {}
    for block in re.findall(r"```(?:console|text)\n(.*?)```", text, re.DOTALL):
        typed, _, output = block.partition("\n") if block.startswith("$ ") else ("", "", block)
        found[typed.removeprefix("$ ")] = output
    return found


def alike(text: str) -> str:
    """Return a text without what differs from run to run: gids, seconds, times of the log."""
    text = re.sub(r"\b(?!100000000)[12]\d{9}\b", "GID", text)
    text = re.sub(r"\d+ s ago", "N s ago", text)
    return re.sub(r"(?m)^\d{4}-\d\d-\d\d [\d:]+ ", "TIME ", text)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("debug", "text", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def _club_on_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before
    sys.modules.pop("club_game", None)


async def test_why_no_match_shows_what_the_commands_say(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    log: io.StringIO,
) -> None:
    monkeypatch.delenv("NEKONEX_CONFIG", raising=False)

    async def typed(*arguments: object) -> str:
        capsys.readouterr()
        status = await command("game", *arguments, "--config", tmp_path / "nekonex.toml")
        assert status == 0
        return capsys.readouterr().out

    async with (
        running_server(KART, folder=tmp_path) as server,
        console(server, "peach") as (peach, peach_pid),
        console(server, "daisy") as (daisy, _),
        console(server, "toad") as (toad, pid),
    ):
        await open_session(peach, attribs=[0, 1700, 0, 1, 0, 0], max_participants=12)
        closed = await open_session(daisy, attribs=[0, 1500, 0, 2, 0, 0], max_participants=12)
        await MatchmakeExtension.client(daisy).close_participation(closed)
        server.game("mario-kart-8").matchmaking.unreachable.failed(pid, peach_pid)
        await auto_matchmake(toad, game_mode="2", attribs=["", "", "", "1", "", ""])
        with pytest.raises(RMCError, match="PermissionDenied"):
            await MatchmakeExtension.client(toad).join_matchmake_session(closed, "")
        printed = {
            "nekonex game gatherings": await typed("gatherings"),
            f"nekonex game explain {pid}": await typed("explain", pid),
            f"nekonex game explain {pid} --gid {closed}": await typed(
                "explain", pid, "--gid", closed
            ),
        }
    wanted = ("no session found", "session passed over", "join refused")
    lines = [line for line in log.getvalue().splitlines() if any(each in line for each in wanted)]
    printed[""] = "\n".join(lines) + "\n"
    pasted = {alike(name): alike(text) for name, text in shown("how-to/why-no-match.md").items()}
    for name, output in printed.items():
        assert pasted[alike(name)] == alike(output), f"$ {name}\n{output}"


async def test_official_communities_are_as_their_section_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = {
        line: output
        for line, output in shown("how-to/matchmaking.md").items()
        if line.startswith("nekonex community")
    }

    async def typed(line: str) -> str:
        capsys.readouterr()
        assert await command(*shlex.split(line)[1:]) == 0
        return capsys.readouterr().out

    async with (
        running_server(KART, folder=tmp_path) as server,
        console(server, "peach") as (peach, _),
    ):
        printed = {}
        for line in page:
            printed[line] = await typed(line)
            if " add " in line:
                gid = int(printed[line])
                await MatchmakeExtension.client(peach).join_community(gid, "hello", "")
    assert [line.split()[2] for line in page] == ["add", "list", "members", "remove"]
    assert printed == page


@pytest.mark.usefixtures("_club_on_path")
async def test_the_club_lets_in_whom_its_page_says(tmp_path: Path) -> None:
    (tmp_path / "club_game.py").write_text((HOW_TO / "club_game.py").read_text())
    config = (HOW_TO / "club-game.toml").read_text()
    async with (
        running_server(config, folder=tmp_path) as server,
        console(server, "peach") as (peach, _),
        console(server, "daisy") as (daisy, daisy_pid),
        console(server, "toad") as (toad, _),
    ):
        club = await open_session(peach, game_mode=7)
        with refused("PermissionDenied"):
            await MatchmakeExtension.client(toad).join_matchmake_session(club, "")
        with refused("InvalidArgument"):
            await auto_matchmake(toad, game_mode="7", template=new_session(game_mode=7))
        with refused("InvalidArgument"):
            await open_session(daisy, max_participants=9)
        assert (await auto_matchmake(daisy, game_mode="7")).id == club
        friends = await open_session(peach, participation_policy=FRIENDS_ONLY)
        with refused("NotFriend"):
            await MatchmakeExtension.client(daisy).join_matchmake_session(friends, "")
        assert (await auto_matchmake(toad, game_mode="2")).id == friends
        found = await server.game("club").matchmaking.gatherings.get(friends)
        assert daisy_pid not in found.pids


async def test_two_guests_are_never_in_the_same_session() -> None:
    async with running_server(f"{KART}guest = true\n") as server:
        game = server.game("mario-kart-8")
        async with playing(game) as (one, _), playing(game) as (other, _):
            first = await open_session(one)
            second = await auto_matchmake(other)
            assert second.id != first
            assert await game.matchmaking.gatherings.find(first) is not None
            with refused("AlreadyParticipatedGathering"):
                await MatchmakeExtension.client(other).join_matchmake_session(first, "")


def refused(name: str) -> contextlib.AbstractContextManager[object]:
    return pytest.raises(RMCError, match=name)


def reference() -> str:
    return (DOCS / "reference" / "matchmaking.md").read_text(encoding="utf-8")


def test_every_notification_is_told() -> None:
    page = reference()
    for event in Event:
        assert f"| {event.value} |" in page
    first, last = (f"{kind * 1000}" for kind in (STATUS_TYPES[0], STATUS_TYPES[-1]))
    assert f"| {first} to {last} |" in page


def test_the_grammar_of_criteria_is_what_the_parser_reads() -> None:
    rows = re.findall(r"(?m)^\| (.+?) \| (.+?) \|$", reference().split("## Criteria")[1])
    told = dict(rows[1 : rows.index(("field", "what a session must have"))])
    assert parse_filter("") is None
    assert told["nothing"] == "any number"
    for text, meant in (("5", "5"), ("1,8", "1..8"), ("1,5,8", "1, 5, 8")):
        assert str(parse_filter(text)) == meant
        assert f"`{text}`" in told
    (bad,) = (text for text in told if text.startswith("anything else"))
    wrong = re.findall(r"`(.+?)`", bad)
    assert len(wrong) == 5
    for text in wrong:
        assert parse_filter(text) == NumberFilter(())


def test_the_selection_methods_are_those_of_the_server() -> None:
    rows = re.findall(r"(?m)^\| (\d) \| (.+?) \|", reference().split("## Selection methods")[1])
    told = {int(number): text for number, text in rows}
    words = {
        Selection.RANDOM: "at random",
        Selection.NEAREST: "the nearest rating",
        Selection.BROADEN: "inside a pool the nearest rating",
        Selection.PROGRESS: "the highest progress score first",
        Selection.BROADEN_PROGRESS: "inside a pool the highest progress score",
    }
    for number in range(10):
        criteria = MatchmakeSessionSearchCriteria(selection_method=number, attribs=["", "5"])
        assert words[query_of(criteria).selection] in told.get(number, "at random")
    assert len(told) == len(Selection)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.__name__)
def test_every_method_is_in_the_table_of_its_protocol(server: type[Protocol]) -> None:
    text = "\n".join(protocol_tables())
    part = text.split(f"### Protocol {server.PROTOCOL_ID}:")[1].split("###")[0]
    for definition in server.definitions():
        named = rf"\| {definition.method_id} \| `{definition.name}`<br>"
        assert re.search(rf"{named}.*\| (yes|no|refused|by consoles) \|", part)


def test_what_is_served_is_what_servers_define() -> None:
    text = "\n".join(protocol_tables())
    for start, end in (
        ("15 | `auto_matchmake_with_search_criteria_postpone`", "|  | yes"),
        ("9 | `update_notification_data_wide`", "| from NEX 4.0.0 on | yes"),
        ("45 | `request_matchmaking`", "| from NEX 4.0.0 on | no"),
        ("25 | `find_by_sql_query`", "| refused"),
        ("2 | `initiate_probe`", "| by consoles"),
    ):
        assert re.search(rf"(?m)^\| {re.escape(start)}<br>.* {re.escape(end)} \|$", text)
    variants = "\n".join(variant_tables())
    assert (
        "| `mario-kart-8` | 109.40 | `join_matchmake_session_with_extra_participants`" in variants
    )


def test_every_refusal_is_told() -> None:
    text = "\n".join(refusal_table())
    for refusal, error in REFUSAL_NAMES.items():
        assert re.search(rf"\| `{error}` \| .*{re.escape(refusal.value)}", text)
    assert all(f"`{flag.name}` | " in "\n".join(flag_table()) for flag in GatheringFlag)


def test_every_counter_of_nat_traversal_has_a_meaning() -> None:
    text = "\n".join([*nat_counters(), *nat_reasons()])
    for field in dataclasses.fields(NATStats):
        assert re.search(rf"(?m)^\| `{field.name}` \| .*\w.* \|$", text)
    for reason in (*SkippedProbe, *IgnoredReport):
        assert re.search(rf"(?m)\| `{reason}` \| .*\w.* \|$", text)
