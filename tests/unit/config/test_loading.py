"""Where a configuration comes from, and what overrides what."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nekonex.config import Config, ConfigError, find_file, load_config
from nekonex.games import load_profile

Load = Callable[..., Config]

MK7 = '[[game]]\nname = "kart"\ntitle = "mario-kart-7"\n'


def test_without_a_file_one_common_game_is_served_on_loopback(tmp_path: Path) -> None:
    config = load_config(environ={}, folder=tmp_path)
    assert config.file is None
    (game,) = config.games
    assert (game.server, game.title, game.guest, game.host) == ("common", "", True, "127.0.0.1")
    assert (game.auth_port, game.secure_port) == (1223, 1224)
    profile = load_profile("mario-kart-8")
    assert game.settings().as_dict() == profile.settings().as_dict()
    # The generic methods of all protocols are answered: nothing of the title's own.
    assert not game.variants
    assert config.server.data_dir == tmp_path / "data"


def test_in_the_folder_of_a_plugin_nothing_is_kept_among_its_files(tmp_path: Path) -> None:
    (tmp_path / "spec.conf").touch()
    config = load_config(environ={"NEKONEX_CONNECT__PORT": "0"}, folder=tmp_path)
    assert config.server.data_dir == tmp_path / ".nekonex" / "data"
    assert config.connect.plugins_dir == tmp_path / ".nekonex" / "plugins"
    config = load_config(environ={"NEKONEX_SERVER__DATA_DIR": "here"}, folder=tmp_path)
    assert config.server.data_dir == tmp_path / "here"
    (tmp_path / "nekonex.toml").touch()
    config = load_config(environ={}, folder=tmp_path)
    assert config.server.data_dir == tmp_path / "data"


def test_the_built_in_configuration_can_be_changed_by_the_environment(tmp_path: Path) -> None:
    environ = {"NEKONEX_GAME__COMMON__AUTH_PORT": "0", "NEKONEX_HTTP__ENABLED": "false"}
    config = load_config(environ=environ, folder=tmp_path)
    assert config.games[0].auth_port == 0
    assert config.http.enabled is False
    assert config.variables == tuple(sorted(environ))


def test_a_title_for_the_built_in_game_replaces_its_identity(tmp_path: Path) -> None:
    config = load_config(environ={"NEKONEX_GAME__common__TITLE": "splatoon"}, folder=tmp_path)
    assert config.games[0].access_key == "6f599f81"
    assert config.games[0].prudp.max_substream_id == 0


def test_which_file_is_read(tmp_path: Path) -> None:
    assert find_file(None, {}, tmp_path) is None
    (tmp_path / "nekonex.toml").touch()
    assert find_file(None, {}, tmp_path) == tmp_path / "nekonex.toml"
    environ = {"NEKONEX_CONFIG": "other.toml"}
    assert find_file(None, environ, tmp_path) == tmp_path / "other.toml"
    assert find_file(Path("third.toml"), environ, tmp_path) == tmp_path / "third.toml"
    assert find_file(None, {"NEKONEX_CONFIG": ""}, tmp_path) == tmp_path / "nekonex.toml"


def test_the_file_of_the_environment_is_read(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[http]\nport = 4\n")
    config = load_config(environ={"NEKONEX_CONFIG": "other.toml"}, folder=tmp_path)
    assert config.http.port == 4
    assert config.games == ()
    assert config.variables == ()


def test_absent_sections_mean_their_defaults(load: Load) -> None:
    config = load("")
    assert (config.http.host, config.http.port, config.http.enabled) == ("127.0.0.1", 8080, True)
    assert (config.connect.port, config.connect.max_data) == (10390, 1024 * 1024)
    assert (config.storage.documents, config.storage.objects) == ("sqlite", "local")
    assert config.accounts.backend == "local"
    assert config.games == ()


def test_a_game_has_the_limits_that_are_documented(load: Load) -> None:
    limits = load(MK7.replace("mario-kart-7", "splatoon")).games[0].limits
    assert limits.model_dump() == {
        "max_connections": 50000,
        "max_connections_per_address": 1024,
        "handshakes_per_second": 100,
        "tracked_addresses": 65536,
        "limit_loopback": False,
        "max_message_size": 1048576,
        "window": 64,
        "max_waiting_requests": 64,
        "max_queued_bytes": 4 * 1048576,
        "request_timeout": 60.0,
        "call_timeout": 10.0,
        "report_max_bytes": 65536,
        "reports_per_pid": 32,
        "max_gatherings": 65536,
        "max_owned_communities": 4,
        "max_joined_communities": 16,
        "unreachable_seconds": 600.0,
        "friends_seconds": 10.0,
        "max_object_size": 16 * 1048576,
        "max_objects": 1000,
        "max_stored": 512 * 1048576,
        "unfinished_seconds": 10800,
    }


def test_guest_is_off_where_a_game_does_not_say(load: Load) -> None:
    assert load(MK7).games[0].guest is False


def test_a_profile_fills_what_the_game_leaves_out(load: Load) -> None:
    game = load(
        MK7 + 'build_string = "mine"\n[game.prudp]\nresend_limit = 9\nfragment_size = 800\n'
    ).games[0]
    assert game.access_key == "6181dff1"
    assert game.variants == {"legacy_ranking": "mario-kart-7"}
    assert game.build_string == "mine"
    settings = game.settings()
    assert settings["prudp.version"] == 0
    assert settings["prudp.fragment_size"] == 800
    assert settings["prudp.resend_limit"] == 9


def test_the_environment_is_over_the_file_which_is_over_the_profile(load: Load) -> None:
    text = MK7 + "[game.prudp]\nfragment_size = 800\nresend_limit = 9\n"
    environ = {
        "NEKONEX_GAME__KART__PRUDP__FRAGMENT_SIZE": "700",
        "NEKONEX_GAME__KART__NEX_VERSIONS__RANKING": "3.6.0",
        "NEKONEX_GAME__KART__SERVER_IDS": "00000001,00000002",
        "NEKONEX_GAME__KART__ACCESS_KEY": "12345678",
    }
    game = load(text, environ).games[0]
    settings = game.settings()
    assert settings["prudp.fragment_size"] == 700
    assert settings["prudp.resend_limit"] == 9
    assert settings["prudp.version"] == 0
    assert settings["nex.versions"] == {"ranking": "3.6.0"}
    assert game.server_ids == ("00000001", "00000002")
    assert game.access_key == "12345678"


@pytest.mark.parametrize(
    "variable",
    ["MARIO_KART_8", "mario_kart_8", "mario-kart-8", "Mario_Kart-8"],
)
def test_a_name_with_dashes_can_be_written_with_underscores(load: Load, variable: str) -> None:
    text = '[[game]]\ntitle = "mario-kart-8"\n'
    config = load(text, {f"NEKONEX_GAME__{variable}__SECURE_PORT": "7"})
    assert config.games[0].name == "mario-kart-8"
    assert config.games[0].secure_port == 7


def test_the_environment_reaches_every_kind_of_value(load: Load) -> None:
    config = load(
        MK7,
        {
            "NEKONEX_STORAGE__S3__BUCKET": "ghosts",
            "NEKONEX_STORAGE__OBJECTS": "s3",
            "NEKONEX_CONNECT__REPOSITORIES": "https://a.example, https://b.example",
            "NEKONEX_CONNECT__IDLE_TIMEOUT": "2.5",
            "NEKONEX_CONNECT__WATCH": "true",
            "NEKONEX_GAME__kart__VARIANTS__RANKING": "splatoon",
            "NEKONEX_GAME__kart__FORCE__CRITERIA__ATTRIBUTES__1": "0",
            "NEKONEX_GAME__kart__LEGACY_SIGNATURE": "false",
            "PATH": "/bin",
        },
    )
    assert config.storage.s3.bucket == "ghosts"
    assert config.connect.repositories == ("https://a.example", "https://b.example")
    assert config.connect.idle_timeout == 2.5
    assert config.connect.watch is True
    assert config.games[0].variants["ranking"] == "splatoon"
    assert config.games[0].variants["legacy_ranking"] == "mario-kart-7"
    assert config.games[0].force.criteria.attributes == {1: "0"}
    assert config.games[0].legacy_signature is False


def test_settings_that_consoles_ask_for(load: Load) -> None:
    utility = (
        load(
            MK7 + "[game.utility]\n"
            'integer_settings = { "0" = { "1" = 5, "65535" = -2147483648 }, "4294967295" = {} }\n'
            "[game.utility.string_settings.2]\n7 = 'é'\n",
            {"NEKONEX_GAME__KART__UTILITY__INTEGER_SETTINGS__0__2": "-6"},
        )
        .games[0]
        .utility
    )
    assert utility.integer_settings == {0: {1: 5, 2: -6, 65535: -(2**31)}, 2**32 - 1: {}}
    assert utility.string_settings == {2: {7: "é"}}
    nothing = load(MK7).games[0].utility
    assert (nothing.integer_settings, nothing.string_settings) == ({}, {})


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    absolute = tmp_path / "elsewhere"
    (folder / "n.toml").write_text(
        f'[server]\ndata_dir = "var/data"\n[connect]\nplugins_dir = "{absolute}"\n'
        '[connect.tls]\ncert = "c.pem"\nkey = "k.pem"\n'
    )
    config = load_config(Path("etc/n.toml"), environ={}, folder=tmp_path)
    assert config.server.data_dir == folder / "var" / "data"
    assert config.connect.plugins_dir == absolute
    assert config.connect.tls.cert == folder / "c.pem"
    (folder / "n.toml").write_text("")
    config = load_config(Path("etc/n.toml"), environ={}, folder=tmp_path)
    assert config.server.data_dir == folder / "data"
    assert config.connect.plugins_dir == folder / "plugins"


def test_a_path_of_the_home_folder_is_expanded(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    config = load('[server]\ndata_dir = "~/nex"\n')
    assert config.server.data_dir == tmp_path / "home" / "nex"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "nekonex.toml").write_bytes(b"\xef\xbb\xbf[http]\r\nport = 5\r\n")
    assert load_config(environ={}, folder=tmp_path).http.port == 5


def test_games_are_found_by_name(load: Load) -> None:
    config = load(MK7)
    assert config.game("kart").title == "mario-kart-7"
    with pytest.raises(KeyError, match="tennis"):
        config.game("tennis")


def test_secrets_are_not_shown(load: Load) -> None:
    config = load(
        '[http]\nadmin_password = "hush-1"\n[connect]\npassword = "hush-2"\n'
        '[storage]\ndocuments = "mongodb://me:hush-3@db"\n'
        '[storage.s3]\naccess_key = "hush-4"\nsecret_key = "hush-5"\n'
        '[accounts.grpc]\napi_key = "hush-6"\n'
    )
    assert config.http.admin_password == "hush-1"
    assert "hush" not in repr(config)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "nekonex.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"nekonex\.toml: (cannot be read|is not UTF-8)"):
        load_config(environ={}, folder=tmp_path)
