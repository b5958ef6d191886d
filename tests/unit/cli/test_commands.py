"""The commands that need no running server."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nekonex import __version__
from nekonex.config import load_config
from nekonex.games.profiles import slugs
from tests.support.certificates import write_certificate

Run = Callable[..., tuple[int, str, str]]


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"nekonex {__version__}\n", "")


def test_the_package_can_be_run() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "nekonex", "--version"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, f"nekonex {__version__}\n")


def test_without_a_command_the_help_is_printed(run: Run) -> None:
    status, out, err = run()
    assert (status, err) == (0, "")
    assert "titles" in out
    assert "init" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nope"], "no such command 'nope' (nekonex --help tells more)"),
        (["--nope"], "no such option: --nope"),
        (["titles"], "missing command; one of: list, search, show (nekonex titles --help"),
        (["config"], "missing command; one of: check"),
        (["titles", "show"], "missing argument 'SLUG' (nekonex titles show --help tells more)"),
        (["titles", "list", "x"], "unexpected extra argument"),
        (["config", "check", "--config"], "requires an argument"),
        (["config", "check", "--config", "nope.toml"], "nope.toml: there is no such file"),
        (["titles", "show", "mario-cart-8"], "no title profile 'mario-cart-8'; did you mean mario"),
        (["demo", "--picture", "no/such.svg"], "nekonex: no is no folder"),
        (["init", "--title", "qqqq"], "no title profile 'qqqq'; nekonex titles list shows all"),
    ],
)
def test_bad_use_is_one_sentence_and_status_2(
    run: Run, arguments: list[str], sentence: str
) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("nekonex: ")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ["init"],
        ["titles", "list"],
        ["titles", "search"],
        ["titles", "show"],
        ["config", "check"],
    ],
)
def test_every_command_has_help_and_takes_a_configuration(run: Run, command: list[str]) -> None:
    status, out, err = run(*command, "--help")
    assert (status, err) == (0, "")
    assert "--config FILE" in out


def test_titles_list(run: Run) -> None:
    status, out, _ = run("titles", "list")
    lines = out.splitlines()
    assert status == 0
    assert len(lines) == len(slugs()) + 1
    assert not any(line.endswith(" ") for line in lines)
    status, out, _ = run("titles", "list", "--json")
    assert [entry["slug"] for entry in json.loads(out)] == list(slugs())


def test_titles_search(run: Run) -> None:
    status, out, _ = run("titles", "search", "mario", "kart")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "name",
        "mario-kart-7",
        "mario-kart-8",
    ]
    status, out, err = run("titles", "search", "qqqq")
    assert (status, out, err) == (1, "", "nekonex: no title matches 'qqqq'\n")
    assert run("titles", "search", "qqqq", "--json")[:2] == (0, "[]\n")


def test_titles_show(run: Run) -> None:
    status, out, _ = run("titles", "show", "mario-kart-8")
    assert status == 0
    for text in ("25dbf96a", "3.5.4", "prudp.max_substream_id", "kinnay", "nekonex init --title"):
        assert text in out
    _, out, _ = run("titles", "show", "smash-3ds")
    assert "not known for certain" in out
    assert "in no public source" in out
    _, out, _ = run("titles", "show", "bayonetta-2", "--json")
    shown = json.loads(out)
    assert shown["force"] == {"criteria": {"attributes": {"1": "0"}}}
    assert shown["access_key"] == "fd40a3cc"


def test_init_writes_a_file_that_loads_and_never_over_one(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "nekonex.toml"
    status, out, _ = run("init", "--title", "mario-kart-7")
    assert (status, out) == (0, "wrote nekonex.toml\n")
    assert load_config(environ={}, folder=tmp_path).games[0].title == "mario-kart-7"
    status, _, err = run("init")
    assert (status, err) == (2, "nekonex: nekonex.toml exists; --force writes over it\n")
    assert "mario-kart-7" in target.read_text()
    assert run("init", "--force")[0] == 0
    assert "mario-kart-7" not in target.read_text()


def test_init_takes_a_path_a_folder_or_the_option(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert run("init", "new/file.toml")[0] == 0
    assert run("init", "folder")[0] == 0
    assert run("init", "--config", "option.toml")[0] == 0
    for name in ("new/file.toml", "folder/nekonex.toml", "option.toml"):
        assert (tmp_path / name).is_file()


def test_init_says_when_a_key_has_to_be_filled_in(run: Run) -> None:
    status, out, _ = run("init", "--title", "smash-3ds")
    assert status == 0
    assert "set access_key in it" in out


def test_init_where_nothing_can_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, _, err = run("init", "file/nekonex.toml")
    assert status == 1
    assert "cannot be written" in err


def test_config_check_shows_what_would_be_served(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, err = run("config", "check")
    assert (status, err) == (0, "")
    assert "built in" in out
    assert "127.0.0.1:1223" in out
    (tmp_path / "nekonex.toml").write_text(
        '[http]\nenabled = false\n[storage]\ndocuments = "mongodb://me:hush@db"\n'
        '[[game]]\ntitle = "ssf4-3d"\n'
    )
    monkeypatch.setenv("NEKONEX_GAME__SSF4_3D__AUTH_PORT", "0")
    status, out, err = run("config", "check")
    assert (status, err) == (0, "")
    for text in (
        str(tmp_path / "nekonex.toml"),
        "NEKONEX_GAME__SSF4_3D__AUTH_PORT",
        "127.0.0.1:any free port",
        "mongodb, sqlite, local",
        "warning: game ssf4-3d",
        "The configuration is good.",
    ):
        assert text in out
    assert "hush" not in out


def test_config_check_looks_at_the_certificate_too(run: Run, tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    (tmp_path / "nekonex.toml").write_text(
        f'[connect.tls]\ncert = "{cert}"\nkey = "{key}"\n[[game]]\ntitle = "mario-kart-8"\n'
    )
    status, out, err = run("config", "check")
    assert (status, err) == (0, "")
    assert "127.0.0.1:10390, TLS" in out
    assert str(tmp_path / "plugins") in out
    key.unlink()
    status, out, err = run("config", "check")
    assert (status, out) == (2, "")
    assert "connect.tls.key is " in err


def test_config_check_of_a_wrong_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[http]\nprot = 1\n")
    status, out, err = run("config", "check", "--config", "bad.toml")
    assert (status, out) == (2, "")
    assert err == (
        f"nekonex: {tmp_path / 'bad.toml'}: unknown key http.prot; did you mean http.port?\n"
    )


def test_config_check_looks_for_the_classes_too(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "nekonex.toml"
    file.write_text(
        '[[game]]\nname = "mine"\ntitle = "mario-kart-8"\nserver = "no_such_module:Game"\n'
    )
    status, out, err = run("config", "check", "--config", str(file))
    assert (status, out) == (2, "")
    assert "there is no module no_such_module" in err
