"""Gatherings: what sessions and communities have in common, and their participants."""

from __future__ import annotations

from nekonex.values import DateTime, StationURL
from nekonex.wire import (
    PID,
    AnyData,
    Buffer,
    Float,
    String,
    Structure,
    UInt16,
    UInt32,
    field,
)

__all__ = [
    "DeletionEntry",
    "Gathering",
    "GatheringStats",
    "GatheringURLs",
    "Invitation",
    "ParticipantDetails",
    "PersistentGathering",
    "PlayingSession",
    "SimpleCommunity",
    "SimplePlayingSession",
]


class Gathering(Structure, key="matchmaking"):
    """Players who came together, in general."""

    id: UInt32 = 0
    owner: PID = 0
    host: PID = 0
    min_participants: UInt16 = 0
    max_participants: UInt16 = 0
    participation_policy: UInt32 = 1
    policy_argument: UInt32 = 0
    flags: UInt32 = 0x200
    state: UInt32 = 0
    description: String = ""


class PersistentGathering(Gathering):
    """A community: a gathering that stays when nobody is connected."""

    type: UInt32 = 0
    password: String = field(default="", secret=True)
    attribs: list[UInt32] = field(default=[])
    application_buffer: Buffer = b""
    participation_start: DateTime = field(default=DateTime(0))
    participation_end: DateTime = field(default=DateTime(0))
    matchmake_session_count: UInt32 = 0
    num_participants: UInt32 = 0


class GatheringURLs(Structure, key="matchmaking"):
    """The stations of a gathering."""

    gid: UInt32
    urls: list[StationURL]


class GatheringStats(Structure, key="matchmaking"):
    """What a participant reports about a gathering."""

    pid: PID
    flags: UInt32
    values: list[Float]


class Invitation(Structure, key="matchmaking"):
    """An invitation to a gathering."""

    gid: UInt32
    guest: UInt32
    message: String


class ParticipantDetails(Structure, key="matchmaking"):
    """One participant of a gathering."""

    pid: PID
    name: String
    message: String
    participants: UInt16
    """How many places the participant takes: players on one console."""


class DeletionEntry(Structure, key="matchmaking"):
    """Why somebody is no longer in a gathering."""

    gid: UInt32
    pid: PID
    reason: UInt32


class SimpleCommunity(Structure, key="matchmaking"):
    """How many sessions a community has."""

    gid: UInt32
    matchmake_session_count: UInt32


class PlayingSession(Structure, key="matchmaking"):
    """Which gathering somebody plays in."""

    pid: PID
    gathering: AnyData


class SimplePlayingSession(Structure, key="matchmaking"):
    """Which session somebody plays in, in short."""

    pid: PID
    gid: UInt32
    game_mode: UInt32
    attribute: UInt32
