"""`nekonex dev`: what it has the server do, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nekonex.app import StartError
from nekonex.cli import _serving, dev
from nekonex.connect.host import PluginStatus
from tests.support.commands import Commands
from tests.support.plugin_folders import make_plugin


class Served:
    """Stands in for the server: notes how it was started, and is ready at once."""

    def __init__(self, *plugins: PluginStatus, address: tuple[str, int] = ("127.0.0.1", 1)) -> None:
        self.connect: Any = SimpleNamespace(address=address, plugins=lambda: list(plugins))
        self.started: list[dict[str, Any]] = []
        self.logging: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def __call__(
        self, config: Any, ready: Any, *, on_ready: Callable[[Any], object], **how: Any
    ) -> None:
        self.started.append({"data_dir": config.server.data_dir, **how})
        on_ready(self)

    def configure_logging(self, *how: str, in_full: tuple[str, ...]) -> None:
        self.logging.append((how, in_full))


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Served]:
    def install(*plugins: PluginStatus, **how: Any) -> Served:
        served = Served(*plugins, **how)
        monkeypatch.setattr(_serving, "serve_until_stopped", served)
        monkeypatch.setattr(dev, "configure_logging", served.configure_logging)
        return served

    return install


Serve = Callable[..., Served]


def status(greeter: str, state: Any = "running", reason: str = "") -> PluginStatus:
    return PluginStatus(greeter, greeter.title(), "1.0", Path("/p", greeter), state, reason, 0)


def test_the_plugin_of_this_folder_is_run(run: Commands, serve: Serve) -> None:
    served = serve(status("echo"))
    make_plugin(run.folder)
    out = run("dev")
    assert served.started == [
        {
            "data_dir": run.folder / ".nekonex" / "data",
            "plugin_folders": [Path()],
            "watch": True,
        }
    ]
    assert served.logging == [(("info", "text"), ("nekonex.connect", "nekonex.plugin"))]
    assert out.splitlines() == [
        "NekoConnect is at 127.0.0.1:1.",
        "Its password: nekonex connect --show-password",
        "",
        "greeter  name  version  state    folder",
        "echo     Echo  1.0      running  /p/echo",
        "",
        "To talk to one: nekonex connect 127.0.0.1:1 echo",
    ]


def test_how_to_talk_to_one_by_tls(run: Commands, serve: Serve) -> None:
    serve(status("echo"))
    make_plugin(run.folder)
    text = '[connect.tls]\ncert = "my cert.pem"\nkey = "key.pem"\n'
    (run.folder / "nekonex.toml").write_text(text + "[[game]]\ntitle = 'mario-kart-8'\n")
    out = run("dev")
    assert "NekoConnect is at 127.0.0.1:1, with TLS.\n" in out
    cert = run.folder / "my cert.pem"
    assert out.endswith(f"nekonex connect 127.0.0.1:1 echo --ca '{cert}'\n")


def test_plugins_of_other_folders(run: Commands, serve: Serve) -> None:
    served = serve(
        status("two words"), status("bad", "failed", "p/bad/logic.py:1: no\nclass Logic")
    )
    (run.folder / "my.toml").write_text('[server]\nlog_level = "warning"\n')
    for name in ("one", "two"):
        make_plugin(run.folder / name)
    out = run("dev", "one", "two", "--config", "my.toml", "--log-format", "json")
    (how,) = served.started
    assert how["plugin_folders"] == [Path("one"), Path("two")]
    assert how["data_dir"] == run.folder / "data"
    assert served.logging[0][0] == ("warning", "json")
    assert "p/bad/logic.py:1: no\\nclass Logic" in out
    assert out.endswith("nekonex connect 127.0.0.1:1 'two words' --config my.toml\n")


def test_without_any_plugin_it_says_how_to_make_one(run: Commands, serve: Serve) -> None:
    served = serve(address=("0.0.0.0", 10390))
    (run.folder / "nekonex.toml").write_text("[connect]\nallow_open = true\n")
    out = run("dev", "--log-level", "debug")
    assert served.started[0]["plugin_folders"] == []
    assert served.logging == [(("debug", "text"), ())]
    assert out.splitlines() == [
        "NekoConnect is at 127.0.0.1:10390.",
        "It asks for no password.",
        "There is no plugin yet: nekonex plugin new makes one.",
    ]


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_folder_without_a_plugin_is_refused(run: Commands, serve: Serve, folder: str) -> None:
    served = serve()
    ready = run.folder / "ready.json"
    ready.write_text("{}")
    (run.folder / "empty").mkdir()
    make_plugin(run.folder / "echo")
    told = run.fails(2, "dev", "echo", folder, "--ready-file", ready)
    assert told == f"{folder} holds no plugin: it has no spec.conf; nekonex plugin new makes one"
    assert not ready.exists()
    assert served.started == []


def test_where_plugins_are_off_it_is_refused(run: Commands, serve: Serve) -> None:
    served = serve()
    (run.folder / "nekonex.toml").write_text("[connect]\nenabled = false\n")
    assert run.fails(2, "dev") == "connect.enabled is false, so no plugin would run"
    assert served.started == []


def test_a_server_that_cannot_start_is_one_sentence(
    run: Commands, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()

    def refuse(*_: Any, **__: Any) -> None:
        raise StartError("connect.port is 1, which this user may not open")

    monkeypatch.setattr(_serving, "serve_until_stopped", refuse)
    assert run.fails(2, "dev") == "connect.port is 1, which this user may not open"
