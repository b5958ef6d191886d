from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain import Account, AccountService, AuthenticationUser, SpecialUsers
from nekonex.domain.accounts import check_name, check_password, check_pid
from nekonex.domain.errors import (
    AccountError,
    InvalidNameError,
    InvalidPasswordError,
    InvalidPidError,
    NameTakenError,
    NoFreePidError,
    NoSuchAccountError,
    PidTakenError,
)
from nekonex.domain.ports import KeyDeriver
from nekonex.storage.memory import MemoryAccountStore

FIRST = 1_000_000_000
GUEST = AuthenticationUser(100, "guest", "MMQea3n!fsik")


@pytest.fixture
def store() -> MemoryAccountStore:
    return MemoryAccountStore()


@pytest.fixture
def service(store: MemoryAccountStore, deriver: KeyDeriver) -> AccountService:
    return AccountService(store, deriver, special=SpecialUsers([GUEST]), clock=lambda: 5.0)


async def test_an_account_has_keys_of_both_derivations_and_no_password(
    service: AccountService, deriver: KeyDeriver
) -> None:
    account = await service.add("Neko", "password", 1234)
    keys = {kind: await deriver.derive(1234, b"password", kind) for kind in (0, 1)}
    assert account == Account(1234, "Neko", keys, 5.0)
    assert await service.find(1234) == account
    assert "password" not in repr(account)
    assert repr(keys[0]) not in repr(account)


async def test_pids_are_given_out_from_a_thousand_million_on(service: AccountService) -> None:
    await service.add("b", "x", FIRST + 1)
    assert (await service.add("a", "x")).pid == FIRST
    assert (await service.add("c", "x")).pid == FIRST + 2
    await service.remove(FIRST + 2)
    assert (await service.add("d", "x")).pid == FIRST + 3


async def test_names_of_many_are_asked_for_some_at_a_time() -> None:
    asked: list[int] = []

    class Counting(MemoryAccountStore):
        async def names(self, pids: Collection[int]) -> Mapping[int, str]:
            asked.append(len(pids))
            return await super().names(pids)

    counting = Counting()
    accounts = [Account(pid, f"n{pid}", {0: bytes(16)}, 0.0) for pid in range(1, 1101, 2)]
    await counting.add(accounts)
    service = AccountService(counting, cast("KeyDeriver", None))
    found = await service.names([*range(-1, 1101), 5, 1 << 32])
    assert found == {account.pid: account.name for account in accounts}
    assert asked == [500, 500, 100]


async def test_a_refused_account_uses_up_no_pid(service: AccountService) -> None:
    await service.add("a", "x")
    with pytest.raises(NameTakenError):
        await service.add("A", "x")
    assert (await service.add("b", "x")).pid == FIRST + 1


async def test_accounts_added_together_get_different_pids(service: AccountService) -> None:
    accounts = await asyncio.gather(*(service.add(None, "x") for _ in range(30)))
    assert sorted(account.pid for account in accounts) == list(range(FIRST, FIRST + 30))


async def test_another_process_may_be_faster(deriver: KeyDeriver) -> None:
    class Raced(MemoryAccountStore):
        async def next_pid(self, first: int, last: int) -> int | None:
            pid = await super().next_pid(first, last)
            if pid is not None and pid < FIRST + 3:
                await self.add([Account(pid, str(pid), {0: bytes(16)}, 0.0)])
            return pid

    assert (await AccountService(Raced(), deriver).add("a", "x")).pid == FIRST + 3


async def test_when_no_pid_is_left(deriver: KeyDeriver) -> None:
    class Full(MemoryAccountStore):
        async def next_pid(self, first: int, last: int) -> int | None:
            return None

    with pytest.raises(NoFreePidError, match="no PID"):
        await AccountService(Full(), deriver).add("a", "x")


async def test_an_account_without_a_name_is_called_by_its_pid(service: AccountService) -> None:
    account = await service.add(None, "x", 1234)
    assert account.name == "1234"
    assert await service.find_by_user_name("1234") == account


