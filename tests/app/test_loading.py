"""From `server = "package.module:Class"` to the class."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nekonex.app import load_game
from nekonex.config import Config, ConfigError, load_config
from nekonex.game import Game


@pytest.fixture(autouse=True)
def _own_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("my_game", "broken_game"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def configured(folder: Path, server: str, **environ: str) -> Config:
    file = folder / "nekonex.toml"
    file.write_text(f'[[game]]\nname = "x"\ntitle = "splatoon"\nserver = "{server}"\n')
    return load_config(file, environ=environ)


def load(config: Config) -> Game:
    return load_game(config, config.games[0])


def test_the_common_game_is_the_base_class(tmp_path: Path) -> None:
    assert type(load(configured(tmp_path, "common"))) is Game


def test_a_module_beside_the_configuration_is_found(tmp_path: Path) -> None:
    (tmp_path / "my_game.py").write_text("import nekonex\nclass Mine(nekonex.Game): pass\n")
    game = load(configured(tmp_path, "my_game:Mine"))
    assert isinstance(game, Game)
    assert type(game).__name__ == "Mine"
    sys.modules.pop("my_game")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import no_such_thing\n", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("def broken(:\n", "SyntaxError"),
        ("class Mine: pass\n", "not a subclass of nekonex.Game in broken_game; there it has none"),
        (
            "import nekonex\nclass Yours(nekonex.Game): pass\n",
            "not a subclass of nekonex.Game in broken_game; there it has Yours",
        ),
        (
            "import nekonex\nclass Mine(nekonex.Game):\n    def __init__(self): open('no\\nne')\n",
            "which cannot be made: FileNotFoundError: [Errno 2] No such file",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, source: str, told: str) -> None:
    (tmp_path / "broken_game.py").write_text(source)
    config = configured(tmp_path, "broken_game:Mine")
    with pytest.raises(ConfigError) as caught:
        load(config)
    text = str(caught.value)
    assert text.startswith(f'{config.file}: game.x.server is "broken_game:Mine"')
    assert told in text
    assert "\n" not in text


def test_the_variable_that_names_a_class_is_named(tmp_path: Path) -> None:
    config = configured(tmp_path, "common", NEKONEX_GAME__X__SERVER="no_such_package.module:Class")
    with pytest.raises(
        ConfigError,
        match=r"^environment variable NEKONEX_GAME__X__SERVER: game\.x\.server is .*, "
        r"but there is no module no_such_package$",
    ):
        load(config)
