from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.kerberos import ClientTicket, KerberosError, ServerTicket, encrypt
from nekonex.values import DateTime

KEY = bytes(16)
SESSION = bytes(range(32))
ISSUED = DateTime.make(2024, 2, 29, 12, 30, 45)

sizes = st.sampled_from([16, 32])
pid_sizes = st.sampled_from([4, 8])
versions = st.sampled_from([0, 1])


def test_golden_client_ticket() -> None:
    sealed = ClientTicket(SESSION, 2, b"abc").seal(KEY)
    assert sealed.hex() == (
        "de198b42a7325b3d820f146c5b639c62d70b6db0e4d9fd805d3257293b8b4181aacc7507"
        "6e9fb9c52018c6b3866bcf6183cfa26142ecd7a61b1204"
    )


def test_golden_server_ticket() -> None:
    sealed = ServerTicket(ISSUED, 1234567890, SESSION).seal(KEY, ticket_version=0)
    assert sealed.hex() == (
        "73df33e1bc375d3a5804882e576f906ec31f79a4f8c5e19c4926433d37874d8dbcd963107"
        "586a3de5d67bbd4c4a977a5d19296a54fcdabc13bd6bb05"
    )


@given(st.data(), sizes, pid_sizes, st.binary(max_size=100))
def test_client_tickets_round_trip(
    draw: st.DataObject, size: int, pid_size: int, internal: bytes
) -> None:
    session = draw.draw(st.binary(min_size=size, max_size=size))
    target = draw.draw(st.integers(0, (1 << 8 * pid_size) - 1))
    ticket = ClientTicket(session, target, internal)
    assert ClientTicket.open(ticket.seal(KEY, pid_size), KEY, size, pid_size) == ticket


@given(st.data(), sizes, pid_sizes, versions, st.integers(0, 2**64 - 1))
def test_server_tickets_round_trip(
    draw: st.DataObject, size: int, pid_size: int, version: int, issued: int
) -> None:
    session = draw.draw(st.binary(min_size=size, max_size=size))
    source = draw.draw(st.integers(0, (1 << 8 * pid_size) - 1))
    ticket = ServerTicket(DateTime(issued), source, session)
    sealed = ticket.seal(KEY, ticket_version=version, pid_size=pid_size, random16=bytes(16))
    assert ServerTicket.open(sealed, KEY, version, size, pid_size) == ticket


@given(st.binary(max_size=200), versions, sizes, pid_sizes)
def test_garbage_is_one_kind_of_error(data: bytes, version: int, size: int, pid_size: int) -> None:
    with pytest.raises(KerberosError):
        ServerTicket.open(data, KEY, version, size, pid_size)
    with pytest.raises(KerberosError):
        ClientTicket.open(data, KEY, size, pid_size)


@given(st.binary(max_size=80), sizes, pid_sizes)
def test_sealed_garbage_is_the_same_error_or_a_ticket(
    body: bytes, size: int, pid_size: int
) -> None:
    sealed = encrypt(KEY, body)
    with contextlib.suppress(KerberosError):
        assert len(ServerTicket.open(sealed, KEY, 0, size, pid_size).session_key) == size
    with contextlib.suppress(KerberosError):
        assert len(ClientTicket.open(sealed, KEY, size, pid_size).session_key) == size


@pytest.mark.parametrize("version", [0, 1])
def test_every_cut_of_a_server_ticket_is_refused_and_so_is_a_longer_one(version: int) -> None:
    ticket = ServerTicket(ISSUED, 5, SESSION)
    sealed = ticket.seal(KEY, ticket_version=version, random16=bytes(16))
    for end in range(len(sealed)):
        with pytest.raises(KerberosError):
            ServerTicket.open(sealed[:end], KEY, version)
    with pytest.raises(KerberosError):
        ServerTicket.open(sealed + b"\0", KEY, version)


def test_a_longer_body_is_refused_in_server_tickets_and_ignored_in_client_tickets() -> None:
    server = ISSUED.value.to_bytes(8, "little") + bytes(4) + SESSION
    assert ServerTicket.open(encrypt(KEY, server), KEY, 0).session_key == SESSION
    with pytest.raises(KerberosError, match="1 bytes follow"):
        ServerTicket.open(encrypt(KEY, server + b"\0"), KEY, 0)
    client = SESSION + (2).to_bytes(4, "little") + bytes(4)
    assert ClientTicket.open(encrypt(KEY, client + b"later"), KEY) == ClientTicket(SESSION, 2)


def test_a_buffer_longer_than_the_ticket_is_refused() -> None:
    body = SESSION + (2).to_bytes(4, "little") + (0xFFFFFFFF).to_bytes(4, "little") + b"x"
    with pytest.raises(KerberosError, match="within a field"):
        ClientTicket.open(encrypt(KEY, body), KEY)


def test_the_random_bytes_change_the_ticket_and_not_what_it_says() -> None:
    ticket = ServerTicket(ISSUED, 5, SESSION)
    one = ticket.seal(KEY, random16=b"a" * 16)
    two = ticket.seal(KEY, random16=b"b" * 16)
    assert one[20:] != two[20:]
    assert ServerTicket.open(one, KEY) == ServerTicket.open(two, KEY) == ticket


def test_misuse_is_refused_with_a_sentence() -> None:
    ticket = ServerTicket(ISSUED, 5, SESSION)
    with pytest.raises(ValueError, match="16 random bytes"):
        ticket.seal(KEY)
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        ticket.seal(KEY, ticket_version=2)
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        ServerTicket.open(b"", KEY, 2)
    with pytest.raises(ValueError, match="does not fit 4 bytes"):
        ClientTicket(SESSION, 1 << 32).seal(KEY)
    with pytest.raises(ValueError, match="session key"):
        ClientTicket(bytes(17), 2).seal(KEY)
    with pytest.raises(ValueError, match="no ticket has"):
        ClientTicket.open(bytes(100), KEY, 8)


def test_a_ticket_never_shows_its_key() -> None:
    secret = repr(SESSION)
    assert secret not in repr(ClientTicket(SESSION, 2, SESSION))
    assert secret not in repr(ServerTicket(ISSUED, 5, SESSION))
