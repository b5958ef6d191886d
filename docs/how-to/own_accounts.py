"""A game whose accounts are somewhere else, as docs/how-to/own-accounts.md tells."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

from nekonex import Protocol, Result, RMCError, StationURL, serve, settings
from nekonex.domain import (
    AuthenticationUser,
    CallbackSource,
    IdentityService,
    PlayerRegistry,
    SpecialUsers,
)
from nekonex.events import EventBus
from nekonex.kerberos import WorkerKeyDeriver
from nekonex.nex import (
    AuthenticationServer,
    MatchmakeExtension,
    MatchmakeExtensionServer,
    MatchMakingExtServer,
    MatchMakingServer,
    NATTraversalServer,
    SecureConnection,
    SecureConnectionServer,
    backend,
)
from nekonex.nex.structures import MatchmakeSession
from nekonex.storage import memory_matchmaking

PASSWORDS = {1337: "a password", 1338: "another"}  # in place of a database
BANNED = {1338}

GAME = settings.default()
GAME.configure("25dbf96a", 30504)


# --8<-- [start:callbacks]
def get_nex_password(pid: int) -> str | None:
    return PASSWORDS.get(pid)


async def auth_callback(user: AuthenticationUser) -> Result | None:
    if user.pid in BANNED:
        return Result.error("RendezVous::AccountDisabled")
    return None


# --8<-- [end:callbacks]


# --8<-- [start:matchmaking]
def matchmaking_servers(secure: SecureConnectionServer, events: EventBus) -> list[Protocol]:
    matchmaking = memory_matchmaking(secure.players, events=events)
    return [
        MatchMakingServer(GAME, matchmaking=matchmaking, secure=secure),
        MatchMakingExtServer(GAME, matchmaking=matchmaking, secure=secure),
        MatchmakeExtensionServer(GAME, matchmaking=matchmaking, secure=secure),
        NATTraversalServer(
            GAME,
            secure=secure,
            neighbours=matchmaking.gatherings,
            unreachable=matchmaking.unreachable,
        ),
    ]


# --8<-- [end:matchmaking]


# --8<-- [start:servers]
@contextlib.asynccontextmanager
async def running(
    host: str, auth_port: int, secure_port: int, external_address: str
) -> AsyncIterator[tuple[str, int]]:
    events = EventBus()
    secure_user = AuthenticationUser(2, "Quazal Rendez-Vous", secrets.token_hex(32))
    async with WorkerKeyDeriver() as deriver:
        identities = IdentityService(
            SpecialUsers([secure_user]), [CallbackSource(get_nex_password)], deriver
        )
        key = await deriver.derive(secure_user.pid, secure_user.password.encode())
        secure = SecureConnectionServer(GAME, players=PlayerRegistry("my-game", events))
        servers = [secure, *matchmaking_servers(secure, events)]
        async with serve(GAME, servers, host, secure_port, key=key) as second:
            station = StationURL(
                "prudps",
                address=external_address,
                port=second.address[1],
                CID=1,
                PID=secure_user.pid,
                sid=1,
                stream=10,
                type=2,
            )
            auth = AuthenticationServer(
                GAME,
                identities=identities,
                secure_station=station,
                auth_callback=auth_callback,
                events=events,
            )
            async with serve(GAME, [auth], host, auth_port) as first:
                yield first.address


# --8<-- [end:servers]


# --8<-- [start:main]
async def main() -> None:
    async with running("127.0.0.1", 0, 0, external_address="127.0.0.1") as address:
        async with backend.login(GAME, *address, "1337", "a password") as session:
            local = StationURL(address="192.168.1.2", port=50000, sid=15, type=0)
            reply = await SecureConnection.client(session).register([local])
            print("1337:", reply.result.name)
            room = await MatchmakeExtension.client(session).auto_matchmake_postpone(
                MatchmakeSession(max_participants=4), "hello"
            )
            print("1337:", room.num_participants, "of", room.max_participants)
        try:
            async with backend.login(GAME, *address, "1338", "another"):
                pass
        except RMCError as error:
            print("1338:", error.name)


# --8<-- [end:main]


if __name__ == "__main__":
    asyncio.run(main())
