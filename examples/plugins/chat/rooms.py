"""The rooms, who is in them, and what they remember."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from nekonex.connect.context import AsyncApp

from .members import Member, Told
from .texts import RefusedError, key_of

LOBBY = "lobby"
"""The room in which everybody begins; it is always there."""
MAX_ROOMS = 100
"""Rooms that somebody is in, or that remember something."""
MAX_MESSAGES = 50
"""Messages that a room remembers."""


class Message(NamedTuple):
    """Something that was said, and when: UTC, as ISO 8601 writes it."""

    time: str
    nick: str
    text: str

    @classmethod
    def now(cls, nick: str, text: str) -> Message:
        """Return a message of this second."""
        return cls(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), nick, text)


class Room:
    """A room: its members, and the last messages."""

    def __init__(self, name: str, messages: Iterable[Message] = ()) -> None:
        self.name = name
        self.cell = f"room/{key_of(name)}"
        self.members: list[Member] = []
        self.messages = deque(messages, MAX_MESSAGES)
        self._saying = asyncio.Lock()

    @property
    def last(self) -> str:
        """When something was last said here."""
        return self.messages[-1].time if self.messages else ""

    @classmethod
    def load(cls, stored: str) -> Room:
        """Return the room that was stored."""
        known = json.loads(stored)
        return cls(known["name"], (Message(*each) for each in known["messages"]))

    def tell(self, op: int, text: str) -> None:
        """Tell something to everybody who is here."""
        for member in self.members:
            member.tell(op, text)

    def enter(self, member: Member) -> None:
        """Let somebody in; the room tells what it remembers."""
        self.members.append(member)
        member.room = self
        self.tell(Told.JOINED, f"{member.nick} {self.name}")
        member.tell(Told.HISTORY, "\n".join(map(" ".join, self._told())))

    def leave(self, member: Member) -> None:
        """Let somebody out."""
        self.members.remove(member)
        self.tell(Told.LEFT, member.nick)

    async def say(self, nick: str, text: str, app: AsyncApp) -> None:
        """Store a message and tell it; messages are stored and told in the same order."""
        async with self._saying:
            message = Message.now(nick, text)
            kept = [*self.messages, message][-MAX_MESSAGES:]
            # Where it cannot be stored, the server's log says why. It is said all the same.
            await app.db_store(self.cell, json.dumps({"name": self.name, "messages": kept}))
            # Nothing waits from here on: who comes in now has it from the history, not twice.
            self.messages.append(message)
            self.tell(Told.SAID, f"{nick}: {text}")

    def _told(self) -> Iterable[tuple[str, str, str]]:
        return ((each.time, f"{each.nick}:", each.text) for each in self.messages)


class Rooms:
    """The rooms that somebody is in, and those that remember something."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app
        self._rooms = {key_of(LOBBY): Room(LOBBY)}
        self._opening = asyncio.Lock()

    def __iter__(self) -> Iterator[Room]:
        return iter(sorted(self._rooms.values(), key=lambda room: key_of(room.name)))

    async def load(self) -> None:
        """Open the rooms that were stored."""
        for cell in await self._app.db_cells("room/"):
            room = Room.load(await self._app.db_get(cell))
            self._rooms[key_of(room.name)] = room

    async def open(self, name: str) -> Room:
        """Return a room, a new one if need be; whoever wants to enter it does so without waiting.

        Where there are too many, the one is forgotten that has been empty and quiet the longest.
        """
        async with self._opening:
            room = self._rooms.get(key_of(name))
            if room is None:
                if len(self._rooms) >= MAX_ROOMS:
                    await self._forget_one()
                room = self._rooms[key_of(name)] = Room(name)
            return room

    def close(self, room: Room) -> None:
        """Forget a room if nobody is in it and it has nothing to remember."""
        if not room.members and not room.messages and room.name != LOBBY:
            self._rooms.pop(key_of(room.name), None)

    async def _forget_one(self) -> None:
        empty = [room for room in self._rooms.values() if not room.members and room.name != LOBBY]
        if not empty:
            raise RefusedError(f"there are {MAX_ROOMS} rooms already; join one of them")
        quiet = min(empty, key=lambda room: room.last)
        del self._rooms[key_of(quiet.name)]
        await self._app.db_store(quiet.cell, "")
