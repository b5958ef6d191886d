"""Players with accounts at a running server, and the sessions that they open."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from nekonex.app import HostedGame, Server
from nekonex.nex import MatchmakeExtension
from nekonex.nex.notification import Notifications
from nekonex.nex.structures import (
    MatchmakeSession,
    MatchmakeSessionSearchCriteria,
    NotificationEvent,
)
from nekonex.rmc import Session
from tests.support.players import playing

__all__ = ["Ears", "auto_matchmake", "console", "new_session", "open_session"]


class Ears(Notifications):
    """What a console hears."""

    def __init__(self) -> None:
        self.types: list[int] = []

    async def process_notification_event(self, client: Session, event: NotificationEvent) -> None:
        self.types.append(event.type)


@contextlib.asynccontextmanager
async def console(
    server: Server, name: str, game: HostedGame | None = None, **more: Any
) -> AsyncIterator[tuple[Session, int]]:
    """Log a player in, with an account made where there is none; session and PID."""
    account = await server.accounts.find_by_user_name(name)
    if account is None:
        account = await server.accounts.add(name, "secret")
    async with playing(game or server.games[0], name, "secret", **more) as (session, _):
        yield session, account.pid


def new_session(**fields: Any) -> MatchmakeSession:
    """Return a session as a console sends it."""
    return MatchmakeSession(
        **{"game_mode": 2, "max_participants": 4, "matchmake_system": 1, **fields}
    )


async def open_session(session: Session, **fields: Any) -> int:
    """Have a console make a session; its gid."""
    reply = await MatchmakeExtension.client(session).create_matchmake_session(
        new_session(**fields), "hello"
    )
    gid: int = reply.gid
    return gid


async def auto_matchmake(session: Session, *, template: Any = None, **criteria: Any) -> Any:
    """Have a console auto-matchmake by criteria; what it is in now."""
    wanted = MatchmakeSessionSearchCriteria(
        **{"vacant_only": True, "vacant_participants": 1, **criteria}
    )
    return await MatchmakeExtension.client(session).auto_matchmake_with_search_criteria_postpone(
        [wanted], template or new_session(), "hello"
    )
