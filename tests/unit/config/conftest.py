"""A folder with a configuration file in it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from nekonex.config import Config, load_config

Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that loads a text as `nekonex.toml`, with an environment."""

    def run(text: str, environ: Mapping[str, str] | None = None) -> Config:
        (tmp_path / "nekonex.toml").write_text(text, encoding="utf-8")
        return load_config(environ=environ or {}, folder=tmp_path)

    return run
