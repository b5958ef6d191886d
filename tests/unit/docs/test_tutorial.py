"""The programs of the pages do what the pages say, and their configurations are good."""

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from nekonex.config import load_config, render_starter
from nekonex.domain.ranking import ScoreUpload
from nekonex.games.schema import GameIdentity
from nekonex.kerberos import TokenError
from nekonex.testing import PluginRunner, running_server
from tests.support.plugin_folders import make_plugin

DOCS = Path(__file__).parents[3] / "docs"
README = DOCS.parent / "README.md"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_block(page: str, after: str = "```text\n") -> str:
    return (DOCS / page).read_text(encoding="utf-8").split(after)[1].split("```")[0]


@pytest.fixture
def dice_game() -> Iterator[Path]:
    folder = DOCS / "tutorial" / "dice-game"
    before = list(sys.path)
    yield folder
    sys.path[:] = before
    sys.modules.pop("dice_game", None)


async def test_the_guestbook_prints_what_its_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    await load(DOCS / "tutorial" / "guestbook.py").main()

    assert text_block("tutorial/own-protocol.md") == capsys.readouterr().out


async def test_a_player_of_the_dice_game_hears_of_the_new_best(
    dice_game: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dice_game.py").write_text((dice_game / "dice_game.py").read_text())
    config = re.sub(r"(_port = )\d+", r"\g<1>0", (dice_game / "nekonex.toml").read_text())
    async with running_server(config, folder=tmp_path) as server:
        player = load(dice_game / "dice_player.py")
        await player.main(*server.game("dice").auth.address)
        printed = capsys.readouterr().out
    best, rolled, table = printed.splitlines()
    total = sum(map(int, re.findall(r"\d+", rolled)))
    assert best == f"new best: 100 with {total}"
    assert table == f"[Score(pid=100, total={total})]"
    shown = text_block("tutorial/your-game.md", "$ python dice_player.py\n")
    assert re.sub(r"\d+", "#", printed) == re.sub(r"\d+", "#", shown)


async def test_the_player_of_the_first_server_is_online(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = (DOCS / "tutorial" / "first-server.toml").read_text(encoding="utf-8")
    config = re.sub(r"(port = )\d+", r"\g<1>0", config).replace("0.0.0.0", "127.0.0.1")
    player = load(DOCS / "tutorial" / "player.py")
    async with running_server(config) as server:
        await server.accounts.add("neko", "the password")
        online: list[int] = []
        game = server.game("mario-kart-8")
        monkeypatch.setattr(
            "builtins.input", lambda: online.extend(each.pid for each in game.players)
        )
        await player.main("neko", "the password", *game.auth.address)
    assert online == [1_000_000_000]
    assert text_block("tutorial/first-server.md", "$ python player.py\n") == capsys.readouterr().out


async def test_accounts_of_ones_own_work_as_their_page_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    await load(DOCS / "how-to" / "own_accounts.py").main()

    shown = text_block("how-to/own-accounts.md", "$ python docs/how-to/own_accounts.py\n")
    assert shown == capsys.readouterr().out


async def test_the_verifier_of_the_token_game_tells_tokens_apart() -> None:
    module = load(DOCS / "how-to" / "token_game.py")
    assert await module.is_good("a token", 1337)
    assert not await module.is_good("a token", 1)
    with pytest.raises(TokenError):
        await module.is_good("an old token", 1338)
    assert module.TokenGame().token_verifier(None) is not None


def test_the_table_of_tokens_is_what_the_rules_say() -> None:
    page = (DOCS / "how-to" / "tokens.md").read_text(encoding="utf-8")
    rows = page.split("| `Login` | `LoginEx` |")[1].split("\n\n")[0].splitlines()[2:]
    assert len(rows) == 5
    for row in rows:
        asked, *told = (cell.strip() for cell in row.strip("|").split("|"))
        keys = tomllib.loads("\n".join(re.findall(r"`(\w+ = \w+)`", asked)))
        rules = GameIdentity(**keys).login_rules(can_verify="without" not in asked)
        accepted = {True: "accepted", False: "refused"}
        assert told[0] == accepted[rules.login_without_token], row
        assert told[2] == accepted[rules.register_without_token], row


def test_the_first_configuration_is_what_init_writes() -> None:
    shown = (DOCS / "tutorial" / "first-server.toml").read_text(encoding="utf-8")
    assert shown == render_starter("mario-kart-8")


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.toml")), ids=lambda path: path.name)
def test_every_configuration_file_is_good(path: Path) -> None:
    assert load_config(path, environ={}).games


def _blocks() -> dict[str, str]:
    found = {}
    for page in [README, *sorted(DOCS.rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)):
            if "--8<--" not in block:
                found[f"{page.name}-{number}"] = block
    return found


BLOCKS = _blocks()


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_configuration_in_a_page_is_good(name: str, tmp_path: Path) -> None:
    block = BLOCKS[name]
    if "[[game]]" not in block:
        block = f'[[game]]\ntitle = "mario-kart-8"\n{block}'
    file = tmp_path / "nekonex.toml"
    file.write_text(block, encoding="utf-8")
    assert load_config(file, environ={}).games


def programs_of_the_readme() -> list[str]:
    text = README.read_text(encoding="utf-8")
    programs: list[str] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return programs


async def test_the_program_of_the_readme_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program, _ = programs_of_the_readme()
    file = tmp_path / "dice.py"
    file.write_text(program.replace("asyncio.run(main())", ""), encoding="utf-8")
    module = load(file)
    await module.main()
    assert capsys.readouterr().out == "[5, 6]\n"


def test_the_plugin_of_the_readme_applauds(tmp_path: Path, nekonex_plugin: PluginRunner) -> None:
    _, program = programs_of_the_readme()
    config = '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\n'
    with nekonex_plugin(make_plugin(tmp_path / "applause", program), config=config) as plugin:
        client = plugin.client()
        assert client.request().data == b"you will hear of every score"
        rankings = plugin.server.game("kart").services.rankings
        plugin.run(rankings.upload(1234, ScoreUpload(category=1, score=99, descending=True)))
        assert client.recv().data == b"1234 has 99 points!"
