from __future__ import annotations

import threading
from enum import Enum

import pytest

from nekonex.domain import (
    AccountService,
    AccountSource,
    AuthenticationUser,
    CallbackSource,
    Identity,
    IdentityService,
    KnownUser,
    SpecialUsers,
    on_loop,
)
from nekonex.domain.ports import KeyDeriver
from nekonex.storage.memory import MemoryAccountStore
from nekonex.values import ServiceUnavailable

AUTHENTICATION = AuthenticationUser(1, "Quazal Authentication", "one")
SECURE = AuthenticationUser(2, "Quazal Rendez-Vous", "two")
GUEST = AuthenticationUser(100, "guest", "MMQea3n!fsik")
SPECIAL = SpecialUsers([AUTHENTICATION, SECURE, GUEST])


def by_callback(callback: object, deriver: KeyDeriver) -> IdentityService:
    assert callable(callback)
    return IdentityService(SPECIAL, [CallbackSource(callback)], deriver)


async def test_special_users(deriver: KeyDeriver) -> None:
    service = IdentityService(SPECIAL, [], deriver)
    secure = await service.by_pid(2)
    key = await deriver.derive(2, b"two")
    assert secure == Identity(2, "Quazal Rendez-Vous", key, "two", special=True)
    assert await service.by_user_name("2") == secure
    assert await service.by_user_name("quazal rendez-vous") == secure
    assert not secure.may_log_in
    authentication = await service.by_pid(1)
    assert authentication is not None
    assert not authentication.may_log_in


async def test_a_key_that_is_given_is_not_derived() -> None:
    class NoDeriver:
        async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
            raise ServiceUnavailable("no worker can be had")

    secure = AuthenticationUser(2, "Quazal Rendez-Vous", key=bytes(range(16)))
    service = IdentityService(SpecialUsers([secure]), [], NoDeriver())
    found = await service.by_pid(2)
    assert found == Identity(2, "Quazal Rendez-Vous", bytes(range(16)), special=True)
    assert await service.by_user_name("2") == found


async def test_of_special_users_only_the_guest_may_log_in(deriver: KeyDeriver) -> None:
    guest = await IdentityService(SPECIAL, [], deriver).by_user_name("GUEST")
    assert guest is not None
    assert guest.guest
    assert guest.special
    assert guest.may_log_in
    assert guest.user == GUEST
    without = IdentityService(SpecialUsers([SECURE]), [], deriver)
    assert await without.by_user_name("guest") is None
    assert await without.by_user_name("100") is None


async def test_the_pid_of_a_special_user_never_reaches_a_source(deriver: KeyDeriver) -> None:
    def careless(pid: int) -> str:
        raise AssertionError(pid)

    service = IdentityService(SpecialUsers(), [CallbackSource(careless)], deriver)
    for pid in (0, 1, 2, 100, 105, 110, -1, 1 << 32):
        assert await service.by_pid(pid) is None
        assert await service.by_user_name(str(pid)) is None


async def test_accounts_by_pid_and_by_name(deriver: KeyDeriver) -> None:
    accounts = AccountService(MemoryAccountStore(), deriver)
    await accounts.add("Neko", "secret", 1234)
    for derivation in (0, 1):
        source = AccountSource(accounts, derivation=derivation)
        service = IdentityService(SPECIAL, [source], deriver, derivation=derivation)
        key = await deriver.derive(1234, b"secret", derivation)
        neko = Identity(1234, "Neko", key)
        assert await service.by_pid(1234) == neko
        assert await service.by_user_name("1234") == neko
        assert await service.by_user_name("neko") == neko
        assert neko.may_log_in
        assert neko.user == AuthenticationUser(1234, "Neko", "")
        assert await service.by_pid(5555) is None
        assert await service.by_user_name("inu") is None


async def test_an_account_without_the_key_of_the_derivation_is_unknown(
    deriver: KeyDeriver, caplog: pytest.LogCaptureFixture
) -> None:
    accounts = AccountService(MemoryAccountStore(), deriver)
    await accounts.add("Neko", "secret", 1234)
    service = IdentityService(SPECIAL, [AccountSource(accounts, derivation=1)], deriver)
    account = await accounts.find(1234)
    assert account is not None
    store = MemoryAccountStore()
    await store.add([account])
    await store.set_keys(1234, {0: bytes(16)})
    service = IdentityService(
        SPECIAL, [AccountSource(AccountService(store, deriver), derivation=1)], deriver
    )
    assert await service.by_pid(1234) is None
    assert "without a key" in caplog.text


