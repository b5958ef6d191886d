"""Structures of the matchmake referee, which keeps records of who won."""

from __future__ import annotations

from nekonex.wire import PID, QBuffer, SInt32, Structure, UInt32, UInt64

__all__ = [
    "MatchmakeRefereeEndRoundParam",
    "MatchmakeRefereePersonalRoundResult",
    "MatchmakeRefereeRound",
    "MatchmakeRefereeStartRoundParam",
    "MatchmakeRefereeStats",
    "MatchmakeRefereeStatsInitParam",
    "MatchmakeRefereeStatsTarget",
]


class MatchmakeRefereePersonalRoundResult(Structure, key="matchmaking"):
    """How a round ended for one player."""

    pid: PID
    personal_round_result_flag: UInt32
    round_win_loss: UInt32
    rating_change: SInt32
    buffer: QBuffer


class MatchmakeRefereeRound(Structure, key="matchmaking"):
    """A round and its results."""

    id: UInt64
    gid: UInt32
    state: UInt32
    personal_data_category: UInt32
    results: list[MatchmakeRefereePersonalRoundResult]


class MatchmakeRefereeStartRoundParam(Structure, key="matchmaking"):
    """A round that begins."""

    personal_data_category: UInt32
    gid: UInt32
    pids: list[PID]


class MatchmakeRefereeEndRoundParam(Structure, key="matchmaking"):
    """A round that has ended."""

    round_id: UInt64
    results: list[MatchmakeRefereePersonalRoundResult]


class MatchmakeRefereeStats(Structure, key="matchmaking"):
    """The record of a player in a category."""

    unique_id: UInt64
    category: UInt32
    pid: PID
    recent_disconnection: UInt32
    recent_violation: UInt32
    recent_mismatch: UInt32
    recent_win: UInt32
    recent_loss: UInt32
    recent_draw: UInt32
    total_disconnect: UInt32
    total_violation: UInt32
    total_mismatch: UInt32
    total_win: UInt32
    total_loss: UInt32
    total_draw: UInt32
    rating_value: UInt32


class MatchmakeRefereeStatsTarget(Structure, key="matchmaking"):
    """Whose record is wanted."""

    pid: PID
    category: UInt32


class MatchmakeRefereeStatsInitParam(Structure, key="matchmaking"):
    """A record to begin."""

    category: UInt32
    initial_rating: UInt32
