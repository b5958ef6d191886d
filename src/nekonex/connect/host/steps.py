"""What is being done to plugins: many things at a time, but only one to each plugin."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from nekonex.connect.host.catalog import Found

__all__ = ["Key", "Step", "Steps"]

Key = Path | str
"""A folder or a greeter."""


class Step:
    """A plugin is being loaded or removed. Made on the event loop."""

    __slots__ = ("found", "keys", "over")

    def __init__(self, keys: frozenset[Key], found: Found | None) -> None:
        self.keys = keys
        """The folders and greeters that nobody else may touch meanwhile."""
        self.found = found
        """What is loaded; None for a removal."""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when it is over."""

    def brings(self, found: Found | None) -> bool:
        """Return whether it loads just this."""
        return (
            self.found is not None
            and found is not None
            and (self.found.folder, self.found.fingerprint) == (found.folder, found.fingerprint)
            and _greeter(self.found) == _greeter(found)
        )


class Steps:
    """The steps that are under way; no two of them have to do with the same folder or greeter."""

    def __init__(self) -> None:
        self._steps: set[Step] = set()

    def begin(self, keys: frozenset[Key], found: Found | None = None) -> Step:
        """Note a step; nothing may be in its way."""
        step = Step(keys, found)
        self._steps.add(step)
        return step

    def end(self, step: Step) -> None:
        """Note that a step is over, whatever came of it."""
        self._steps.discard(step)
        if not step.over.done():
            step.over.set_result(None)

    def in_the_way(self, keys: frozenset[Key]) -> list[Step]:
        """Return the steps that have to be over before one with such keys."""
        return [step for step in self._steps if not step.keys.isdisjoint(keys)]

    def bringing(self, found: Found) -> Step | None:
        """Return the step that loads just this."""
        return next((step for step in self._steps if step.brings(found)), None)

    def outdated(self, wanted: Mapping[str, Found]) -> list[Step]:
        """Return the steps that load what is not wanted any more, or not as it was."""
        return [
            step
            for step in self._steps
            if step.found is not None and not step.brings(wanted.get(_greeter(step.found)))
        ]

    def greeter_for(self, folder: Path) -> str | None:
        """Return the greeter of what is being loaded from a folder."""
        found = [step.found for step in self._steps if step.found is not None]
        return next((_greeter(each) for each in found if each.folder == folder), None)


def _greeter(found: Found) -> str:
    return "" if found.spec is None else found.spec.greeter