async def test_a_plain_callback_runs_in_a_thread_and_a_coroutine_on_the_loop(
    deriver: KeyDeriver,
) -> None:
    threads: list[str] = []

    def plain(pid: int) -> str:
        threads.append(threading.current_thread().name)
        return f"password {pid}"

    @on_loop
    def quick(pid: int) -> str:
        return plain(pid)

    async def coroutine(pid: int) -> str:
        return plain(pid)

    expected = Identity(1234, "1234", await deriver.derive(1234, b"password 1234"), "password 1234")
    for callback in (plain, quick, coroutine):
        assert await by_callback(callback, deriver).by_user_name("1234") == expected
    here = threading.current_thread().name
    assert [name == here for name in threads] == [False, True, True]


class Code(Enum):
    """As `grpc.StatusCode` has it: an enumeration whose values are tuples."""

    INVALID_ARGUMENT = (3, "invalid argument")
    NOT_FOUND = (5, "not found")
    UNAVAILABLE = (14, "unavailable")


class GrpcError(Exception):
    def __init__(self, code: object) -> None:
        self._code = code

    def code(self) -> object:
        if isinstance(self._code, Exception):
            raise self._code
        return self._code


class NumberedError(Exception):
    code = 5


def answering(answer: object) -> object:
    def callback(_: int) -> object:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return on_loop(callback)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "",
        b"",
        LookupError("x"),
        KeyError(5),
        IndexError(),
        GrpcError(Code.INVALID_ARGUMENT),
        GrpcError(Code.NOT_FOUND),
    ],
)
async def test_the_ways_to_say_no_such_user(deriver: KeyDeriver, answer: object) -> None:
    service = by_callback(answering(answer), deriver)
    assert await service.by_pid(1234) is None
    assert await service.find_pid(1234) is None


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("x"),
        ConnectionError(),
        TimeoutError(),
        GrpcError(Code.UNAVAILABLE),
        GrpcError(RuntimeError("code() fails")),
        GrpcError(None),
        NumberedError(),
        5,
    ],
)
async def test_any_other_failure_is_an_outage_and_logged(
    deriver: KeyDeriver, answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ServiceUnavailable, match="passwords failed"):
        await by_callback(answering(answer), deriver).by_pid(1234)
    assert "get_nex_password failed for PID 1234" in caplog.text


async def test_callbacks_know_no_names(deriver: KeyDeriver) -> None:
    def never(pid: int) -> str:
        raise AssertionError(pid)

    assert await by_callback(never, deriver).by_user_name("neko") is None


async def test_a_password_of_bytes_is_taken_as_it_is(deriver: KeyDeriver) -> None:
    identity = await by_callback(answering(b"\xff\x00"), deriver).by_pid(1234)
    assert identity is not None
    assert identity.key == await deriver.derive(1234, b"\xff\x00")


async def test_the_first_source_that_knows_the_user_wins(deriver: KeyDeriver) -> None:
    accounts = AccountService(MemoryAccountStore(), deriver)
    await accounts.add("Neko", "local", 1234)
    callback = CallbackSource(lambda pid: f"remote {pid}")
    service = IdentityService(SPECIAL, [AccountSource(accounts), callback], deriver)
    local = await service.by_pid(1234)
    remote = await service.by_pid(1235)
    assert local is not None
    assert remote is not None
    assert (local.name, local.password) == ("Neko", None)
    assert (remote.name, remote.password) == ("1235", "remote 1235")


async def test_finding_somebody_derives_no_key() -> None:
    class Refusing:
        async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
            raise AssertionError

    service = IdentityService(SPECIAL, [CallbackSource(lambda _: "x")], Refusing())
    assert await service.find_user_name("1234") == KnownUser(1234, "1234", password=b"x")
    found = await service.find_user_name("guest")
    assert found is not None
    assert found.pid == 100


async def test_a_source_that_knows_neither_key_nor_password_is_a_mistake(
    deriver: KeyDeriver,
) -> None:
    class Empty:
        async def by_pid(self, pid: int) -> KnownUser | None:
            return KnownUser(pid, str(pid))

        async def by_name(self, name: str) -> KnownUser | None:
            return None

    with pytest.raises(ValueError, match="neither key nor password"):
        await IdentityService(SPECIAL, [Empty()], deriver).by_pid(1234)


def test_nothing_secret_is_shown() -> None:
    texts = [
        repr(GUEST),
        repr(KnownUser(5, "a", b"sekret", b"sekret")),
        repr(Identity(5, "a", b"sekret", "sekret")),
    ]
    assert not any("sekret" in text or "MMQ" in text for text in texts)


@pytest.mark.parametrize(
    "second", [AuthenticationUser(2, "another"), AuthenticationUser(3, "quazal RENDEZ-VOUS")]
)
def test_two_special_users_alike_are_refused(second: AuthenticationUser) -> None:
    with pytest.raises(ValueError, match="two special users"):
        SpecialUsers([SECURE, second])


def test_special_users_can_be_listed() -> None:
    assert list(SPECIAL) == [AUTHENTICATION, SECURE, GUEST]
