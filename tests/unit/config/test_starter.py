"""The file that `nekonex init` writes."""

from collections.abc import Callable

import pytest

from nekonex.config import Config, ConfigError, config_warnings, render_starter
from nekonex.games.profiles import load_profile, slugs

Load = Callable[..., Config]


@pytest.mark.parametrize("slug", [slug for slug in slugs() if load_profile(slug).access_key])
def test_every_title_round_trips(load: Load, slug: str) -> None:
    text = render_starter(slug)
    assert len(text.splitlines()) <= 24
    (game,) = load(text).games
    assert (game.name, game.title, game.guest) == (slug, slug, False)
    assert game.settings().as_dict() == load_profile(slug).settings().as_dict()


def test_without_a_title_it_is_the_built_in_configuration_written_out(load: Load) -> None:
    config = load(render_starter())
    (game,) = config.games
    assert game.settings().as_dict() == load_profile("mario-kart-8").settings().as_dict()
    assert (game.name, game.title, game.guest, game.host) == ("common", "", True, "127.0.0.1")
    builtin = load("")
    assert (config.http, config.connect, config.server) == (
        builtin.http,
        builtin.connect,
        builtin.server,
    )


def test_a_title_without_a_certain_key_asks_for_it(load: Load) -> None:
    text = render_starter("smash-3ds")
    with pytest.raises(ConfigError, match="access_key is missing"):
        load(text)
    load(text.replace('access_key = ""', 'access_key = "86405e2f"'))


def test_every_line_says_what_it_is_for() -> None:
    for line in render_starter("pikmin-3").splitlines():
        if line and not line.startswith(("[", "#", "port")):
            assert "  # " in line


def test_an_unknown_title_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nope"):
        render_starter("nope")


def test_warnings_are_given_for_what_is_allowed_but_unwise(load: Load) -> None:
    text = '[[game]]\ntitle = "ssf4-3d"\nguest = true\nhost = "0.0.0.0"\n'
    first, unreachable, second = config_warnings(load(text))
    assert "quazal_rc4" in first
    assert "neither upload nor download anything: [http] host is 127.0.0.1" in unreachable
    assert "guest lets anyone in who can reach 0.0.0.0" in second
    quiet = '[[game]]\ntitle = "pikmin-3"\nguest = true\n'
    assert config_warnings(load(quiet)) == []


@pytest.mark.parametrize(
    ("connect", "told"),
    [
        ('host = "0.0.0.0"', ["anyone on the way to 0.0.0.0 can read and change what is sent"]),
        (
            'host = "::"\nallow_open = true',
            ["allow_open lets anyone in who can reach ::", "anyone on the way to ::"],
        ),
        ('host = "0.0.0.0"\ntls = { cert = "c", key = "k" }', []),
        ('host = "0.0.0.0"\nenabled = false', []),
        ("allow_open = true", []),
    ],
)
def test_a_socket_that_others_reach_wants_a_password_and_tls(
    load: Load, connect: str, told: list[str]
) -> None:
    found = config_warnings(load(f'[connect]\n{connect}\n[[game]]\ntitle = "pikmin-3"\n'))
    assert len(found) == len(told)
    for warning, text in zip(found, told, strict=True):
        assert warning.startswith("connect: ")
        assert text in warning


@pytest.mark.parametrize("http", ['host = "0.0.0.0"', "enabled = false", 'public_url = "http://a"'])
def test_who_said_how_consoles_reach_files_is_not_warned(load: Load, http: str) -> None:
    game = '[[game]]\ntitle = "pikmin-3"\nhost = "0.0.0.0"\n'
    assert config_warnings(load(f"[http]\n{http}\n{game}")) == []


@pytest.mark.parametrize("slug", [None, "mario-kart-8"])
def test_a_configuration_that_was_just_written_is_not_warned_of(
    load: Load, slug: str | None
) -> None:
    config = load(render_starter(slug))
    assert config_warnings(config) == []
    assert config.http.host == config.games[0].host
