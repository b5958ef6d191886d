"""Gatherings: sessions, communities, who takes part in them, and how they are found."""

from __future__ import annotations

from nekonex.domain.matchmaking.hooks import MatchmakingHooks
from nekonex.domain.matchmaking.limits import MatchmakingLimits
from nekonex.domain.matchmaking.model import (
    Community,
    CommunityType,
    Gathering,
    GatheringFlag,
    MatchmakeSession,
    MatchmakeSystem,
    Participant,
    ParticipationPolicy,
)
from nekonex.domain.matchmaking.official import official_community
from nekonex.domain.matchmaking.ports import (
    Change,
    CommunityStore,
    GatheringStore,
    LiveStore,
    Outcome,
    PreferenceStore,
    Privacy,
)
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.relations.friends import GetFriendPids
from nekonex.domain.matchmaking.relations.unreachable import UnreachableLimits, UnreachablePairs
from nekonex.domain.matchmaking.rules.admission import Credentials
from nekonex.domain.matchmaking.search.query import (
    NumberFilter,
    Selection,
    SessionQuery,
    parse_filter,
)
from nekonex.domain.matchmaking.service import Matchmaking
from nekonex.domain.matchmaking.services.communities import CommunityView
from nekonex.domain.matchmaking.services.matchmaker import Company
from nekonex.domain.matchmaking.titles import SessionRule, TitleRules

__all__ = [
    "Change",
    "Community",
    "CommunityStore",
    "CommunityType",
    "CommunityView",
    "Company",
    "Credentials",
    "Gathering",
    "GatheringFlag",
    "GatheringStore",
    "GetFriendPids",
    "LiveStore",
    "MatchmakeSession",
    "MatchmakeSystem",
    "Matchmaking",
    "MatchmakingError",
    "MatchmakingHooks",
    "MatchmakingLimits",
    "NumberFilter",
    "Outcome",
    "Participant",
    "ParticipationPolicy",
    "PreferenceStore",
    "Privacy",
    "Refusal",
    "Selection",
    "SessionQuery",
    "SessionRule",
    "TitleRules",
    "UnreachableLimits",
    "UnreachablePairs",
    "official_community",
    "parse_filter",
]
