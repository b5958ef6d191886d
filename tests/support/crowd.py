"""A crowd of consoles that do whatever consoles do, at the same time and in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any, Final

from nekonex.domain.matchmaking import (
    Credentials,
    Gathering,
    MatchmakeSession,
    MatchmakingError,
    MatchmakingHooks,
    NumberFilter,
    Selection,
    SessionQuery,
)
from nekonex.domain.matchmaking.rules import changes
from nekonex.domain.players import Player
from nekonex.events import GatheringJoined
from tests.support.matchmaking import STAYS, Console, View, World, problems, session

__all__ = ["ACTIONS", "CONNECTIONS", "Crowd", "Dawdling", "Distant"]

_FLAGS: Final = (0x010, 0x200, 0x400, 0x800, 0x410, 0x610, 0x810, 0xE10, 0x001, 0x080, 0x091, 0)
_ROOMS: Final = (12, 12, 12, 4, 2, 0)


class Dawdling(MatchmakingHooks):
    """Hooks that let others run for a few turns of the event loop before they permit all."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def can_join(self, player: Player, gathering: Gathering) -> bool:
        for _ in range(self._random.randrange(4)):
            await asyncio.sleep(0)
        return True


class Distant:
    """A store that takes a few turns of the event loop to hear and to answer, as remote ones do."""

    def __init__(self, store: Any, random: Random) -> None:
        self._store = store
        self._random = random

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._wait()
            try:
                return await method(*args, **kwargs)
            finally:
                await self._wait()

        return call

    async def _wait(self) -> None:
        for _ in range(self._random.randrange(3)):
            await asyncio.sleep(0)


