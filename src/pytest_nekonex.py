"""pytest's plugin of nekonex: the fixture `nekonex_plugin`.

It is a module of its own, beside the package, and imports nothing of it until a test asks for the
fixture: pytest loads it in every run of the environment that it is installed in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nekonex.testing import PluginRunner, RunningPlugin

__all__ = ["nekonex_plugin"]


@pytest.fixture
def nekonex_plugin() -> PluginRunner:
    """Return what runs a NekoConnect plugin in a real server: `nekonex.testing.running_plugin`.

    def test_it_answers(nekonex_plugin):
        with nekonex_plugin(Path(__file__).parent) as plugin:
            assert plugin.client().request(b"neko", op=1).data == b"Hello neko!"
    """
    from nekonex.testing import PluginTestError, running_plugin  # noqa: PLC0415

    @contextlib.contextmanager
    def run(folder: Path | str, **options: Any) -> Iterator[RunningPlugin]:
        try:
            with running_plugin(folder, **options) as plugin:
                yield plugin
        except PluginTestError as error:
            # From None, or pytest shows the text twice: as the cause of itself.
            raise pytest.fail.Exception(str(error), pytrace=False) from None

    return run
