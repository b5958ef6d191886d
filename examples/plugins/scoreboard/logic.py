"""Scoreboard: the best scores of the games of this server, now and whenever they change.

The frames are described in README.md.
"""

from __future__ import annotations

import json
from enum import IntEnum
from typing import Any, Final

from nekonex.connect.context import AsyncApp, AsyncContext
from nekonex.events import ScoreUploaded

from .boards import MAX_COUNT, Board, BoardKey, Watch

MAX_DATA: Final = 512
"""Bytes of a request."""
MAX_WATCHED: Final = 10
"""Boards that one client may watch."""
MAX_BOARDS: Final = 200
"""Boards that all clients together may watch."""
MAX_CATEGORY: Final = 2**32 - 1
DEFAULT_COUNT: Final = 10


class Op(IntEnum):
    """Op codes of what clients send; the answers have the same."""

    WATCH = 1
    UNWATCH = 2
    GAMES = 3


REFUSED: Final = 400
"""Op code of an answer that says why something was not done."""


class RefusedError(Exception):
    """Why something was not done, in a sentence for the client."""


class Logic:
    """Everything runs on the server's event loop, so between two awaits nothing else happens."""

    async def start(self, app: AsyncApp) -> None:
        """Ask to hear of every score that is stored, in whatever game."""
        self._app = app
        self._boards: dict[BoardKey, Board] = {}
        self._watches: dict[str, dict[BoardKey, Watch]] = {}
        app.on(ScoreUploaded, self._on_score)

    async def connected(self, ctx: AsyncContext) -> None:
        """Go on with what a client watched before this plugin was reloaded."""
        self._watches[ctx.client_id] = {}
        for key, count in ctx.state.setdefault("watched", {}).items():
            self._watch(ctx, key, count)

    async def disconnected(self, ctx: AsyncContext) -> None:
        """Forget what a client watched."""
        for key in list(self._watches[ctx.client_id]):
            await self._unwatch(ctx, key)
        del self._watches[ctx.client_id]

    async def recv(self, ctx: AsyncContext) -> None:
        """Do what a frame asks for."""
        try:
            await self._do(ctx)
        except RefusedError as refusal:
            await ctx.send(json.dumps({"error": str(refusal)}).encode(), REFUSED)

    async def _do(self, ctx: AsyncContext) -> None:
        match ctx.op:
            case Op.WATCH:
                await self._start_watching(ctx, _parsed(ctx.data))
            case Op.UNWATCH:
                await self._stop_watching(ctx, _parsed(ctx.data))
            case Op.GAMES:
                await ctx.send(json.dumps(await self._app.games()).encode(), Op.GAMES)
            case _:
                raise RefusedError(f"there is no op {ctx.op}")

    async def _on_score(self, score: ScoreUploaded) -> None:
        board = self._boards.get((score.game, score.category))
        if board is not None:
            board.look_again()

    async def _start_watching(self, ctx: AsyncContext, request: dict[str, Any]) -> None:
        """Begin to tell a client of a board, which answers it too."""
        key = _key(request)
        count = _whole(request.get("count", DEFAULT_COUNT), "count", 1, MAX_COUNT)
        if key[0] not in await self._app.games():
            raise RefusedError("there is no such game here; op 3 lists them")
        mine = self._watches[ctx.client_id]
        old = mine.get(key)
        if old is None and len(mine) >= MAX_WATCHED:
            raise RefusedError(f"a client may watch {MAX_WATCHED} boards")
        if key not in self._boards and len(self._boards) >= MAX_BOARDS:
            raise RefusedError(f"{MAX_BOARDS} boards are watched already")
        self._watch(ctx, key, count)
        ctx.state["watched"][key] = count
        if old is not None:
            await old.end()

    async def _stop_watching(self, ctx: AsyncContext, request: dict[str, Any]) -> None:
        key = _key(request)
        if key not in self._watches[ctx.client_id]:
            raise RefusedError("you do not watch this")
        await self._unwatch(ctx, key)
        del ctx.state["watched"][key]
        answer = {"game": key[0], "category": key[1]}
        await ctx.send(json.dumps(answer).encode(), Op.UNWATCH)

    def _watch(self, ctx: AsyncContext, key: BoardKey, count: int) -> None:
        board = self._boards.get(key)
        if board is None:
            board = self._boards[key] = Board(self._app, *key)
        self._watches[ctx.client_id][key] = Watch(ctx, board, count, Op.WATCH)

    async def _unwatch(self, ctx: AsyncContext, key: BoardKey) -> None:
        """End a watch, and its board with the last one; no other call sees it half ended."""
        watch = self._watches[ctx.client_id].pop(key)
        board = watch.board
        board.watches.discard(watch)
        if not board.watches:
            del self._boards[key]
            await board.end()
        await watch.end()


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_DATA:
        raise RefusedError(f"a request has at most {MAX_DATA} bytes")
    try:
        request = json.loads(data)
    except (ValueError, RecursionError):
        raise RefusedError("a request is JSON") from None
    if not isinstance(request, dict):
        raise RefusedError("a request is a JSON object")
    return request


def _key(request: dict[str, Any]) -> BoardKey:
    game = request.get("game")
    if not isinstance(game, str):
        raise RefusedError('a request has the name of a "game"')
    return game, _whole(request.get("category"), "category", 0, MAX_CATEGORY)


def _whole(value: object, what: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RefusedError(f'"{what}" is a whole number from {least} to {most}')
    return value
