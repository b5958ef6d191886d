from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain import AccessRules, AccessService, Ban, MaintenanceWindow, Whitelist
from nekonex.domain.access import BANNED, NOT_WHITELISTED, UNDER_MAINTENANCE
from nekonex.domain.errors import InvalidPidError
from nekonex.storage.memory import MemoryAccessStore
from nekonex.values import ERROR_CODES

PID = 1234
NOW = 1000.0


@pytest.fixture
def store() -> MemoryAccessStore:
    return MemoryAccessStore()


@pytest.fixture
def service(store: MemoryAccessStore) -> AccessService:
    return AccessService(store, clock=lambda: NOW)


def test_the_errors_exist() -> None:
    assert {BANNED, UNDER_MAINTENANCE, NOT_WHITELISTED} <= set(ERROR_CODES)


async def test_everybody_may_come_in_at_first(service: AccessService) -> None:
    assert await service.check(PID, "mk8", NOW) is None


async def test_maintenance_from_now_until_it_is_ended(service: AccessService) -> None:
    await service.start_maintenance()
    assert await service.check(PID, "mk8", NOW) == UNDER_MAINTENANCE
    assert await service.check(PID, "mk8", NOW - 1) is None
    await service.end_maintenance()
    assert await service.check(PID, "mk8", NOW) is None


async def test_announced_maintenance_of_one_game(service: AccessService) -> None:
    await service.start_maintenance("mk8", start=2000, end=3000)
    answers = [await service.check(PID, "mk8", now) for now in (1999, 2000, 2999, 3000)]
    assert answers == [None, UNDER_MAINTENANCE, UNDER_MAINTENANCE, None]
    assert await service.check(PID, "splatoon", 2500) is None
    rules = await service.rules()
    assert rules.under_maintenance("mk8", 2500)


async def test_a_maintenance_cannot_end_before_it_starts(service: AccessService) -> None:
    with pytest.raises(ValueError, match="after it starts"):
        await service.start_maintenance(end=NOW)


async def test_bans_for_all_games_or_one_for_ever_or_a_while(service: AccessService) -> None:
    ban = await service.ban(PID, "cheating")
    assert ban == Ban(PID, "cheating", created=NOW)
    assert await service.check(PID, "mk8", NOW) == BANNED
    assert await service.check(PID + 1, "mk8", NOW) is None
    assert (await service.rules()).ban_of(PID, "mk8", NOW) == ban
    assert await service.unban(PID)
    assert not await service.unban(PID)
    assert await service.check(PID, "mk8", NOW) is None

    await service.ban(PID, until=2000, scope="mk8")
    assert not await service.unban(PID)
    assert await service.check(PID, "splatoon", NOW) is None
    assert await service.check(PID, "mk8", 1999) == BANNED
    assert await service.check(PID, "mk8", 2000) is None


async def test_a_second_ban_replaces_the_first_of_its_scope_only(service: AccessService) -> None:
    await service.ban(PID, "one", scope="mk8")
    await service.ban(PID, "two", scope="mk8")
    await service.ban(PID, "three")
    assert [ban.reason for ban in (await service.rules()).bans[PID]] == ["three", "two"]


async def test_whitelists(service: AccessService) -> None:
    await service.whitelist(PID, PID + 1)
    assert await service.check(9999, "mk8", NOW) is None
    await service.enable_whitelist()
    assert await service.check(PID, "mk8", NOW) is None
    assert await service.check(9999, "mk8", NOW) == NOT_WHITELISTED
    assert await service.check(100, "mk8", NOW) == NOT_WHITELISTED
    await service.whitelist(9999, 100, scope="mk8")
    assert await service.check(9999, "mk8", NOW) is None
    assert await service.check(100, "mk8", NOW) is None
    assert await service.check(9999, "splatoon", NOW) == NOT_WHITELISTED
    await service.unwhitelist(PID, 5555)
    assert await service.check(PID, "mk8", NOW) == NOT_WHITELISTED
    await service.enable_whitelist(enabled=False)
    assert await service.check(PID, "mk8", NOW) is None
    await service.enable_whitelist("mk8")
    assert await service.check(PID + 1, "mk8", NOW) is None
    assert await service.check(PID, "mk8", NOW) == NOT_WHITELISTED
    assert await service.check(PID, "splatoon", NOW) is None


def test_a_ban_comes_first_and_a_whitelist_does_not_open_a_maintenance() -> None:
    rules = AccessRules(
        {"": MaintenanceWindow()},
        {"": Whitelist(enabled=True, pids=frozenset({PID}))},
        {5555: (Ban(5555),)},
    )
    assert rules.check(PID, "mk8", NOW) == UNDER_MAINTENANCE
    assert rules.check(5555, "mk8", NOW) == BANNED
    assert rules.check(6666, "mk8", NOW) == UNDER_MAINTENANCE


@given(
    st.one_of(st.none(), st.floats(0, 10)),
    st.one_of(st.none(), st.floats(11, 20)),
    st.floats(-5, 25),
)
def test_windows(start: float | None, end: float | None, now: float) -> None:
    inside = (start is None or now >= start) and (end is None or now < end)
    assert MaintenanceWindow(start, end).contains(now) is inside


@pytest.mark.parametrize("pid", [0, -1, 1, 2, 101, 110, 1 << 32])
async def test_pids_that_no_player_has(service: AccessService, pid: int) -> None:
    with pytest.raises(InvalidPidError):
        await service.ban(pid)
    with pytest.raises(InvalidPidError):
        await service.whitelist(PID, pid)
    assert await service.rules() == AccessRules()


async def test_rules_are_loaded_only_when_they_changed(store: MemoryAccessStore) -> None:
    loads: list[int] = []

    class Counting(MemoryAccessStore):
        async def load(self) -> tuple[int, AccessRules]:
            loads.append(1)
            return await super().load()

    service = AccessService(Counting(), clock=lambda: NOW)
    for _ in range(5):
        await service.check(PID, "mk8", NOW)
    assert len(loads) == 1
    await service.ban(PID)
    for _ in range(5):
        await service.check(PID, "mk8", NOW)
    assert len(loads) == 2


async def test_a_change_behind_its_back_is_seen_at_the_next_check(
    store: MemoryAccessStore, service: AccessService
) -> None:
    assert await service.check(PID, "mk8", NOW) is None
    await AccessService(store).ban(PID)
    assert await service.check(PID, "mk8", NOW) == BANNED
