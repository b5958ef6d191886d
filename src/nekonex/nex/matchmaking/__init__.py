"""Match making (protocols 21 and 50): gatherings, and who takes part in them."""

from nekonex.nex.matchmaking.definition import (
    GatheringReply,
    MatchMaking,
    MatchMakingExt,
    PendingDeletionsReply,
    SessionURLReply,
    StateReply,
    StatsReply,
)
from nekonex.nex.matchmaking.errors import REFUSAL_NAMES, error_of
from nekonex.nex.matchmaking.translate import (
    community_of,
    community_to_wire,
    gathering_of,
    gathering_to_wire,
    participant_to_wire,
    plain_of,
    plain_to_wire,
    query_of,
    session_of,
    session_to_wire,
)

__all__ = [
    "REFUSAL_NAMES",
    "GatheringReply",
    "MatchMaking",
    "MatchMakingExt",
    "PendingDeletionsReply",
    "SessionURLReply",
    "StateReply",
    "StatsReply",
    "community_of",
    "community_to_wire",
    "error_of",
    "gathering_of",
    "gathering_to_wire",
    "participant_to_wire",
    "plain_of",
    "plain_to_wire",
    "query_of",
    "session_of",
    "session_to_wire",
]