class Crowd:
    """Consoles of a world, by principal id, and what they do.

    What a console does is refused quite often, as in the field; anything else that is raised
    fails the test. A console makes one call at a time, but its connection may end during it.
    """

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.pids = range(1, number + 1)
        self.online: dict[int, Console] = {pid: world.connect(pid) for pid in self.pids}
        self.unheard: set[int] = set()
        """Gatherings that did not always tell everybody."""
        self.exempt: set[int] = set()
        """Gatherings that somebody registered without joining."""
        self.overfull: list[str] = []
        self.done = 0
        """How many calls were not refused."""
        self._calling = {pid: asyncio.Lock() for pid in self.pids}
        world.events.subscribe(GatheringJoined, self._joined)

    async def act_together(self, acts: Iterable[tuple[int, str, int]]) -> None:
        """Let consoles act at the same time: who, what, and a seed for everything else."""
        await asyncio.gather(*[self.act(pid, what, Random(seed)) for pid, what, seed in acts])

    async def act(self, pid: int, what: str, random: Random) -> None:
        """Let a console do something."""
        for _ in range(random.randrange(3)):
            await asyncio.sleep(0)
        if what in CONNECTIONS:
            await CONNECTIONS[what](self, pid)
            return
        async with self._calling[pid]:
            console = self.online.get(pid)
            if console is None:
                return
            before = set(console.view.members)
            try:
                await ACTIONS[what](self, console, random)
                self.done += 1
            except MatchmakingError:
                pass
            # What a console left is what its own call tells it.
            still_in = {each.gid for each in await self.world.live.of_participant(pid)}
            if what in _LEAVING:
                for gid in before - still_in:
                    console.view.left(gid)

    async def problems(self, *, heard: bool = True) -> list[str]:
        """Return what is wrong; to be called when nobody acts."""
        world = self.world
        self.unheard |= {each.gid for each in await world.all() if each.has(STAYS)}
        views: Sequence[View] = [each.view for each in self.online.values()] if heard else ()
        return self.overfull + await problems(
            world.matchmaking, views=views, unheard=self.unheard, exempt=self.exempt
        )

    async def go_home(self) -> None:
        """End all connections."""
        for pid in list(self.online):
            await self.vanish(pid)

    def _joined(self, event: GatheringJoined) -> None:
        live = self.world.live
        gathering = live._gatherings.get(live._serials.get(event.gid, 0))
        most = gathering.max_participants if gathering is not None else 0
        if most and event.places > most:
            self.overfull.append(f"{event} of {most}")

    # -- connections -----------------------------------------------------------------

    async def vanish(self, pid: int) -> None:
        """End a connection without a goodbye."""
        console = self.online.pop(pid, None)
        if console is not None:
            await self.world.vanish(console)

    async def come_back(self, pid: int) -> None:
        """Connect who is not."""
        if pid not in self.online:
            self.online[pid] = self.world.connect(pid)

    async def replace(self, pid: int) -> None:
        """Connect anew, before it is noticed that the old connection is over."""
        console = self.online.pop(pid, None)
        if console is not None:
            self.world.players.unregister(console.connection_id)
        self.online[pid] = self.world.connect(pid)
        await asyncio.sleep(0)
        if console is not None:
            await self.world.matchmaking.player_gone(pid, console.connection_id)

    # -- calls -----------------------------------------------------------------------

    def _template(self, random: Random) -> MatchmakeSession:
        return session(
            game_mode=random.randrange(2),
            flags=random.choice(_FLAGS),
            max_participants=random.choice(_ROOMS),
            attributes=(0, random.randrange(3000), 0, 0, 0, 0),
        )

    async def _gid(self, random: Random, pid: int | None = None) -> int:
        live = self.world.live
        found = await (self.world.all() if pid is None else live.of_participant(pid))
        return random.choice(found).gid if found else 77

    async def create(self, console: Console, random: Random) -> None:
        await self.world.create(console, self._template(random), count=random.randrange(1, 4))

    async def register(self, console: Console, random: Random) -> None:
        made = await self.world.service.create(console, self._template(random))
        self.exempt.add(made.gid)

    async def auto(self, console: Console, random: Random) -> None:
        await self.world.auto(console, self._template(random), count=random.randrange(1, 4))

    async def by_criteria(self, console: Console, random: Random) -> None:
        query = SessionQuery(
            game_mode=random.choice([None, NumberFilter.of(1)]),
            selection=random.choice(list(Selection)),
            rating=random.randrange(3000),
        )
        template = self._template(random)
        count = random.randrange(1, 4)
        queries = [query] * random.randrange(1, 3)
        await self.world.auto(console, template, queries=queries, count=count)

    async def join(self, console: Console, random: Random) -> None:
        gid = await self._gid(random)
        service = self.world.service
        arrivals = service.arrivals(console, random.randrange(1, 4), "")
        await service.join(console, gid, arrivals, Credentials(), kind=Gathering)

    async def bring(self, console: Console, random: Random) -> None:
        gid = await self._gid(random, console.pid)
        others = (await self.world.get(gid)).pids
        brought = tuple(random.sample(others, min(len(others), 3)))
        about: dict[str, Any] = {"additional": brought, "from_gid": gid, "count": 1}
        how = random.randrange(3)
        if how == 0:
            await self.world.auto(console, self._template(random), **about)
        elif how == 1:
            await self.world.create(console, self._template(random), **about)
        else:
            await self.world.join(console, await self._gid(random), None, **about)

    async def leave(self, console: Console, random: Random) -> None:
        await self.world.service.leave(console.pid, await self._gid(random, console.pid))

    async def unregister(self, console: Console, random: Random) -> None:
        await self.world.service.unregister(console.pid, [await self._gid(random, console.pid)])

    async def host(self, console: Console, random: Random) -> None:
        and_owner = random.choice([None, True, False])
        await self.world.service.change(
            await self._gid(random, console.pid),
            lambda old: changes.change_host(old, console.pid, and_owner=and_owner),
        )

    async def own(self, console: Console, random: Random) -> None:
        await self.world.service.change(
            await self._gid(random, console.pid),
            lambda old: changes.take_ownership(old, console.pid),
        )

    async def migrate(self, console: Console, random: Random) -> None:
        candidates = random.sample(self.pids, min(len(self.pids), 5))
        await self.world.service.change(
            await self._gid(random, console.pid),
            lambda old: changes.migrate_owner(
                old,
                console.pid,
                candidates,
                participants_only=True,
                online=self.world.service.online,
            ),
        )

    async def flags(self, console: Console, random: Random) -> None:
        gid = await self._gid(random, console.pid)
        flag = random.choice([0x010, 0x200, 0x080, 0x400])

        def toggle(old: Gathering) -> dict[str, int]:
            return {"flags": old.flags ^ flag}

        await self.world.service.update(console, gid, Gathering, toggle)
        if flag in {0x080, 0x400}:
            self.unheard.add(gid)
            # Who left meanwhile may have left it without an owner or a host.
            self.exempt.add(gid)

    async def door(self, console: Console, random: Random) -> None:
        gid = await self._gid(random, console.pid)
        is_open = random.random() < 0.5
        await self.world.service.update(
            console, gid, MatchmakeSession, lambda _: {"open_participation": is_open}
        )


CONNECTIONS: Final[dict[str, Callable[[Crowd, int], Awaitable[None]]]] = {
    "vanish": Crowd.vanish,
    "come back": Crowd.come_back,
    "replace": Crowd.replace,
}
ACTIONS: Final[dict[str, Callable[[Crowd, Console, Random], Awaitable[None]]]] = {
    "create": Crowd.create,
    "register": Crowd.register,
    "auto": Crowd.auto,
    "by criteria": Crowd.by_criteria,
    "join": Crowd.join,
    "bring": Crowd.bring,
    "leave": Crowd.leave,
    "unregister": Crowd.unregister,
    "host": Crowd.host,
    "own": Crowd.own,
    "migrate": Crowd.migrate,
    "flags": Crowd.flags,
    "door": Crowd.door,
}
"""What consoles do, apart from connecting and vanishing."""
_LEAVING: Final = {"create", "auto", "by criteria", "bring", "leave"}
