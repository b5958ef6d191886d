"""One game of the configuration, with its two ports and what is served there."""

import asyncio
import contextlib
import logging
from typing import Final

from nekonex.app.addresses import ExternalAddress, format_address
from nekonex.app.assembly import Shared, make_identities, make_servers, make_services
from nekonex.app.ports import GamePort
from nekonex.config import GameConfig
from nekonex.domain import SECURE_SERVER_PID
from nekonex.game import Game
from nekonex.nex.logs import login_logger, where
from nekonex.nex.nat_traversal import NATStats
from nekonex.nex.structures import default_holders
from nekonex.rmc import Session
from nekonex.values import StationURL

__all__ = ["HostedGame"]

logger = logging.getLogger(__name__)

EXPEL_SECONDS: Final = 10.0
"""How long it is waited for consoles to be gone whose player is removed."""


class HostedGame:
    """A game that is being served: made with its ports bound, answers after `start`."""

    def __init__(
        self, config: GameConfig, game: Game, *, auth: GamePort, secure: GamePort, shared: Shared
    ) -> None:
        self.config = config
        self.auth = auth
        self.secure = secure
        self.settings = config.settings()
        self.external = ExternalAddress(config.name, config.external_address, secure.address[0])
        self.files = shared.files(config.name, self.external)
        self.services = make_services(config, self.settings, shared, self.files)
        self.players = self.services.players
        self.matchmaking = self.services.matchmaking
        self.nat_stats = NATStats()
        self._game = game
        self._shared = shared

    @property
    def name(self) -> str:
        """The game's name in the configuration."""
        return self.config.name

    @property
    def ports(self) -> tuple[GamePort, GamePort]:
        """The authentication server's and the secure server's port."""
        return self.auth, self.secure

    async def start(self) -> None:
        """Serve both ports, the secure one first: whoever logs in finds it.

        Raises StartError for an external address that is none, ServiceUnavailable where no key
        can be derived or what is stored cannot be read, and ValueError for protocols of the game
        that do not fit together.
        """
        await self.external.start()
        await self.services.rankings.start()
        await self.services.data_store.start()
        identities = make_identities(self.config, self.settings, self._shared)
        secure_server = await identities.by_pid(SECURE_SERVER_PID)
        if secure_server is None:
            raise ValueError("the secure server is not among the special users")
        servers = make_servers(
            self.config,
            self._game,
            self.settings,
            self.services,
            identities,
            secure_station=self.secure_station,
            nat_stats=self.nat_stats,
        )
        holders = default_holders()
        await self.secure.serve(servers.secure, holders=holders, key=secure_server.key)
        await self.auth.serve(servers.auth, holders=holders)
        logger.info(
            "listening",
            extra={
                "game": self.name,
                "auth": format_address(self.auth.address),
                "secure": format_address(self.secure.address),
            },
        )

    async def keep(self) -> None:
        """See to it, for ever, that what is over does not stay: run beside the ports."""
        await self.services.data_store.run_upkeep()

    async def aclose(self) -> None:
        """Finish what is under way, after the ports are closed."""
        await self.services.data_store.aclose()

    def secure_station(self, client: Session) -> StationURL:
        """Return where a console that logs in finds the secure server."""
        return StationURL(
            "prudps",
            address=self.external.towards(client.remote_address[0]),
            port=self.secure.address[1],
            CID=1,
            PID=SECURE_SERVER_PID,
            sid=1,
            stream=10,
            type=2,
        )

    def sessions(self) -> list[Session]:
        """Return the connections to the secure server, registered or not."""
        return self.secure.sessions()

    def kick(self, pid: int, reason: str) -> int:
        """Disconnect all consoles of a player, and return how many they were."""
        found = [session for session in self.sessions() if session.pid == pid]
        for session in found:
            self.disconnect(session, reason)
        return len(found)

    async def expel(self, pid: int, reason: str) -> None:
        """Disconnect all consoles of a player, and wait until nothing of theirs is under way.

        A console that does not answer is waited for no longer than `EXPEL_SECONDS`.
        """
        leaving = [session for session in self.sessions() if session.pid == pid]
        self.kick(pid, reason)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EXPEL_SECONDS):
                for session in leaving:
                    await session.wait_ended()

    def disconnect(self, session: Session, reason: str) -> None:
        """Say goodbye to a console; the reason is for the log."""
        player = self.players.get(session.id)
        if player is not None:
            player.close(reason)
            return
        login_logger.info(
            "connection closed by the server", extra=where(session, self.name, reason=reason)
        )
        session.disconnect()
