"""Every structure that NintendoClients has too, in both directions, wherever it is right.

`RIGHT` says where: NintendoClients models NEX 3.5 and 4 and takes no revision for granted
where structures have no header. What it gets wrong is covered by golden bytes instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.nex import structures as s
from nekonex.settings import Version
from nekonex.wire import Structure, WireContext
from nekonex.wire.structure import zero_structure
from tests.interop.wire_twins import Twin, instances, plain

VERSIONS: list[Version] = [
    (1, 1, 0), (2, 4, 3), (3, 0, 1), (3, 3, 0), (3, 4, 0), (3, 5, 4), (3, 6, 1), (3, 7, 1),
    (3, 8, 3), (3, 10, 1), (4, 4, 0),
]  # fmt: skip

Rule = Callable[[Version, bool, int], bool]


def always(version: Version, header: bool, pid_size: int) -> bool:
    return True


def since(*boundary: int) -> Rule:
    return lambda version, header, pid_size: version >= boundary


def revision_sent(version: Version, header: bool, pid_size: int) -> bool:
    return header or version < (3, 5)


def session(version: Version, header: bool, pid_size: int) -> bool:
    # It puts the progress score at 3.5, and reads no tail of 3.6 without a revision.
    return version[:2] != (3, 4) and (header or not (3, 6) <= version < (4, 0))


def criteria(version: Version, header: bool, pid_size: int) -> bool:
    # It puts vacant_participants at 3.5, and what came with 3.6 to 3.8 at 4.0.
    return (3, 0) <= version < (3, 4) or (3, 5) <= version < (3, 6) or version >= (4, 0)


def notification(version: Version, header: bool, pid_size: int) -> bool:
    # Its parameters are as wide as a PID, and param3 came with 3.5.
    if version >= (4, 0):
        return pid_size == 8 and header
    return pid_size == 4 and version[:2] != (3, 4)


def rank_data(version: Version, header: bool, pid_size: int) -> bool:
    return version < (3, 6) or version >= (4, 0)


def wide_pids(version: Version, header: bool, pid_size: int) -> bool:
    # It takes the recipients of objects to have 64 bits, and what revisions announce for granted.
    return version >= (4, 0) and pid_size == 8


def headed(version: Version, header: bool, pid_size: int) -> bool:
    return header


def headed_with_wide_pids(version: Version, header: bool, pid_size: int) -> bool:
    return header and version < (4, 0) and pid_size == 8


RIGHT: dict[type[Structure], Rule] = {
    s.NullData: always,
    s.ResultRange: always,
    s.AuthenticationInfo: since(3, 0),
    s.NintendoLoginData: always,
    s.AccountExtraInfo: always,
    s.RVConnectionData: revision_sent,
    s.ValidateAndRequestTicketParam: since(3, 0),
    s.ValidateAndRequestTicketResult: always,
    s.ConnectionData: always,
    s.NotificationEvent: notification,
    s.Gathering: always,
    s.GatheringURLs: always,
    s.GatheringStats: always,
    s.Invitation: always,
    s.ParticipantDetails: always,
    s.DeletionEntry: always,
    s.PersistentGathering: always,
    s.PlayingSession: since(3, 0),
    s.SimpleCommunity: always,
    s.SimplePlayingSession: always,
    s.MatchmakeParam: always,
    s.MatchmakeSession: session,
    s.MatchmakeSessionSearchCriteria: criteria,
    s.MatchmakeBlockListParam: always,
    s.CreateMatchmakeSessionParam: session,
    s.JoinMatchmakeSessionParam: since(4, 0),
    s.UpdateMatchmakeSessionParam: since(4, 0),
    s.AutoMatchmakeParam: since(4, 0),
    s.FindMatchmakeSessionByParticipantParam: always,
    s.FindMatchmakeSessionByParticipantResult: session,
    s.MatchmakeRefereeRound: always,
    s.MatchmakeRefereeStartRoundParam: always,
    s.MatchmakeRefereeEndRoundParam: always,
    s.MatchmakeRefereePersonalRoundResult: always,
    s.MatchmakeRefereeStats: always,
    s.MatchmakeRefereeStatsTarget: always,
    s.MatchmakeRefereeStatsInitParam: always,
    s.RankingOrderParam: always,
    s.RankingRankData: rank_data,
    s.RankingResult: rank_data,
    s.RankingCachedResult: rank_data,
    s.RankingStats: always,
    s.RankingScoreData: always,
    s.RankingChangeAttributesParam: always,
    s.UniqueIdInfo: always,
    s.DataStoreChangeMetaCompareParam: always,
    s.DataStoreChangeMetaParamV1: always,
    s.DataStoreCompletePostParam: always,
    s.DataStoreCompletePostParamV1: always,
    s.DataStoreCompleteUpdateParam: since(3, 0),
    s.DataStoreDeleteParam: always,
    s.DataStoreGetMetaParam: always,
    s.DataStoreGetNewArrivedNotificationsParam: always,
    s.DataStoreGetNotificationUrlParam: always,
    s.DataStoreGetSpecificMetaParam: always,
    s.DataStoreGetSpecificMetaParamV1: always,
    s.DataStoreKeyValue: always,
    s.DataStoreMetaInfo: always,
    s.DataStoreNotification: always,
    s.DataStoreNotificationV1: always,
    s.DataStorePasswordInfo: always,
    s.DataStorePermission: always,
    s.DataStorePersistenceInfo: always,
    s.DataStorePersistenceInitParam: always,
    s.DataStorePersistenceTarget: always,
    s.DataStorePrepareGetParam: always,
    s.DataStorePrepareGetParamV1: always,
    s.DataStorePreparePostParam: always,
    s.DataStorePreparePostParamV1: always,
    s.DataStorePrepareUpdateParam: since(3, 5),
    s.DataStoreRateObjectParam: always,
    s.DataStoreRatingInfo: always,
    s.DataStoreRatingInfoWithSlot: always,
    s.DataStoreRatingInitParam: always,
    s.DataStoreRatingInitParamWithSlot: always,
    s.DataStoreRatingLog: always,
    s.DataStoreRatingTarget: always,
    s.DataStoreReqGetAdditionalMeta: always,
    s.DataStoreReqGetInfo: always,
    s.DataStoreReqGetInfoV1: always,
    s.DataStoreReqGetNotificationUrlInfo: always,
    s.DataStoreReqPostInfo: always,
    s.DataStoreReqPostInfoV1: always,
    s.DataStoreReqUpdateInfo: since(3, 0),
    s.DataStoreSearchParam: wide_pids,
    s.DataStoreSearchResult: always,
    s.DataStoreSpecificMetaInfo: always,
    s.DataStoreSpecificMetaInfoV1: always,
    s.DataStoreTouchObjectParam: always,
}

UNANNOUNCED: dict[type[Structure], tuple[Rule, int]] = {
    s.DataStoreChangeMetaParam: (headed, 1),
    s.DataStoreSearchParam: (headed_with_wide_pids, 3),
}
"""Structures whose last fields it always writes, but never says so: where, and what to say."""


@cache
def context(version: Version, header: bool, pid_size: int) -> WireContext:
    return WireContext(
        version, struct_header=header, pid_size=pid_size, holders=s.default_holders()
    )


def configurations(rule: Rule) -> Iterator[tuple[Version, bool, int]]:
    for version in VERSIONS:
        for header in (False, True):
            for pid_size in (4, 8):
                if rule(version, header, pid_size):
                    yield version, header, pid_size


def test_every_structure_is_compared() -> None:
    declared = {
        value
        for name in s.__all__
        if isinstance(value := getattr(s, name), type) and issubclass(value, Structure)
    }
    assert declared - {s.Data} == {*RIGHT, *UNANNOUNCED}


@pytest.mark.parametrize("cls", RIGHT, ids=lambda cls: cls.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_same_bytes_and_same_values(cls: type[Structure], data: st.DataObject) -> None:
    version, header, pid_size = data.draw(st.sampled_from([*configurations(RIGHT[cls])]))
    ours = context(version, header, pid_size)
    theirs = Twin(ours)
    value = data.draw(instances(cls, ours))
    twin = theirs.copy(value)

    encoded = theirs.encode(twin)

    codec = ours.codec(cls)
    assert codec.encode(value) == encoded
    assert codec.decode(encoded) == value
    assert plain(theirs.decode(cls.__name__, codec.encode(value))) == plain(twin)


@pytest.mark.parametrize("cls", UNANNOUNCED, ids=lambda cls: cls.__name__)
@settings(max_examples=40)
@given(data=st.data())
def test_same_bytes_with_the_revision_put_right(cls: type[Structure], data: st.DataObject) -> None:
    rule, revision = UNANNOUNCED[cls]
    version, header, pid_size = data.draw(st.sampled_from([*configurations(rule)]))
    ours = context(version, header, pid_size)
    theirs = Twin(ours)
    value = data.draw(instances(cls, ours))
    twin = theirs.copy(value)

    encoded = theirs.encode(twin)
    assert encoded[0] == 0
    announced = bytes([revision]) + encoded[1:]

    codec = ours.codec(cls)
    assert codec.encode(value) == announced
    assert codec.decode(announced) == value
    assert plain(theirs.decode(cls.__name__, codec.encode(value))) == plain(twin)


def example(cls: type[Structure]) -> Structure:
    if cls is s.ValidateAndRequestTicketParam:
        return s.ValidateAndRequestTicketParam(2, "1", s.NullData(), False, 40400, 1)
    if cls is s.PlayingSession:
        return s.PlayingSession(1, s.NullData())
    return zero_structure(cls)


@pytest.mark.parametrize("cls", RIGHT, ids=lambda cls: cls.__name__)
def test_every_configuration_once(cls: type[Structure]) -> None:
    for configuration in configurations(RIGHT[cls]):
        ours = context(*configuration)
        theirs = Twin(ours)
        value = example(cls)
        encoded = theirs.encode(theirs.copy(value))
        assert ours.codec(cls).encode(value) == encoded, configuration
        assert ours.codec(cls).decode(encoded) == value, configuration
