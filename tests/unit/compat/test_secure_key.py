"""The key of the secure server, as both servers of a game have it from its special user."""

from __future__ import annotations

import pytest

from nekonex.compat import AuthenticationUser, secure_key
from nekonex.domain import IdentityService, SpecialUsers
from nekonex.kerberos import derive_key


class _Deriver:
    async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
        return derive_key(password, pid, derivation)


@pytest.mark.parametrize(
    "user",
    [
        AuthenticationUser(2, "Quazal Rendez-Vous", "a password"),
        AuthenticationUser(2, "Quazal Rendez-Vous", key=bytes(range(16))),
    ],
    ids=["password", "key"],
)
async def test_both_servers_have_the_same_key(user: AuthenticationUser) -> None:
    identities = IdentityService(SpecialUsers([user]), [], _Deriver())
    identity = await identities.by_pid(2)
    assert identity is not None
    assert secure_key(user) == identity.key
