"""`nekonex objects`, with no server anywhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nekonex.app.data_dir import exclusive
from nekonex.app.offline import offline_records
from nekonex.config import load_config
from nekonex.domain.datastore import (
    DataStore,
    Flag,
    Level,
    Permission,
    Rating,
    RatingRules,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.model import Upload
from nekonex.domain.datastore.ports import FileOperation, Outcome, Quota
from tests.support.commands import Commands

pytestmark = pytest.mark.usefixtures("two_games")

FIRST = 1_000_000
LONG_AGO = 1_000_000_000


def within(run: Commands, do: Callable[[DataStore], Awaitable[Any]], game: str = "kart") -> Any:
    """Do something with the data store of a game."""

    async def doing() -> Any:
        async with offline_records(load_config(run.folder / "nekonex.toml")) as records:
            return await do(records[game].data_store)

    return asyncio.run(doing())


def store(
    run: Commands,
    game: str = "kart",
    *,
    content: bytes | None = None,
    files: tuple[FileOperation, ...] = (),
    **fields: Any,
) -> int:
    """Store an object, with a file if there is content for it; return its number."""

    async def create(data: DataStore) -> int:
        (data_id,) = await data.shelf.store.new_ids(1)
        key = fields.pop("key", f"objects/{data_id}.bin")
        about: dict[str, Any] = {"owner": 7, "complete": True, "created": LONG_AGO}
        if content is None:
            about |= {"flags": Flag.NO_FILE}
        else:
            about |= {"key": key, "size": len(content)}
            await data.shelf.files.put(key, content)
        stored = StoredObject(data_id=data_id, **{**about, **fields})
        await data.shelf.store.create(Outcome(stored, files=files), Quota(99, 1 << 30))
        return data_id

    number: int = within(run, create, game)
    return number


def stored(run: Commands, data_id: int, game: str = "kart") -> StoredObject | None:
    found: StoredObject | None = within(run, lambda data: data.shelf.store.get(data_id), game)
    return found


def files(run: Commands, game: str = "kart") -> list[str]:
    async def keys(data: DataStore) -> list[str]:
        return sorted([each.key async for each in data.shelf.files.keys("")])

    found: list[str] = within(run, keys, game)
    return found


def in_json(run: Commands, *arguments: object) -> Any:
    return json.loads(run("objects", *arguments, "--json"))


def ids(run: Commands, *arguments: object) -> list[int]:
    return [each["id"] for each in in_json(run, "list", *arguments)]


# -- looking ----------------------------------------------------------------------------------


def test_no_object_at_all(run: Commands) -> None:
    assert in_json(run, "list") == []
    assert run("objects", "list").split() == [
        *("id", "game", "owner", "type", "status", "bytes", "slot", "created", "expires", "name")
    ]
    assert run.fails(1, "objects", "show", 5) == "there is no object 5 in any configured game"
    assert run.fails(1, "objects", "show", 5, "--game", "ink") == "there is no object 5 in ink"


def test_objects_are_listed_by_game(run: Commands) -> None:
    ghost = store(run, content=b"ghost", name="Ghost", data_type=3, slot=2, expires=None)
    note = store(run, "ink", owner=8, name="a\x1b[31m\nb", expires=LONG_AGO + 86_400)
    assert in_json(run, "list") == [
        {
            "id": ghost,
            "game": "kart",
            "owner": 7,
            "name": "Ghost",
            "type": 3,
            "status": "normal",
            "bytes": 5,
            "slot": 2,
            "created": "2001-09-09T01:46:40Z",
            "expires": None,
        },
        {
            "id": note,
            "game": "ink",
            "owner": 8,
            "name": "a\x1b[31m\nb",
            "type": 0,
            "status": "normal",
            "bytes": 0,
            "slot": None,
            "created": "2001-09-09T01:46:40Z",
            "expires": "2001-09-10T01:46:40Z",
        },
    ]
    lines = run("objects", "list").splitlines()
    assert lines[1].split() == [
        *(str(ghost), "kart", "7", "3", "normal", "5", "2", "2001-09-09T01:46:40Z", "Ghost")
    ]
    assert lines[2].endswith(r"a\x1b[31m\nb")
    assert len(lines) == 3
    assert [each["game"] for each in in_json(run, "list", "--game", "ink")] == ["ink"]


def test_what_is_listed_can_be_narrowed(run: Commands) -> None:
    upload = Upload(1, 9, LONG_AGO)
    first = store(run)
    pending = store(run, status=Status.PENDING)
    rejected = store(run, status=Status.REJECTED, owner=9)
    unfinished = store(run, content=b"", complete=False, upload=upload)
    assert ids(run) == [first, pending, rejected, unfinished]
    for status, expected in {
        "normal": first,
        "pending": pending,
        "rejected": rejected,
        "unfinished": unfinished,
    }.items():
        assert ids(run, "--status", status) == [expected]
    assert ids(run, "--owner", 9) == [rejected]
    assert ids(run, "--after", pending) == [rejected, unfinished]
    assert ids(run, "--after", first, "--limit", 2) == [pending, rejected]
    assert ids(run, "--owner", 7, "--limit", 2) == [first, pending]
    (told,) = in_json(run, "list", "--status", "unfinished")
    assert told["bytes"] == 9
    assert run.fails(2, "objects", "list", "--status", "good").startswith("--status is 'good'")
    assert "no game 'x'" in run.fails(2, "objects", "list", "--game", "x")


def test_all_that_is_known_of_one(run: Commands) -> None:
    slot = Rating(3, RatingRules(), 12, 4)
    data_id = store(
        run,
        content=b"12",
        name="it\n",
        access=Permission(Level.SPECIFIED, (8, 9)),
        access_password=4_711_815,
        update_password=815_4_711,
        tags=("a", "b"),
        ratings=(slot,),
        meta_binary=b"\x00\xff",
        version=6,
        updated=LONG_AGO + 1,
        referred=LONG_AGO + 2,
        referred_count=3,
    )
    told = in_json(run, "show", data_id)
    assert {key: told[key] for key in list(told)[10:]} == {
        "version": 6,
        "key": f"objects/{data_id}.bin",
        "access": {"level": "specified", "recipients": [8, 9]},
        "update": {"level": "private", "recipients": []},
        "flags": 0,
        "period": 90,
        "refers_to": None,
        "updated": "2001-09-09T01:46:41Z",
        "referred": "2001-09-09T01:46:42Z",
        "referred_count": 3,
        "tags": ["a", "b"],
        "ratings": [{"slot": 3, "total": 12, "count": 4}],
        "meta_binary": "00ff",
    }
    lines = run("objects", "show", data_id).splitlines()
    assert f"id: {data_id}" in lines
    assert r"name: it\n" in lines
    assert "slot:" in lines
    assert "access: level specified recipients 8, 9" in lines
    assert "update: level private" in lines
    assert "tags: a, b" in lines
    assert "ratings: slot 3 total 12 count 4" in lines
    assert "referred_count: 3" in lines
    assert not any("4711815" in line or "8154711" in line for line in lines)


def test_each_game_has_its_own_numbers(run: Commands) -> None:
    both = store(run, name="in kart")
    assert store(run, "ink", name="in ink") == both
    message = run.fails(2, "objects", "show", both)
    assert message == f"kart and ink have an object {both} each; say which with --game"
    assert run.fails(2, "objects", "remove", both) == message
    assert in_json(run, "show", both, "--game", "ink")["name"] == "in ink"
    run("objects", "remove", both, "--game", "ink")
    assert in_json(run, "show", both)["name"] == "in kart"


# -- reviewing and removing -------------------------------------------------------------------


def test_a_review(run: Commands) -> None:
    data_id = store(run, status=Status.PENDING)
    assert run("objects", "approve", data_id) == f"approved {data_id}\n"
    found = stored(run, data_id)
    assert found is not None
    assert found.status == Status.NORMAL
    assert run("objects", "reject", data_id, "--game", "kart") == f"rejected {data_id}\n"
    found = stored(run, data_id)
    assert found is not None
    assert found.status == Status.REJECTED
    missing = data_id + 1
    for command in ("approve", "reject", "remove"):
        sentence = run.fails(1, "objects", command, missing)
        assert sentence == f"there is no object {missing} in any configured game"


def test_an_object_goes_with_its_file(run: Commands) -> None:
    data_id, kept = store(run, content=b"a"), store(run, content=b"b")
    assert run("objects", "remove", data_id) == f"removed {data_id} of player 7\n"
    assert stored(run, data_id) is None
    assert files(run) == [f"objects/{kept}.bin"]
    assert "no object" in run.fails(1, "objects", "remove", data_id)


# -- verifying --------------------------------------------------------------------------------


def test_where_everything_agrees(run: Commands) -> None:
    store(run, content=b"a")
    store(run)
    assert run("objects", "verify") == "kart: 2 objects, 1 files\nink: 0 objects, 0 files\n"
    assert run("objects", "verify", "--mend", "--game", "ink") == "ink: 0 objects, 0 files\n"
    assert in_json(run, "verify", "--game", "kart") == [
        {
            "game": "kart",
            "objects": 2,
            "files": 1,
            "sound": True,
            "found": 0,
            "mended": 0,
            "disagreements": [],
        }
    ]


def test_what_does_not_agree_is_told_and_mended(run: Commands) -> None:
    good = store(run, content=b"good")
    short = store(run, content=b"short", size=99)
    lost = store(run, content=b"lost", key="ghosts/lost.bin")
    within(run, lambda data: data.shelf.files.remove("ghosts/lost.bin"))
    upload = Upload(1, 9, LONG_AGO)
    unfinished = store(run, content=b"", complete=False, upload=upload, key="ghosts/late.bin")
    status, out, err = run.attempt("objects", "verify", "--game", "kart")
    assert status == 1
    assert out.startswith("kart: 4 objects, ")
    rows = {tuple(line.split()[1:4]) for line in out.splitlines()[2:]}
    expected = {
        ("wrong-size", str(short)),
        ("missing-file", str(lost)),
        ("unfinished", str(unfinished)),
    }
    assert rows == {(*each, "no") for each in expected}
    assert "5 bytes instead of 99" in out
    assert err == (
        "nekonex: 3 of the things above are not as they should be; "
        "--mend removes what cannot be used\n"
    )
    assert stored(run, short) is not None
    mended = run("objects", "verify", "--mend", "--game", "kart")
    rows = {tuple(line.split()[1:4]) for line in mended.splitlines()[2:]}
    assert rows == {(*each, "yes") for each in expected}
    assert ids(run) == [good]
    run("objects", "verify")


def test_what_is_left_over_is_carried_out_by_mending(run: Commands) -> None:
    left = FileOperation("old/one.bin", "new/one.bin")
    store(run, files=(left,))
    within(run, lambda data: data.shelf.files.put("old/one.bin", b"1"))
    (report,) = json.loads(run.attempt("objects", "verify", "--game", "kart", "--json")[1])
    assert report["disagreements"] == [
        {
            "kind": "pending",
            "data_id": None,
            "key": "old/one.bin",
            "detail": "to be moved to new/one.bin",
            "mended": False,
        }
    ]
    assert files(run) == ["old/one.bin"]
    run("objects", "verify", "--mend")
    assert files(run) == ["new/one.bin"]


def test_nobody_else_may_have_the_data_directory(run: Commands) -> None:
    data_id = store(run, content=b"a")
    with exclusive(run.folder / "data"):
        for command in (("verify",), ("verify", "--mend"), ("remove", data_id)):
            assert "uses the data directory" in run.fails(2, "objects", *command)
        assert ids(run) == [data_id]


def test_files_that_cannot_be_read_are_told_of(run: Commands) -> None:
    (run.folder / "data").mkdir()
    (run.folder / "data" / "objects").write_text("in the way")
    assert "object store" in run.fails(1, "objects", "verify")