async def test_finding_by_user_name(service: AccountService) -> None:
    neko = await service.add("Neko", "x", 1234)
    assert await service.find_by_user_name("nEKO") == neko
    assert await service.find_by_user_name("1234") == neko
    for unknown in ("", "01234", "1235", "inu", "99999999999", "\ud800", "a" * 5000):
        assert await service.find_by_user_name(unknown) is None
    for nobody in (0, -1, 1 << 32, 1 << 70):
        assert await service.find(nobody) is None


async def test_duplicates_are_refused(service: AccountService) -> None:
    await service.add("Neko", "x", 1234)
    with pytest.raises(PidTakenError, match="PID 1234") as taken:
        await service.add("Inu", "x", 1234)
    assert taken.value.name == "account.pid_taken"
    with pytest.raises(NameTakenError, match="'neko'") as named:
        await service.add("neko", "x", 1235)
    assert named.value.name == "account.name_taken"


@pytest.mark.parametrize("pid", [0, -1, 1 << 32, 1, 2, 100, 105, 110])
def test_pids_that_no_account_may_have(pid: int) -> None:
    with pytest.raises(InvalidPidError):
        check_pid(pid)


@pytest.mark.parametrize("pid", [3, 99, 111, 0xFFFFFFFF])
def test_pids_that_an_account_may_have(pid: int) -> None:
    assert check_pid(pid) == pid


@pytest.mark.parametrize("name", ["", "123", "Guest", "a" * 64])
def test_names_that_no_account_may_have(name: str) -> None:
    with pytest.raises(InvalidNameError):
        check_name(name, SpecialUsers([GUEST]))


@pytest.mark.parametrize("password", ["", "a" * 65, "ä" * 33, "a\0b"])
def test_passwords_that_no_account_may_have(password: str) -> None:
    with pytest.raises(InvalidPasswordError) as caught:
        check_password(password)
    assert not password or password not in str(caught.value)


async def test_nothing_is_stored_of_what_is_refused(service: AccountService) -> None:
    for name, password, pid in (("1", "x", 5), ("a", "", 5), ("a", "x", 2)):
        with pytest.raises(AccountError):
            await service.add(name, password, pid)
    assert await service.count() == 0


async def test_another_password_makes_other_keys(service: AccountService) -> None:
    before = await service.add("Neko", "one", 1234)
    await service.set_password(1234, "two")
    after = await service.find(1234)
    assert after is not None
    assert after.name == "Neko"
    assert all(before.keys[kind] != after.keys[kind] for kind in (0, 1))
    with pytest.raises(InvalidPasswordError):
        await service.set_password(1234, "")
    with pytest.raises(NoSuchAccountError, match="PID 5"):
        await service.set_password(5, "x")


async def test_an_account_that_is_removed_meanwhile_gets_no_password(
    store: MemoryAccountStore, deriver: KeyDeriver
) -> None:
    class Removing:
        async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
            await store.remove(pid)
            return await deriver.derive(pid, password, derivation)

    await AccountService(store, deriver).add(None, "x", 5)
    with pytest.raises(NoSuchAccountError):
        await AccountService(store, Removing()).set_password(5, "y")


async def test_removing(service: AccountService) -> None:
    await service.add("Neko", "x", 1234)
    await service.remove(1234)
    assert await service.find(1234) is None
    for pid in (1234, 0, 1 << 70):
        with pytest.raises(NoSuchAccountError):
            await service.remove(pid)
    await service.add("Neko", "x", 1234)


@given(st.sets(st.integers(200, 5000), max_size=30))
async def test_all_accounts_come_in_the_order_of_their_pids(pids: set[int]) -> None:
    store = MemoryAccountStore()
    await store.add([Account(pid, str(pid), {0: bytes(16)}, 0.0) for pid in pids])

    class Unused:
        async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
            raise AssertionError

    service = AccountService(store, Unused())
    assert [account.pid async for account in service.accounts()] == sorted(pids)


@pytest.mark.parametrize(
    ("pid", "keys"),
    [(0, {0: bytes(16)}), (1 << 32, {0: bytes(16)}), (5, {}), (5, {0: b""}), (5, {2: bytes(16)})],
)
def test_impossible_accounts(pid: int, keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match=r"PID|key"):
        Account(pid, "x", keys, 0.0)
