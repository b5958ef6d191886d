"""The matchmaking of one hosted game: its service, and the protocol servers in front of it."""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from nekonex.config import GameConfig, LimitsSection
from nekonex.domain import AccountService, PlayerRegistry
from nekonex.domain.matchmaking import (
    CommunityStore,
    Matchmaking,
    MatchmakingLimits,
    PreferenceStore,
    SessionRule,
    TitleRules,
    UnreachableLimits,
    UnreachablePairs,
)
from nekonex.domain.ports import Clock
from nekonex.events import EventBus
from nekonex.game import GameServices
from nekonex.games.mario_kart_8 import MarioKart8MatchmakeExtensionServer
from nekonex.games.monster_hunter_xx import MonsterHunterXXMatchmakeExtensionServer
from nekonex.games.schema import ForceSessions
from nekonex.nex import (
    MatchmakeExtensionServer,
    MatchMakingExtServer,
    MatchMakingServer,
    NATTraversalServer,
    SecureConnectionServer,
)
from nekonex.nex.matchmaking.common import ParticipantNames
from nekonex.nex.nat_traversal import NATStats
from nekonex.rmc import Protocol
from nekonex.settings import Settings
from nekonex.storage.memory_gatherings import MemoryLiveStore
from nekonex.values import ServiceUnavailable

__all__ = ["make_matchmaking", "matchmaking_servers", "title_rules"]

EXTENSIONS: Final[Mapping[str, type[MatchmakeExtensionServer]]] = MappingProxyType(
    {
        "mario-kart-8": MarioKart8MatchmakeExtensionServer,
        "monster-hunter-xx": MonsterHunterXXMatchmakeExtensionServer,
    }
)
"""The server of protocol 109 for titles that have methods of their own there, by the variant's
name in the profile; all others have the common one."""


def make_matchmaking(
    config: GameConfig,
    players: PlayerRegistry,
    *,
    communities: CommunityStore,
    preferences: PreferenceStore,
    events: EventBus,
    clock: Clock,
) -> Matchmaking:
    """Return the matchmaking of a game, with nothing open."""
    limits = _limits(config.limits)
    return Matchmaking(
        players=players,
        live=MemoryLiveStore(Random(), max_gatherings=limits.max_gatherings),
        communities=communities,
        preferences=preferences,
        rules=title_rules(config),
        limits=limits,
        unreachable=UnreachablePairs(UnreachableLimits(seconds=config.limits.unreachable_seconds)),
        events=events,
        clock=clock,
    )


def matchmaking_servers(
    config: GameConfig,
    settings: Settings,
    services: GameServices,
    secure: SecureConnectionServer,
    nat_stats: NATStats,
) -> list[Protocol]:
    """Return what the secure port serves, besides the secure connection, so that players meet."""
    matchmaking = services.matchmaking
    names = _names(services.accounts)
    variant = config.variants.get("matchmake_extension", "")
    extension = EXTENSIONS.get(variant, MatchmakeExtensionServer)
    return [
        NATTraversalServer(
            settings,
            secure=secure,
            neighbours=matchmaking.gatherings,
            unreachable=matchmaking.unreachable,
            stats=nat_stats,
            clock=services.clock,
        ),
        MatchMakingServer(settings, matchmaking=matchmaking, secure=secure, names=names),
        MatchMakingExtServer(settings, matchmaking=matchmaking, secure=secure, names=names),
        extension(settings, matchmaking=matchmaking, secure=secure),
    ]


def title_rules(config: GameConfig) -> TitleRules:
    """Return what a configuration, or the profile behind it, says of the title's searches."""
    force = config.force
    return TitleRules(
        ignored_attributes=frozenset(config.ignore_attributes),
        criteria_attributes=force.criteria.attributes,
        template_attributes=force.template.attributes,
        template_game_mode=force.template.game_mode,
        clear_param="matchmake_param" in force.template.clear,
        clear_application_data="application_buffer" in force.template.clear,
        created=_session_rule(force.created),
        matched=_session_rule(force.matched),
        ignore_closing_by_others=config.ignore_closing_by_others,
    )


def _names(accounts: AccountService) -> ParticipantNames:
    async def name_of(pid: int) -> str | None:
        try:
            account = await accounts.find(pid)
        except ServiceUnavailable:
            return None
        return None if account is None else account.name

    return name_of


def _session_rule(section: ForceSessions) -> SessionRule:
    return SessionRule(
        game_mode=section.game_mode,
        open_participation=section.open_participation,
        user_password_enabled=section.user_password_enabled,
    )


def _limits(section: LimitsSection) -> MatchmakingLimits:
    return MatchmakingLimits(
        max_gatherings=section.max_gatherings,
        max_owned_communities=section.max_owned_communities,
        max_joined_communities=section.max_joined_communities,
        friends_seconds=section.friends_seconds,
    )
