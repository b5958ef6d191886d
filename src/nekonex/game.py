"""What one game adds to the protocols that every game has.

    class MyGame(nekonex.Game):
        def protocols(self, services: GameServices) -> list[Protocol]:
            return [Leaderboard(services.players)]

The configuration names the class: ``server = "my_package.my_module:MyGame"``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nekonex.domain import (
    AccessService,
    AccountService,
    PlayerRegistry,
    ReportService,
)
from nekonex.domain.datastore import DataStore, DataStoreHooks, ObjectKeys
from nekonex.domain.matchmaking import GetFriendPids, Matchmaking, MatchmakingHooks
from nekonex.domain.ports import Clock
from nekonex.domain.ranking import RankingHooks, Rankings
from nekonex.domain.unique_ids import UniqueIds
from nekonex.events import EventBus
from nekonex.kerberos import TokenVerifier
from nekonex.nex.authentication import AuthCallback
from nekonex.nex.secure import ConnectedPlayer, MayRequestURLs, SecureConnectionServer
from nekonex.rmc import Protocol, Session
from nekonex.settings import Settings

__all__ = ["Game", "GameServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GameServices:
    """What a game's protocols may use."""

    name: str
    """The game's name in the configuration."""
    settings: Settings
    """Its key, versions and transport: the server's own, not to be changed."""
    players: PlayerRegistry
    """Who is online in this game."""
    accounts: AccountService
    """All accounts of this server; games share them."""
    access: AccessService
    """Maintenance, whitelists and bans of all games."""
    reports: ReportService
    """What consoles reported."""
    matchmaking: Matchmaking
    """The sessions and communities of this game."""
    rankings: Rankings
    """The scores of this game."""
    data_store: DataStore
    """What players of this game store for others."""
    unique_ids: UniqueIds
    """The numbers that players' save data of this game has."""
    events: EventBus
    """What happens in all games."""
    clock: Clock
    """The time in POSIX seconds."""
    secure: SecureConnectionServer | None = None
    """The common secure connection server; there when `Game.protocols` is called."""


class Game:
    """Base of the games in code: override what differs from the common server.

    One object is made for each game that names the class, without arguments.
    """

    def protocols(self, services: GameServices) -> Sequence[Protocol]:  # noqa: ARG002
        """Return what the secure server answers besides the common protocols.

        One with the number of a common protocol takes its place.
        """
        return []

    def token_verifier(self, services: GameServices) -> TokenVerifier | None:  # noqa: ARG002
        """Return what tells good login tokens from bad ones; None: what the configuration says."""
        return None

    def auth_callback(self, services: GameServices) -> AuthCallback | None:  # noqa: ARG002
        """Return a function that is asked at every login of a known user; None: nobody is.

        It may be a coroutine function. Returning None lets the user in; a `Result`, or an
        `RMCError` that is raised, tells the console why not.
        """
        return None

    def may_request_urls(self, services: GameServices) -> MayRequestURLs | None:
        """Return what decides whether a player may learn another one's address; None: nobody may.

        It is called with the session that asks and the player who is asked about, and may be a
        coroutine function. Here those may who are in one gathering, communities apart.
        """
        share_gathering = services.matchmaking.gatherings.share_gathering

        async def may_request_urls(client: Session, target: ConnectedPlayer) -> bool:
            if client.id == target.connection_id:
                return True
            # A principal id that several guests have says nothing about one of them.
            if client.pid is None or client.pid == target.pid:
                return False
            return await share_gathering(client.pid, target.pid)

        return may_request_urls

    def matchmaking_hooks(self, services: GameServices) -> MatchmakingHooks | None:  # noqa: ARG002
        """Return what the game adds to the rules of matchmaking; None: nothing."""
        return None

    def ranking_hooks(self, services: GameServices) -> RankingHooks | None:  # noqa: ARG002
        """Return what the game adds to the rules of rankings; None: nothing."""
        return None

    def data_store_hooks(self, services: GameServices) -> DataStoreHooks | None:  # noqa: ARG002
        """Return what the game adds to the rules of the data store; None: nothing."""
        return None

    def object_keys(self, services: GameServices) -> ObjectKeys | None:  # noqa: ARG002
        """Return under which keys the game's files are published; None: ``objects/<id>.bin``."""
        return None

    def get_friend_pids(self, services: GameServices) -> GetFriendPids | None:  # noqa: ARG002
        """Return a function that knows the friends of a player; None: nobody has any.

        It is called with a principal id and returns principal ids, and may be a coroutine
        function. Sessions, objects and rankings for friends only, and what friends tell each
        other, depend on it.
        """
        return None
