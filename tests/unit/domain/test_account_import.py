from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain import (
    AccountService,
    AuthenticationUser,
    ImportProblem,
    ImportReport,
    SpecialUsers,
    import_accounts,
    read_csv,
    read_json,
)
from nekonex.domain.ports import KeyDeriver
from nekonex.storage.memory import MemoryAccountStore

KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture
def service(deriver: KeyDeriver) -> AccountService:
    special = SpecialUsers([AuthenticationUser(100, "guest", "x")])
    return AccountService(MemoryAccountStore(), deriver, special=special, clock=lambda: 5.0)


async def test_a_csv_file(service: AccountService, deriver: KeyDeriver) -> None:
    text = f'1001,Neko,secret\n\n1002, Inu ,,{KEY}\n1003,1003," pass,word"\n1004,,x\n'
    assert await import_accounts(service, read_csv(text)) == ImportReport(added=4)
    neko, inu, spaced, unnamed = [account async for account in service.accounts()]
    assert neko.keys == {kind: await deriver.derive(1001, b"secret", kind) for kind in (0, 1)}
    assert (inu.name, inu.keys) == ("Inu", {0: bytes.fromhex(KEY)})
    assert (spaced.name, unnamed.name) == ("1003", "1004")
    assert spaced.keys[0] == await deriver.derive(1003, b" pass,word", 0)


async def test_a_csv_file_with_a_heading(service: AccountService) -> None:
    text = f"\ufeffPID,Key1,key\r\n1001,{KEY},{KEY.upper()}\r\n"
    assert (await import_accounts(service, read_csv(text))).added == 1
    account = await service.find(1001)
    assert account is not None
    assert account.keys == {0: bytes.fromhex(KEY), 1: bytes.fromhex(KEY)}


async def test_a_json_file(service: AccountService) -> None:
    entries = [{"pid": 1001, "name": "Neko", "password": "x"}, {"pid": "1002", "key": KEY}]
    assert (await import_accounts(service, read_json(json.dumps(entries)))).added == 2
    assert await service.find_by_user_name("neko") is not None
    assert await service.find(1002) is not None


async def test_every_bad_line_is_reported_and_nothing_is_added(service: AccountService) -> None:
    await service.add("Old", "x", 1000)
    lines = {
        "1001,Good,x": None,
        ",NoPid,x": "there is no PID",
        "ten,Ten,x": "'ten' is not a PID",
        "2,Server,x": "the PID 2 belongs to a special user of every server",
        "1000,Again,x": "there is already an account with the PID 1000",
        "1002,OLD,x": "there is already an account with the name 'OLD'",
        "1003,Guest,x": "the name 'Guest' belongs to a special user",
        "1004,Empty,": "there is neither a password nor a key",
        f"1005,Both,x,{KEY}": "there are both a password and a key",
        "1006,BadKey,,0011": "a key is 32 hexadecimal digits",
        "1007,Digits,x,,": None,
        "1008,999,x": "a name of digits only would be taken for a PID",
        "1001,Twice,x": "line 1 has the same PID",
        "1009,good,x": "line 1 has the same name",
        "1010,Extra,x,,,more": "'column 6' is not a field of an account",
    }
    report = await import_accounts(service, read_csv("\n".join(lines)))
    expected = [
        ImportProblem(line, reason)
        for line, reason in enumerate(lines.values(), 1)
        if reason is not None
    ]
    assert report == ImportReport(0, tuple(expected))
    assert await service.count() == 1


async def test_json_entries_of_the_wrong_types(service: AccountService) -> None:
    entries = [
        {"pid": 1001, "password": 5},
        {"pid": True, "password": "x"},
        {"pid": 1003, "name": ["a"], "password": "x"},
        {"pid": 1004, "key": 5},
        {"pid": 1005, "secret": "x"},
        {"pid": 1.5, "password": "x"},
        {"pid": 1 << 80, "password": "x"},
    ]
    report = await import_accounts(service, read_json(json.dumps(entries)))
    assert [problem.line for problem in report.problems] == [1, 2, 3, 4, 5, 6, 7]
    assert await service.count() == 0


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", "null", "[" * 100_000])
def test_what_is_no_json_list_of_objects(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        read_json(text)


def test_what_is_no_csv() -> None:
    with pytest.raises(ValueError, match="line 2 is not CSV"):
        read_csv('1001,a,b\n1002,"open')


@given(st.text(max_size=200))
async def test_any_text_is_records_or_one_clear_error(text: str) -> None:
    class Unused:
        async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
            return bytes(16)

    service = AccountService(MemoryAccountStore(), Unused())
    for read in (read_csv, read_json):
        try:
            records = read(text)
        except ValueError:
            continue
        report = await import_accounts(service, records)
        assert not (report.added and report.problems)
