"""Chat: rooms in which people write to each other, with a history that outlives the server.

The frames are described in README.md.
"""

from __future__ import annotations

from enum import IntEnum
from itertools import count

from nekonex.connect.context import AsyncApp, AsyncContext

from .members import Member, Told
from .rooms import LOBBY, Rooms
from .texts import RefusedError, decoded, key_of, name_of, sayable


class Op(IntEnum):
    """Op codes of what clients send."""

    LINE = 0
    SAY = 1
    NICK = 2
    JOIN = 3
    WHO = 4
    ROOMS = 5


COMMANDS = {"/nick": Op.NICK, "/join": Op.JOIN, "/who": Op.WHO, "/rooms": Op.ROOMS}
"""What a line, as somebody types it, begins with in place of an op code."""


class Logic:
    """Everything runs on the server's event loop, so between two awaits nothing else happens."""

    async def start(self, app: AsyncApp) -> None:
        """Find the rooms that are remembered."""
        self._app = app
        self._members: dict[str, Member] = {}
        self._nicks: set[str] = set()
        self._rooms = Rooms(app)
        await self._rooms.load()

    async def connected(self, ctx: AsyncContext) -> None:
        """Let somebody in, after a reload with the nickname and into the room of before."""
        try:
            room = await self._rooms.open(ctx.state.get("room", LOBBY))
        except RefusedError:
            room = await self._rooms.open(LOBBY)
        nick = ctx.state.get("nick", "")
        if not nick or key_of(nick) in self._nicks:
            nick = next(name for n in count(1) if (name := f"guest{n}") not in self._nicks)
        self._nicks.add(key_of(nick))
        member = self._members[ctx.client_id] = Member(ctx, nick, room)
        room.enter(member)
        ctx.state.update(nick=nick, room=room.name)

    async def disconnected(self, ctx: AsyncContext) -> None:
        """Let the others know that somebody has left."""
        member = self._members.pop(ctx.client_id)
        self._nicks.discard(key_of(member.nick))
        self._leave(member)
        await member.end()

    async def recv(self, ctx: AsyncContext) -> None:
        """Do what a frame asks for."""
        member = self._members[ctx.client_id]
        try:
            text = decoded(ctx.data)
            op, text = _parsed(text) if ctx.op == Op.LINE else (ctx.op, text)
            await self._do(member, op, text)
        except RefusedError as refusal:
            member.tell(Told.REFUSED, str(refusal))
        ctx.state.update(nick=member.nick, room=member.room.name)

    async def _do(self, member: Member, op: int, text: str) -> None:
        match op:
            case Op.SAY:
                await member.room.say(member.nick, sayable(text), self._app)
            case Op.NICK:
                self._rename(member, name_of(text))
            case Op.JOIN:
                await self._join(member, name_of(text))
            case Op.WHO:
                member.tell(Told.PEOPLE, " ".join(each.nick for each in member.room.members))
            case Op.ROOMS:
                lines = (f"{room.name} {len(room.members)}" for room in self._rooms)
                member.tell(Told.ROOMS, "\n".join(lines))
            case _:
                raise RefusedError(f"there is no op {op}")

    def _rename(self, member: Member, nick: str) -> None:
        if key_of(nick) in self._nicks - {key_of(member.nick)}:
            raise RefusedError(f"{nick} is taken")
        self._nicks.discard(key_of(member.nick))
        self._nicks.add(key_of(nick))
        old, member.nick = member.nick, nick
        member.room.tell(Told.RENAMED, f"{old} {nick}")

    async def _join(self, member: Member, name: str) -> None:
        room = await self._rooms.open(name)
        if room is member.room:
            raise RefusedError(f"you are in {room.name} already")
        self._leave(member)
        room.enter(member)

    def _leave(self, member: Member) -> None:
        room = member.room
        room.leave(member)
        self._rooms.close(room)


def _parsed(line: str) -> tuple[int, str]:
    """Return what a line stands for: an op code, and its text."""
    if not line.startswith("/"):
        return Op.SAY, line
    command, _, text = line.partition(" ")
    if command not in COMMANDS:
        raise RefusedError(f"there are the commands {', '.join(COMMANDS)}")
    return COMMANDS[command], text
