"""`nekonex account remove --data`: nothing is left that another owner of the PID would have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from nekonex.app.offline import offline_records
from nekonex.app.records import Records
from nekonex.config import load_config
from nekonex.domain import ReportService
from nekonex.domain.datastore import StoredObject
from nekonex.domain.datastore.ports import Outcome, Quota
from nekonex.domain.datastore.services.notifications import notification_key
from nekonex.domain.matchmaking import Community, Participant
from nekonex.domain.matchmaking.ports import Privacy
from nekonex.domain.ranking import RankingError
from nekonex.domain.unique_ids import UniqueId
from nekonex.storage import open_local
from tests.support.commands import Commands
from tests.support.score_stores import uploaded

pytestmark = pytest.mark.usefixtures("two_games")

NOTHING = "0 reports, 0 scores, 0 objects, 0 unique ids, 0 communities"


def within(run: Commands, do: Callable[[Records], Awaitable[Any]], game: str = "kart") -> Any:
    """Do something with the records of a game."""

    async def doing() -> Any:
        async with offline_records(load_config(run.folder / "nekonex.toml")) as records:
            await records[game].rankings.start()
            return await do(records[game])

    return asyncio.run(doing())


def report(run: Commands, pid: int) -> None:
    async def add() -> None:
        async with open_local(run.folder / "data") as stores:
            await ReportService(stores.reports).submit(pid, 1, b"x", game="kart")

    asyncio.run(add())


async def leave_something(records: Records, pid: int, friend: int) -> None:
    """Leave something of every kind."""
    await uploaded(records.rankings, pid, 10)
    await uploaded(records.rankings, pid, 20, category=2, unique_id=5)
    await records.rankings.put_common_data(pid, bytes(212))
    unique_id = await records.unique_ids.acquire(pid, with_password=True)
    await records.unique_ids.associate(pid, [unique_id])
    data = records.data_store
    (data_id,) = await data.shelf.store.new_ids(1)
    key = f"objects/{data_id}.bin"
    await data.shelf.files.put(key, b"12")
    stored = StoredObject(data_id=data_id, owner=pid, complete=True, key=key, size=2)
    await data.shelf.store.create(Outcome(stored, notify=(friend, pid)), Quota(9, 99))
    await data.shelf.files.put(notification_key(pid), b"1,1,1")
    preferences = records.matchmaking.preferences
    await preferences.change_block_list(pid, add=[friend], limit=10)
    await preferences.set_privacy(pid, Privacy(online_status=False))
    for owner in (pid, friend):
        members = (Participant(owner), Participant(pid)) if owner != pid else (Participant(pid),)
        community = Community(owner=owner, host=owner, max_participants=9, participants=members)
        await records.matchmaking.gatherings.communities.create(
            community, max_owned=9, max_joined=9
        )


async def left_of(records: Records, pid: int) -> list[Any]:
    """Return what there is of a player."""
    data = records.data_store
    found: list[Any] = [
        *[one.score for number in (1, 2) for one in await records.rankings.top(number, 9)],
        *await records.unique_ids.of(pid),
        *await data.shelf.store.of_owner(pid, 9),
        *[each.key async for each in data.shelf.files.keys("")],
        *(await data.shelf.store.notifications(pid, 0, 9))[0],
        *await records.matchmaking.preferences.block_list(pid),
        *await records.matchmaking.gatherings.communities.of_participant(pid),
        *await records.matchmaking.gatherings.communities.of_owner(pid, 0, 9),
    ]
    if await records.matchmaking.preferences.privacy(pid) != Privacy():
        found.append("privacy")
    try:
        found.append(await records.rankings.common_data(pid))
    except RankingError:
        return found
    return found


def test_everything_goes(run: Commands) -> None:
    pid, friend = run.add(), run.add()
    report(run, pid)
    for game in ("kart", "ink"):
        within(run, lambda records: leave_something(records, pid, friend), game)
        assert len(within(run, lambda records: left_of(records, pid), game)) >= 9
    assert run("account", "remove", pid, "--data") == (
        f"removed {pid} and what it left: "
        "1 reports, 4 scores, 2 objects, 2 unique ids, 4 communities\n"
    )
    for game in ("kart", "ink"):
        assert within(run, lambda records: left_of(records, pid), game) == []
        others = within(
            run,
            lambda records: records.matchmaking.gatherings.communities.of_owner(friend, 0, 9),
            game,
        )
        assert [each.pids for each in others] == [(friend,)]
    told = run.fails(1, "account", "remove", pid, "--data")
    assert told == f"there is no account with the PID {pid}"


def test_without_the_option_everything_stays(run: Commands) -> None:
    pid = run.add()
    within(run, lambda records: leave_something(records, pid, 7))
    assert run("account", "remove", pid) == f"removed {pid}\n"
    assert len(within(run, lambda records: left_of(records, pid))) >= 9
    # It can be asked for later, and a PID that is no account of ours may leave something too.
    assert run("account", "remove", pid, "--data") == (
        f"there is no account with the PID {pid}; removed what it left: "
        "0 reports, 2 scores, 1 objects, 1 unique ids, 2 communities\n"
    )
    assert within(run, lambda records: left_of(records, pid)) == []


def test_an_account_that_left_nothing(run: Commands) -> None:
    pid = run.add()
    assert run("account", "remove", pid, "--data") == f"removed {pid} and what it left: {NOTHING}\n"


def test_what_fails_in_between_can_be_repeated(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = run.add()
    within(run, lambda records: leave_something(records, pid, 7))
    objects = run.folder / "data" / "objects"
    aside = Path(run.folder / "aside")
    objects.rename(aside)
    objects.write_text("in the way")
    told = run.fails(1, "account", "remove", pid, "--data")
    assert told.startswith("the account is removed, but not all it left; repeat this: ")
    objects.unlink()
    aside.rename(objects)
    assert "2 scores" in run("account", "remove", pid, "--data")
    assert within(run, lambda records: left_of(records, pid)) == []


def test_the_servers_own_records_are_not_removed(run: Commands) -> None:
    for pid in (1, 2):
        assert "is no player" in run.fails(1, "account", "remove", pid, "--data")


def test_a_unique_id_of_somebody_who_is_forgotten_is_nobodys(run: Commands) -> None:
    pid = run.add()
    made: UniqueId = within(
        run, lambda records: records.unique_ids.acquire(pid, with_password=True)
    )
    run("account", "remove", pid, "--data")
    with pytest.raises(Exception, match="no such unique id"):
        within(run, lambda records: records.unique_ids.associate(9, [made]))
