"""What `nekonex objects` and the control socket do with the objects of a server that runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from nekonex.app import RefusedCommandError, Server
from nekonex.domain.datastore import Caller, DataStore, Draft, Flag, Level, Permission, Status
from nekonex.domain.datastore.model import StoredObject, Upload
from nekonex.domain.datastore.ports import Outcome, Quota
from nekonex.events import ObjectDeleted
from nekonex.testing import running_server
from nekonex.values import ServiceUnavailable
from tests.support.operating import Typed, asked

INK = '[[game]]\nname = "ink"\ntitle = "splatoon"\n[game.data_store]\nreview = true\n'
BOTH = INK + '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\nauth_port = 0\nsecure_port = 0\n'
OWNER = 7


async def refused(server: Server, name: str, **arguments: Any) -> str:
    with pytest.raises(RefusedCommandError) as caught:
        await asked(server, name, **arguments)
    return str(caught.value)


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed("objects", tmp_path, capsys)


def data_of(server: Server, game: str = "ink") -> DataStore:
    return server.game(game).services.data_store


async def post(server: Server, game: str = "ink", **fields: Any) -> int:
    """Post an object without a file."""
    draft = Draft(**{"access": Permission(Level.PUBLIC), **fields})
    return await data_of(server, game).posting.post_meta_binary(Caller(OWNER), draft)


async def post_file(server: Server, content: bytes, **fields: Any) -> int:
    """Store an object with a file."""
    shelf = data_of(server).shelf
    (data_id,) = await shelf.store.new_ids(1)
    key = f"objects/{data_id}.bin"
    await shelf.files.put(key, content)
    about = {"owner": OWNER, "complete": True, "key": key, "size": len(content), **fields}
    await shelf.store.create(Outcome(StoredObject(data_id=data_id, **about)), Quota(99, 1 << 30))
    return data_id


async def test_a_review(tmp_path: Path, typed: Typed) -> None:
    async with running_server(INK, folder=tmp_path) as server:
        data_id = await post(server, flags=Flag.NEEDS_REVIEW)
        status, out, _ = await typed("list", "--status", "pending", "--json")
        assert (status, [each["id"] for each in json.loads(out)]) == (0, [data_id])
        assert await typed("approve", data_id) == (0, f"approved {data_id}\n", "")
        stored = await data_of(server).shelf.store.get(data_id)
        assert stored is not None
        assert stored.status == Status.NORMAL
        assert await typed("reject", data_id) == (0, f"rejected {data_id}\n", "")
        status, out, _ = await typed("show", data_id)
        assert "status: rejected\n" in out


async def test_the_server_removes_what_it_is_told(tmp_path: Path, typed: Typed) -> None:
    async with running_server(INK, folder=tmp_path) as server:
        gone: list[ObjectDeleted] = []
        server.events.subscribe(ObjectDeleted, gone.append)
        data_id = await post_file(server, b"12")
        assert await typed("remove", data_id) == (0, f"removed {data_id} of player 7\n", "")
        # The server did it itself, so those who listen there know.
        assert gone == [ObjectDeleted("ink", data_id, OWNER)]
        shelf = data_of(server).shelf
        assert await shelf.store.get(data_id) is None
        assert [each.key async for each in shelf.files.keys("")] == []
        status, out, err = await typed("remove", data_id)
        assert (status, out) == (1, "")
        assert "no object" in err


async def test_the_server_verifies(tmp_path: Path, typed: Typed) -> None:
    async with running_server(BOTH, folder=tmp_path) as server:
        good, short = await post_file(server, b"good"), await post_file(server, b"12", size=3)
        upload = Upload(2, 5, 1_000_000_000)
        updated = await post_file(server, b"old", upload=upload)
        await post(server, "kart")
        status, out, err = await typed("verify")
        assert status == 1
        assert out.splitlines()[:2] == ["ink: 3 objects, 3 files", "kart: 1 objects, 0 files"]
        assert err.startswith("nekonex: 2 of the things above are not as they should be")
        status, out, err = await typed("verify", "--mend", "--json")
        assert (status, err) == (0, "")
        ink, kart = json.loads(out)
        assert (ink["sound"], ink["found"], ink["mended"]) == (True, 2, 2)
        kinds = {each["data_id"]: each["kind"] for each in ink["disagreements"]}
        assert kinds == {short: "wrong-size", updated: "unfinished"}
        assert (kart["sound"], kart["objects"]) == (True, 1)
        assert (await typed("verify"))[0] == 0
        left = await data_of(server).shelf.store.page(0, 10)
        assert [each.data_id for each in left] == [good, updated]


async def test_arguments_are_checked(tmp_path: Path) -> None:
    async with running_server(BOTH, folder=tmp_path) as server:
        number = 'an object is named by its "data_id", a number of 64 bits'
        for data_id in (None, 0, -1, "1", True, 1.5, 2**64):
            assert await refused(server, "remove_object", game="ink", data_id=data_id) == number
        for status in (None, "good", 3, ["normal"]):
            found = await refused(server, "review_object", game="ink", data_id=1, status=status)
            assert found.startswith('review_object needs a "status": normal, pending, rejected')
        assert "is true or false" in await refused(server, "verify_objects", mend="yes")
        which = await refused(server, "remove_object", data_id=1)
        assert which == "say which game; games here: ink, kart"
        assert "no game 'x'" in await refused(server, "verify_objects", game="x")
        for data_id in (5, 2**63 - 1, 2**64 - 1):
            for name, more in (("remove_object", {}), ("review_object", {"status": "normal"})):
                found = await refused(server, name, game="ink", data_id=data_id, **more)
                assert found == f"there is no object {data_id} in ink"


async def test_what_is_out_of_order_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ServiceUnavailable("the disk is gone")

    async with running_server(INK, folder=tmp_path) as server:
        data_id = await post(server)
        data = data_of(server)
        monkeypatch.setattr(data.verification, "verify", broken)
        monkeypatch.setattr(data.upkeep, "remove", broken)
        verifying = await refused(server, "verify_objects")
        assert verifying == "the objects cannot be verified: the disk is gone"
        removing = await refused(server, "remove_object", data_id=data_id)
        assert removing == "the stores of ink are out of order: the disk is gone"


async def test_a_server_may_take_long_to_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed
) -> None:
    monkeypatch.setattr("nekonex.app.control_client.TIMEOUT", 0.05)
    async with running_server(INK, folder=tmp_path) as server:
        verification = data_of(server).verification
        verify = verification.verify

        async def slow(*, mend: bool = False) -> Any:
            await asyncio.sleep(0.2)
            return await verify(mend=mend)

        monkeypatch.setattr(verification, "verify", slow)
        assert await refused(server, "verify_objects") == (
            "the server did not answer within 0 seconds"
        )
        assert (await typed("verify"))[0] == 0
