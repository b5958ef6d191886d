"""What a chapter has to play with, and how its steps are told and counted."""

import asyncio
import contextlib
import inspect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console as Terminal
from rich.text import Text

from nekonex.app import HostedGame, Server
from nekonex.demo.clients import Console, error_name
from nekonex.demo.talk import Talk
from nekonex.nex.backend import GUEST_PASSWORD

__all__ = ["GUEST", "Stage", "Step", "StepFailedError", "eventually"]

GUEST: Final = ("guest", GUEST_PASSWORD)

WAIT_SECONDS: Final = 5.0
"""How long something that is about to happen is waited for."""
LOOK_SECONDS: Final = 0.01


class StepFailedError(Exception):
    """Something else happened than was expected; the text says what."""


@dataclass(slots=True)
class Step:
    """One thing that is tried: what should happen, and what did."""

    chapter: str
    title: str
    expectation: str
    seen: str = ""
    passed: bool = False
    seconds: float = 0.0

    def saw(self, text: str) -> None:
        """Say what happened."""
        self.seen = text

    def expect(self, fulfilled: object, otherwise: str) -> None:
        """Fail the step unless something is true."""
        if not fulfilled:
            raise StepFailedError(otherwise)

    @contextlib.contextmanager
    def refusal(self, name: str) -> Iterator[None]:
        """Expect that what is done meanwhile is refused, with this error or reason."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            found = error_name(error)
            self.expect(name in found, f"{found} instead of {name}")
            self.saw(found)
        else:
            raise StepFailedError(f"it was let through instead of {name}")


async def eventually(condition: Callable[[], object], within: float = WAIT_SECONDS) -> bool:
    """Wait until something is true, and return whether it came true in time.

    A condition may be a coroutine function.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while not await _value_of(condition):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECONDS)
            return True
    return False


async def _value_of(condition: Callable[[], object]) -> object:
    value = condition()
    return await value if inspect.isawaitable(value) else value


@dataclass(slots=True)
class Stage:
    """A running server, consoles for it, and the terminal that the story is told on."""

    server: Server
    terminal: Terminal
    steps: list[Step] = field(default_factory=list)
    chapter: str = ""
    talk: Talk | None = None
    """What goes on in the chat meanwhile."""
    closing: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    """What is done when the last chapter is over."""

    @property
    def kart(self) -> HostedGame:
        """Mario Kart 8."""
        return self.server.game("mario-kart-8")

    @property
    def squid(self) -> HostedGame:
        """Splatoon."""
        return self.server.game("splatoon")

    def guest(self, game: HostedGame) -> Console:
        """Return a console without an account."""
        return Console(*GUEST, game)

    async def console(self, name: str, game: HostedGame | None = None) -> Console:
        """Return a console with an account of its own, which is made if there is none."""
        password = f"{name}'s secret"
        if await self.server.accounts.find_by_user_name(name) is None:
            await self.server.accounts.add(name, password)
        return Console(name, password, game or self.kart)

    async def pid_of(self, console: Console) -> int:
        """Return the number of the account that a console has."""
        account = await self.server.accounts.find_by_user_name(console.name)
        if account is None:
            raise StepFailedError(f"there is no account {console.name!r}")
        return account.pid

    async def rooms(self, game: HostedGame | None = None) -> int:
        """Return how many sessions are open in a game."""
        return await (game or self.kart).matchmaking.gatherings.live.count()

    async def deserted(self, game: HostedGame | None = None) -> bool:
        """Wait until nobody is online in a game and no session is open; False if it takes long."""
        game = game or self.kart
        if not await eventually(lambda: not game.players.count):
            return False

        async def closed() -> bool:
            return not await self.rooms(game)

        return await eventually(closed)

    @contextlib.contextmanager
    def step(self, title: str, expectation: str) -> Iterator[Step]:
        """Try one thing. A chapter goes on after a step that failed."""
        step = Step(self.chapter, title, expectation)
        self.steps.append(step)
        start = time.perf_counter()
        try:
            yield step
            step.passed = True
        except asyncio.CancelledError:
            step.saw("it was broken off")
            raise
        except Exception as error:  # noqa: BLE001
            step.saw(str(error) if isinstance(error, StepFailedError) else error_name(error))
        finally:
            step.seconds = time.perf_counter() - start
            self._tell(step)

    def _tell(self, step: Step) -> None:
        mark = ("  ✓ ", "green") if step.passed else ("  ✗ ", "bold red")
        line = Text.assemble(
            mark,
            (step.title, "default" if step.passed else "bold red"),
            (f"  {step.seen}", "cyan" if step.passed else "red"),
        )
        self.terminal.print(line)
        if not step.passed:
            self.terminal.print(Text(f"    expected: {step.expectation}", style="red"))
