"""Tickets, keys and sealing against NintendoClients, in both directions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nekonex.kerberos import (
    ClientTicket,
    KerberosError,
    ServerTicket,
    decrypt,
    derive_key,
    encrypt,
)
from nekonex.values import DateTime

common = pytest.importorskip("nintendo.nex.common")
kerberos = pytest.importorskip("nintendo.nex.kerberos")
settings = pytest.importorskip("nintendo.nex.settings")

keys = st.one_of(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
user_keys = st.binary(min_size=16, max_size=16)
pid_sizes = st.sampled_from([4, 8])
versions = st.sampled_from([0, 1])


def configured(session_key: bytes, pid_size: int, version: int = 1) -> Any:
    result = settings.default()
    result["kerberos.key_size"] = len(session_key)
    result["kerberos.ticket_version"] = version
    result["nex.pid_size"] = pid_size
    return result


@hypothesis_settings(max_examples=5)
@given(st.binary(max_size=64), st.integers(0, 2**32 - 1))
def test_old_derivation(password: bytes, pid: int) -> None:
    assert derive_key(password, pid) == kerberos.KeyDerivationOld().derive_key(password, pid)


@given(st.binary(max_size=64), st.integers(0, 2**64 - 1))
def test_new_derivation(password: bytes, pid: int) -> None:
    assert derive_key(password, pid, 1) == kerberos.KeyDerivationNew().derive_key(password, pid)


@given(keys, st.binary(max_size=300))
def test_sealing(key: bytes, data: bytes) -> None:
    theirs = kerberos.KerberosEncryption(key)
    assert encrypt(key, data) == theirs.encrypt(data)
    assert decrypt(key, theirs.encrypt(data)) == data


@given(keys, user_keys, st.integers(0, 2**32 - 1), pid_sizes, st.binary(max_size=200))
def test_client_tickets(
    session_key: bytes, key: bytes, target: int, pid_size: int, internal: bytes
) -> None:
    theirs = kerberos.ClientTicket()
    theirs.session_key, theirs.target, theirs.internal = session_key, target, internal
    config = configured(session_key, pid_size)
    ours = ClientTicket(session_key, target, internal)
    sealed = ours.seal(key, pid_size)
    assert sealed == theirs.encrypt(key, config)
    assert ClientTicket.open(sealed, key, len(session_key), pid_size) == ours
    read = kerberos.ClientTicket.decrypt(sealed, key, config)
    assert (read.session_key, read.target, read.internal) == (session_key, target, internal)


@given(keys, user_keys, st.integers(0, 2**32 - 1), pid_sizes, versions, st.data())
def test_server_tickets(
    session_key: bytes, key: bytes, source: int, pid_size: int, version: int, data: st.DataObject
) -> None:
    issued = data.draw(st.integers(0, 2**64 - 1))
    random16 = data.draw(st.binary(min_size=16, max_size=16))
    config = configured(session_key, pid_size, version)
    ours = ServerTicket(DateTime(issued), source, session_key)

    sealed = ours.seal(key, ticket_version=version, pid_size=pid_size, random16=random16)
    read = kerberos.ServerTicket.decrypt(sealed, key, config)
    assert (read.timestamp.value(), read.source, read.session_key) == (issued, source, session_key)

    theirs = kerberos.ServerTicket()
    theirs.timestamp, theirs.source = common.DateTime(issued), source
    theirs.session_key = session_key
    sealed = theirs.encrypt(key, config)
    assert ServerTicket.open(sealed, key, version, len(session_key), pid_size) == ours


@given(user_keys, st.binary(max_size=120))
def test_both_refuse_the_same_seals(key: bytes, data: bytes) -> None:
    with pytest.raises(KerberosError):
        decrypt(key, data)
    with pytest.raises(ValueError, match="checksum"):
        kerberos.KerberosEncryption(key).decrypt(data)
