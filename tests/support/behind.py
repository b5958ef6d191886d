"""Protocol servers behind a secure server, in memory, and consoles that registered there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from nekonex.nex import SecureConnection
from nekonex.rmc import Servant, Session
from nekonex.settings import Settings
from nekonex.values import RMCError, StationURL
from tests.support.nexlab import Lab, lab
from tests.support.pipe import PipeServer

__all__ = ["Behind", "behind", "refused"]


class Behind:
    """The parts that tests look at."""

    def __init__(self, made: Lab, servants: Sequence[Servant]) -> None:
        self.made = made
        self.clock = made.clock
        self.pipe = PipeServer([made.secure_server, *servants], made.secure.context)

    @contextlib.asynccontextmanager
    async def console(self, pid: int | None, *, register: bool = True) -> AsyncIterator[Session]:
        """Connect a console."""
        async with self.pipe.client(pid=pid) as session:
            if register:
                url = StationURL("prudp", address="192.168.0.10", port=50000)
                await SecureConnection.client(session).register([url])
            yield session


@contextlib.asynccontextmanager
async def behind(
    make: Callable[[Lab], Sequence[Servant]], settings: Settings | None = None
) -> AsyncIterator[Behind]:
    """Serve what ``make`` returns, behind the secure server of a game."""
    async with lab(settings) as made:
        built = Behind(made, make(made))
        try:
            yield built
        finally:
            built.pipe.close()


async def refused(call: Awaitable[object]) -> str:
    """Return the name of the error that a call is answered with; none fails the test."""
    with pytest.raises(RMCError) as caught:
        await call
    return caught.value.name
