"""Whatever consoles call, with whatever arguments: an answer with a name, and sound stores.

That no method fails without a name is what `piped_store` itself looks at.
"""

from __future__ import annotations

import asyncio
import contextlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain import on_loop
from nekonex.domain.datastore.keys import ObjectKeys
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.games.mario_kart_8 import MarioKart8DataStoreServer
from nekonex.nex.datastore import DataStoreServer
from nekonex.values import RMCError
from tests.support.nexlab import Clock, lab_settings
from tests.support.object_calls import (
    PIDS,
    ObjectCalls,
    SlowFileStore,
    SlowObjectStore,
    objects_of,
    problems,
)
from tests.support.objectlab import ObjectLab, piped_store


@on_loop
def ghost_key(database: object, pid: int, slot: int, data_id: int) -> str:
    """Return a key that all objects of a slot share, as Mario Kart 8's servers have it."""
    return f"ghosts/{pid}/{slot}.bin"


KEYS = {"own": ObjectKeys(), "shared": ObjectKeys(by_player=ghost_key)}
LIMITS = DataStoreLimits(max_objects=40)
FRIENDS = {1000: [1001], 1001: [1000, 1002], 1002: [1001]}

VARIANTS: list[tuple[str, type[DataStoreServer], str]] = [
    ("2.4.3", DataStoreServer, "own"),
    ("3.5.4", MarioKart8DataStoreServer, "shared"),
    ("4.0.1", DataStoreServer, "shared"),
]


async def play(lab: ObjectLab, seed: int, number: int) -> list[tuple[str, object]]:
    """Let four consoles call anything, so many times, and look for contradictions."""
    calls = ObjectCalls(lab, seed)
    answers = []
    async with lab.consoles(len(PIDS)) as consoles:
        for turn in range(number):
            together = [calls.pick(consoles) for _ in range(calls.pick([1, 1, 1, 4]))]
            answers += await asyncio.gather(*[calls.step(each) for each in together])
            if calls.random.random() < 0.3:
                calls.upload()
            if calls.random.random() < 0.03:
                await calls.pass_time()
            if turn % 10 == 9:
                assert await problems(lab) == []
    assert await problems(lab) == []
    return answers


@pytest.mark.parametrize(("version", "server", "keys"), VARIANTS, ids=lambda each: str(each)[-12:])
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
async def test_any_calls_of_any_consoles(
    seed: int, version: str, server: type[DataStoreServer], keys: str
) -> None:
    options = {"server": server, "keys": KEYS[keys], "friends": FRIENDS, "limits": LIMITS}
    async with piped_store(lab_settings(version), **options) as lab:
        await play(lab, seed, 50)


@pytest.mark.parametrize("keys", KEYS)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
async def test_any_calls_at_the_same_time(seed: int, keys: str) -> None:
    """Two players at six consoles each, and stores that take their time."""
    clock = Clock()
    stores = {"store": SlowObjectStore(seed), "files": SlowFileStore(seed, clock)}
    async with (
        piped_store(lab_settings("4.0.1"), clock=clock, keys=KEYS[keys], **stores) as lab,
        contextlib.AsyncExitStack() as stack,
    ):
        pids = [1000, 1001] * 6
        consoles = [await stack.enter_async_context(lab.console(pid)) for pid in pids]
        calls = ObjectCalls(lab, seed, often=("update", "perpetuate", "complete", "prepare"))
        for _ in range(15):
            await asyncio.gather(*[calls.step(each) for each in consoles])
            calls.upload()
            if calls.random.random() < 0.1:
                await calls.pass_time()
            assert await problems(lab) == []


async def test_the_calls_are_such_that_much_comes_of_them() -> None:
    """A test of the tests: most methods succeed now and then, and objects come about."""
    async with piped_store(lab_settings("4.0.1"), friends=FRIENDS, limits=LIMITS) as lab:
        answers = await play(lab, 1, 500)
        assert len(await objects_of(lab)) > 10
        methods = {codec.name for codec in DataStoreServer.codecs(lab.pipe.context).values()}
    done = {name for name, reply in answers if not isinstance(reply, str)}
    assert len(done) > 0.8 * len(methods), methods - done


@settings(max_examples=10)
@given(bodies=st.lists(st.binary(max_size=200), max_size=30), seed=st.integers(0, 2**32))
async def test_any_bytes(bodies: list[bytes], seed: int) -> None:
    random = Random(seed)
    async with piped_store() as lab, lab.console(1000) as one:
        for body in bodies:
            with contextlib.suppress(RMCError):
                await one.session.call(115, random.randrange(48), body)
        assert await problems(lab) == []


async def test_who_has_no_account_is_told_so() -> None:
    async with piped_store() as lab, lab.console(None) as one:
        calls = ObjectCalls(lab, 0)
        for _ in range(200):
            name, reply = await calls.step(one)
            assert reply == "RendezVous::NotAuthenticated", name
        assert await objects_of(lab) == []
