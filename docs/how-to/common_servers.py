"""The servers of nex_protocols_common_py under their names, on nekonex's engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from nintendo.nex import common, settings

from nekonex import compat
from nekonex.compat import (
    AuthenticationUser,
    CommonAuthenticationServer,
    CommonMatchmakeExtensionServer,
    CommonMatchMakingServer,
    CommonMatchMakingServerExt,
    CommonNATTraversalServer,
    CommonSecureConnectionServer,
    secure_key,
)

# --8<-- [start:settings]
NEX_SETTINGS = settings.default()
NEX_SETTINGS.configure("25dbf96a", 30504)
NEX_SETTINGS["prudp.resend_timeout"] = 1.5
NEX_SETTINGS["prudp.resend_limit"] = 3
NEX_SETTINGS["prudp.version"] = 1
NEX_SETTINGS["prudp.max_substream_id"] = 1

SecureServerUser = AuthenticationUser(2, "Quazal Rendez-Vous", "make this password secure")
GuestUser = AuthenticationUser(100, "guest", "MMQea3n!fsik")
# --8<-- [end:settings]

passwords = {1337: "a password", 1338: "another"}  # in place of an account server
friends = {1337: [1338], 1338: [1337]}
is_maintenance = False
session_collection = None  # collections of pymongo; None: nothing is written down
reportdata_collection = None
gatherings_collection = "gatherings"  # or one of pymongo
sequence_collection = None


# --8<-- [start:callbacks]
def example_get_nex_password(pid: int) -> str | None:
    return passwords.get(pid)


def example_auth_callback(auth_user: AuthenticationUser) -> Any:
    print("login of", auth_user.pid)
    if is_maintenance:
        return common.Result.error("Authentication::UnderMaintenance")
    return common.Result.success()


async def example_get_friend_pids_func(pid: int) -> list[int]:
    return friends.get(pid, [])


# --8<-- [end:callbacks]


# --8<-- [start:serve]
@contextlib.asynccontextmanager
async def running(host: str, auth_port: int, secure_port: int) -> AsyncIterator[tuple[str, int]]:
    secure = CommonSecureConnectionServer(
        NEX_SETTINGS,
        sessions_db=session_collection,
        reportdata_db=reportdata_collection,
    )
    extension = CommonMatchmakeExtensionServer(
        NEX_SETTINGS,
        gatherings_db=gatherings_collection,
        sequence_db=sequence_collection,
        get_friend_pids_func=example_get_friend_pids_func,
        secure_connection_server=secure,
    )
    matchmaking_ext = CommonMatchMakingServerExt(
        NEX_SETTINGS, gatherings_db=gatherings_collection, sequence_db=sequence_collection
    )
    nat_traversal = CommonNATTraversalServer(
        NEX_SETTINGS, sessions_db=session_collection, secure_connection_server=secure
    )
    matchmaking = CommonMatchMakingServer(
        NEX_SETTINGS,
        gatherings_db=gatherings_collection,
        sessions_db=session_collection,
        sequence_db=sequence_collection,
    )
    servers = [secure, nat_traversal, matchmaking, matchmaking_ext, extension]
    key = secure_key(SecureServerUser, NEX_SETTINGS)
    async with compat.serve(NEX_SETTINGS, servers, host, secure_port, key=key) as second:
        authentication = CommonAuthenticationServer(
            NEX_SETTINGS,
            secure_host=host,
            secure_port=second.address[1],
            build_string="nekonex",
            special_users=[SecureServerUser, GuestUser],
            get_nex_password_func=example_get_nex_password,
            auth_callback=example_auth_callback,
        )
        async with compat.serve(NEX_SETTINGS, [authentication], host, auth_port) as first:
            yield first.address


# --8<-- [end:serve]


async def main() -> None:
    async with running("127.0.0.1", 1223, 1224) as address:
        print("consoles log in at", *address)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
