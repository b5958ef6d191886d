"""The structures of the protocols: pure data, declared once for all NEX versions."""

from nekonex.nex.structures.authentication import (
    AccountExtraInfo,
    AuthenticationInfo,
    NintendoLoginData,
    RVConnectionData,
    ValidateAndRequestTicketParam,
    ValidateAndRequestTicketResult,
)
from nekonex.nex.structures.common import (
    LATE_MATCHMAKING,
    Data,
    NullData,
    ResultRange,
)
from nekonex.nex.structures.gathering import (
    DeletionEntry,
    Gathering,
    GatheringStats,
    GatheringURLs,
    Invitation,
    ParticipantDetails,
    PersistentGathering,
    PlayingSession,
    SimpleCommunity,
    SimplePlayingSession,
)
from nekonex.nex.structures.holders import (
    default_holders,
    register_gatherings,
)
from nekonex.nex.structures.matchmaking import (
    AutoMatchmakeParam,
    CreateMatchmakeSessionParam,
    FindMatchmakeSessionByParticipantParam,
    FindMatchmakeSessionByParticipantResult,
    JoinMatchmakeSessionParam,
    MatchmakeBlockListParam,
    MatchmakeParam,
    MatchmakeSession,
    MatchmakeSessionSearchCriteria,
    UpdateMatchmakeSessionParam,
)
from nekonex.nex.structures.notification import (
    NotificationEvent,
)
from nekonex.nex.structures.ranking import (
    RankingCachedResult,
    RankingChangeAttributesParam,
    RankingOrderParam,
    RankingRankData,
    RankingResult,
    RankingScoreData,
    RankingStats,
)
from nekonex.nex.structures.referee import (
    MatchmakeRefereeEndRoundParam,
    MatchmakeRefereePersonalRoundResult,
    MatchmakeRefereeRound,
    MatchmakeRefereeStartRoundParam,
    MatchmakeRefereeStats,
    MatchmakeRefereeStatsInitParam,
    MatchmakeRefereeStatsTarget,
)
from nekonex.nex.structures.secure import (
    ConnectionData,
)

__all__ = [
    "LATE_MATCHMAKING",
    "AccountExtraInfo",
    "AuthenticationInfo",
    "AutoMatchmakeParam",
    "ConnectionData",
    "CreateMatchmakeSessionParam",
    "Data",
    "DeletionEntry",
    "FindMatchmakeSessionByParticipantParam",
    "FindMatchmakeSessionByParticipantResult",
    "Gathering",
    "GatheringStats",
    "GatheringURLs",
    "Invitation",
    "JoinMatchmakeSessionParam",
    "MatchmakeBlockListParam",
    "MatchmakeParam",
    "MatchmakeRefereeEndRoundParam",
    "MatchmakeRefereePersonalRoundResult",
    "MatchmakeRefereeRound",
    "MatchmakeRefereeStartRoundParam",
    "MatchmakeRefereeStats",
    "MatchmakeRefereeStatsInitParam",
    "MatchmakeRefereeStatsTarget",
    "MatchmakeSession",
    "MatchmakeSessionSearchCriteria",
    "NintendoLoginData",
    "NotificationEvent",
    "NullData",
    "ParticipantDetails",
    "PersistentGathering",
    "PlayingSession",
    "RVConnectionData",
    "RankingCachedResult",
    "RankingChangeAttributesParam",
    "RankingOrderParam",
    "RankingRankData",
    "RankingResult",
    "RankingScoreData",
    "RankingStats",
    "ResultRange",
    "SimpleCommunity",
    "SimplePlayingSession",
    "UpdateMatchmakeSessionParam",
    "ValidateAndRequestTicketParam",
    "ValidateAndRequestTicketResult",
    "default_holders",
    "register_gatherings",
]
