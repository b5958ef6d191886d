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

passwords = {1337: "a password"}  # in place of an account server
is_maintenance = False
session_collection = None  # collections of pymongo; None: nothing is written down
reportdata_collection = None


# --8<-- [start:callbacks]
def example_get_nex_password(pid: int) -> str | None:
    return passwords.get(pid)


def example_auth_callback(auth_user: AuthenticationUser) -> Any:
    print("login of", auth_user.pid)
    if is_maintenance:
        return common.Result.error("Authentication::UnderMaintenance")
    return common.Result.success()


# --8<-- [end:callbacks]


# --8<-- [start:serve]
@contextlib.asynccontextmanager
async def running(host: str, auth_port: int, secure_port: int) -> AsyncIterator[tuple[str, int]]:
    secure = CommonSecureConnectionServer(
        NEX_SETTINGS,
        sessions_db=session_collection,
        reportdata_db=reportdata_collection,
    )
    key = secure_key(SecureServerUser, NEX_SETTINGS)
    async with compat.serve(NEX_SETTINGS, [secure], host, secure_port, key=key) as second:
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
