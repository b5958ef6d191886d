"""Whoever may not be in a game any more is disconnected, whichever process changed the rules."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from nekonex.app.hosting import HostedGame
from nekonex.domain import AccessRules, AccessService
from nekonex.domain.ports import Clock
from nekonex.values import ServiceUnavailable

__all__ = ["AccessWatcher"]

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often the rules are looked at: a ban by another process works after this at the latest."""


class AccessWatcher:
    """Compares who is connected with the access rules.

    All consoles of a game are compared when the rules change, and when a maintenance begins or
    ends; at other times only those that connected since, because a ticket from before a ban is
    good for two minutes.
    """

    def __init__(self, access: AccessService, games: Sequence[HostedGame], *, clock: Clock) -> None:
        self._access = access
        self._games = games
        self._clock = clock
        self._rules = AccessRules()
        self._in_maintenance: dict[str, bool] = {}
        self._newest: dict[str, int] = {}
        self._failing = False

    async def run(self) -> None:
        """Look at the rules once a second, for ever."""
        while True:
            await self._try_to_check()
            await asyncio.sleep(LOOK_SECONDS)

    async def check(self) -> int:
        """Disconnect those who may not be here, and return how many they were.

        Raises ServiceUnavailable if the rules cannot be read; then everybody stays.
        """
        rules = await self._access.rules()
        changed = rules is not self._rules
        self._rules = rules
        return sum(self._check_game(game, rules, changed=changed) for game in self._games)

    async def _try_to_check(self) -> None:
        try:
            await self.check()
        except ServiceUnavailable:
            if not self._failing:
                logger.warning("the access rules cannot be read: nobody is disconnected meanwhile")
            self._failing = True
        except Exception:
            logger.exception("looking at the access rules failed")
        else:
            self._failing = False

    def _check_game(self, game: HostedGame, rules: AccessRules, *, changed: bool) -> int:
        now = self._clock()
        maintenance = rules.under_maintenance(game.name, now)
        if maintenance != self._in_maintenance.get(game.name, False):
            self._in_maintenance[game.name] = maintenance
            changed = True
            logger.warning(
                "maintenance began" if maintenance else "maintenance ended",
                extra={"game": game.name},
            )
        known = 0 if changed else self._newest.get(game.name, 0)
        count = 0
        for session in game.sessions():
            if session.id <= known:
                continue
            self._newest[game.name] = max(self._newest.get(game.name, 0), session.id)
            error = rules.check(session.pid or 0, game.name, now)
            if error is not None:
                game.disconnect(session, error)
                count += 1
        return count
