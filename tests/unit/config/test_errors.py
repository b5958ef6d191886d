"""A configuration that is wrong is refused with one clear sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nekonex.config import Config, ConfigError, load_config

Load = Callable[..., Config]

A = '[[game]]\nname = "a"\ntitle = "mario-kart-8"\n'
PLAIN = '[[game]]\nname = "a"\nnex_version = "3.5.4"\n'
KEY = 'access_key = "25dbf96a"\n'
TOKEN_KEY = f'token_key = "{"0" * 64}"\n'

# (text of the file, what the sentence says after "…/nekonex.toml: ")
CASES = [
    # TOML
    ("[http\n", "line 1, column 6: expected ']' at the end of a table declaration"),
    ("[http]\nport = \n", "line 2, column 8: invalid value"),
    ("x = 1\nport = ", "line 2, column 8: invalid value"),
    # unknown keys
    ("[http]\nprot = 1", "unknown key http.prot; did you mean http.port?"),
    ("[htpp]\nport = 1", "unknown key htpp; did you mean http?"),
    ("[colours]", "unknown key colours; known here: server, http, connect"),
    (A + "[game.prudp]\nversin = 1", "unknown key game.a.prudp.versin; did you mean game.a.prudp."),
    (A + "full_title = 'x'", "unknown key game.a.full_title; did you mean game.a.title"),
    (A + "[game.nex_versions]\nrankin = 1", "unknown key game.a.nex_versions.rankin; did you"),
    ("[storage.s3]\nbuket = 1", "unknown key storage.s3.buket; did you mean storage.s3.bucket?"),
    # types and ranges
    ('[http]\nport = "x"', 'http.port is "x"; allowed: a whole number from 0 to 65535'),
    ("[http]\nport = 65536", "http.port is 65536; allowed: a whole number from 0 to 65535"),
    ("[http]\nport = true", "http.port is true; allowed: a whole number from 0 to 65535"),
    ('[http]\nport = "8080"', 'http.port is "8080"; allowed: a whole number from 0 to 65535'),
    ("[http]\nport = 8080.0", "http.port is 8080.0; allowed: a whole number from 0 to 65535"),
    ('[connect]\nauth_timeout = "5"', 'connect.auth_timeout is "5"; allowed: a number of seconds'),
    (A + 'guest = "yes"', 'game.a.guest is "yes"; allowed: true or false'),
    (A + "guest = 1", "game.a.guest is 1; allowed: true or false"),
    (A + "server_ids = '1010EB00'", 'game.a.server_ids is "1010EB00"; allowed: a list in square'),
    ("[server]\ndata_dir = ''", 'server.data_dir is ""; allowed: a path in quotes'),
    ('[http]\nenabled = "maybe"', 'http.enabled is "maybe"; allowed: true or false'),
    ("[http]\nhost = 'a b'", 'http.host is "a b"; allowed: an address or host name'),
    ("[http]\npublic_url = 'ftp://x'", "http.public_url is"),
    (
        "[server]\ndata_dir = '~nobody-here/data'",
        'server.data_dir is "~nobody-here/data"; allowed: a path; nobody here has that home',
    ),
    (
        '[connect]\nplugins_dir = "a\\u0000b"',
        'connect.plugins_dir is "a\\u0000b"; allowed: a path without zero bytes',
    ),
    (
        "[connect]\nrepositories = ['https://[::1']",
        'connect.repositories is "https://[::1"; allowed: https URLs',
    ),
    (
        "[http]\npublic_url = 'https://[::1'",
        'http.public_url is "https://[::1"; allowed: empty, or a URL',
    ),
    ("[server]\ndata_dir = 5", "server.data_dir is 5; allowed: a path in quotes"),
    ("[server]\nlog_level = 'loud'", "server.log_level is \"loud\"; allowed: 'debug', 'info'"),
    (A + "ignore_attributes = [6]", "game.a.ignore_attributes is 6; allowed: the number of an"),
    (
        A + "[game.force.criteria.attributes]\n6 = '1'",
        'game.a.force.criteria.attributes is "6"; allowed: attributes, by their numbers from 0',
    ),
    (
        A + "[game.force.template.attributes]\n0 = -1",
        "game.a.force.template.attributes is -1; allowed: a whole number from 0 to 4294967295",
    ),
    (
        A + "[game.force.template.attributes]\n0 = '1'",
        'game.a.force.template.attributes is "1"; allowed: a whole number',
    ),
    (
        A + "[game.force.criteria.attributes]\n0 = '9,1'",
        'game.a.force.criteria.attributes is "9,1"; allowed: a criterion that a number can meet',
    ),
    (
        A + "[game.force.created]\ngame_mode = 4294967296",
        "game.a.force.created.game_mode is 4294967296; allowed: a whole number from 0 to",
    ),
    (
        A + "[game.limits]\nmax_gatherings = 0",
        "game.a.limits.max_gatherings is 0; allowed: a whole",
    ),
    (
        A + "[game.limits]\nunreachable_seconds = 0",
        "game.a.limits.unreachable_seconds is 0; allowed: a number of seconds above 0",
    ),
    (
        A + "[game.utility.integer_settings.0]\n1 = 2147483648",
        "game.a.utility.integer_settings is 2147483648; allowed: a whole number from -2147483648",
    ),
    (
        A + "[game.utility.integer_settings.0]\n1 = '5'",
        'game.a.utility.integer_settings is "5"; allowed: a whole number',
    ),
    (
        A + "[game.utility.integer_settings.0]\n65536 = 5",
        'game.a.utility.integer_settings is "65536"; allowed: settings, by their numbers from 0',
    ),
    (
        A + "[game.utility.string_settings.-1]\n1 = ''",
        'game.a.utility.string_settings is "-1"; allowed: tables, by their numbers from 0 to',
    ),
    (
        A + f"[game.utility.string_settings.0]\n1 = '{'x' * 65535}'",
        "allowed: texts of up to 65534 bytes",
    ),
    (
        A + "[game.utility]\nstring_settings = { 0 = 'a' }",
        'game.a.utility.string_settings.0 is "a"; allowed: a table with keys',
    ),
    (
        A + "[game.ranking]\ncommon_data_size = 0",
        "game.a.ranking.common_data_size is 0; allowed: a whole number, 1 or more",
    ),
    ("http = 3", "http is 3; allowed: a table with keys"),
    ("game = 3", "game is 3; allowed: tables that begin with [[game]]"),
    ("[game]\nname = 'x'", "game is a table; allowed: tables that begin with [[game]]"),
    ("[connect]\nauth_timeout = 0", "connect.auth_timeout is 0; allowed: a number of seconds"),
    ("[connect]\nmax_data = -1", "connect.max_data is -1; allowed: a whole number, 1 or more"),
    ("[connect]\npassword = 'Change me'", "connect.password is a value that is not shown here"),
    ("[connect]\nrepositories = ['http://x.org']", "connect.repositories is"),
    ("[storage]\ndocuments = 'postgres://u:hush@x'", "storage.documents is a value that is not"),
    ("[storage]\nobjects = 'disk'", "storage.objects is \"disk\"; allowed: 'local' or 's3'"),
    # games
    ("[[game]]\n" + KEY, "game.1.name is missing"),
    ("[[game]]\nname = 'a__b'", 'game.a__b.name is "a__b"; allowed: letters and digits'),
    (A + A.replace('"a"', '"A"'), "game.A.name is given to two games; names are unique"),
    (A + "server = 'foo'", "game.a.server is \"foo\"; allowed: 'common' or a class such as"),
    (A + "server = 'foo.1:Bar'", 'game.a.server is "foo.1:Bar"; allowed:'),
    (A + "server = 'foo:'", 'game.a.server is "foo:"; allowed:'),
    (A + "external_address = '1.2.3'", "game.a.external_address is \"1.2.3\"; allowed: 'auto',"),
    (A + "external_address = '::1'", 'game.a.external_address is "::1"; allowed:'),
    (A + "title_ids = ['xyz']", 'game.a.title_ids is "xyz"; allowed: 16 hexadecimal digits'),
    (A + "token_key = 'hush'", "game.a.token_key is a value that is not shown here; allowed: 64"),
    (A + "[game.limits]\nwindow = 0", "game.a.limits.window is 0; allowed: a whole number, 1"),
    (A + "[game.kerberos]\nkey_size = 8", "game.a.kerberos.key_size is 8; allowed: 16 or 32"),
    (
        '[[game]]\nname = "a"\ntitle = "mario-cart-8"\n',
        'game.a.title is "mario-cart-8", which is no title profile; did you mean mario-kart-8',
    ),
    ('[[game]]\nname = "a"\ntitle = "qqqq"\n', "no title profile; see nekonex titles list"),
    ("[[game]]\nname = 'a'\ntitle = 3", "game.a.title is 3; allowed: a text in quotes"),
    (PLAIN, "game.a.access_key is missing; give it, or a title whose profile has it"),
    ('[[game]]\nname = "a"\n' + KEY, "game.a.nex_version is missing; give it, or a title"),
    ('[[game]]\ntitle = "smash-3ds"\n', "game.smash-3ds.access_key is missing; Sources disagree"),
    (PLAIN + "access_key = 12345678", "game.a.access_key is 12345678; allowed: a text in quotes"),
    # contradictions
    (A + "auth_port = 5\nsecure_port = 5", "game.a.secure_port is 5, which game.a.auth_port has"),
    (A + A.replace('"a"', '"b"'), "game.b.auth_port is 1223, which game.a.auth_port has already"),
    (
        A + 'host = "0.0.0.0"\n' + A.replace('"a"', '"b"') + 'host = "localhost"\nauth_port = 3\n',
        "game.b.secure_port is 1224, which game.a.secure_port has already",
    ),
    ("[connect]\nport = 8080", "connect.port is 8080, which http.port has already"),
    ("[connect]\npassword = 'x'\nallow_open = true", "connect.allow_open is true although"),
    (
        "[connect]\nmax_data = 5000000",
        "connect.send_queue is 4194304; allowed: a frame, which is max_data (5000000) and 1024",
    ),
    ("[connect.tls]\ncert = 'c'", "connect.tls.key is missing: TLS needs cert and key"),
    ("[connect.tls]\nkey = 'c'", "connect.tls.cert is missing: TLS needs cert and key"),
    ("[storage]\nobjects = 's3'", 'storage.s3.bucket is missing: storage.objects is "s3"'),
    ("[storage.s3]\nsecret_key = 'x'", "storage.s3.access_key is missing: the two keys go"),
    ("[accounts]\nbackend = 'grpc'", 'accounts.grpc.host is missing: accounts.backend is "grpc"'),
    (A + "require_token = true", "game.a.require_token is true, but nothing can verify tokens"),
    (
        A + TOKEN_KEY + "allow_login = true\nallow_register = true",
        "game.a.allow_register is true although Login is accepted without a token",
    ),
    (
        A + TOKEN_KEY + "require_token = false\nallow_register = true",
        "game.a.allow_register is true although Login is accepted without a token",
    ),
    (
        A + "[game.limits]\nmax_queued_bytes = 5",
        "game.a.limits.max_queued_bytes is 5; allowed: max_message_size (1048576) or more",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), CASES)
def test_one_sentence_names_file_key_value_and_what_is_allowed(
    load: Load, tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'nekonex.toml'}: ")
    assert sentence in message
    assert "\n" not in message
    assert "hush" not in message


GOOD = [
    A + 'server = "package.module:Class"\nexternal_address = "nex.example.org"\n',
    A + "auth_port = 0\nsecure_port = 0\n" + A.replace('"a"', '"b"'),
    A + A.replace('"a"', '"b"') + 'host = "192.0.2.1"\n',
    A + "allow_login = true\nallow_register = true\n",
    A + TOKEN_KEY + "require_token = true\nallow_login = true\n",
    A + 'server = "mine:Game"\nrequire_token = true\n',
    PLAIN + KEY,
    # One is UDP and the other TCP.
    A + "auth_port = 8080\n",
    "[connect]\nport = 8080\n[http]\nenabled = false\n",
    "[connect]\nport = 8080\n[http]\nport = 8080\nhost = '192.0.2.1'\n",
    "[connect]\nport = 0\n[http]\nport = 0\n",
    "[connect]\nrepositories = ['https://x.org', 'http://localhost:1']\n",
    "[storage]\ndocuments = 'mongodb+srv://db'\nrankings = 'rediss://r'\n",
    "[accounts]\nbackend = 'grpc'\n[accounts.grpc]\nhost = 'accounts.example'\n",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_only_looks_like_a_contradiction_is_accepted(load: Load, text: str) -> None:
    load(text)


ENVIRONMENT = [
    ("NEKONEX_HTTP__PRT", "1", "names no known key; did you mean NEKONEX_HTTP__PORT?"),
    ("NEKONEX_HTPP__PORT", "1", "names no known key; did you mean NEKONEX_HTTP?"),
    ("NEKONEX_COLOUR", "1", "names no known key; known here: SERVER, HTTP"),
    ("NEKONEX_HTTP", "1", "names a section, not a key of it"),
    ("NEKONEX_GAME", "1", "names no key"),
    ("NEKONEX_GAME__A", "1", "names no key"),
    ("NEKONEX_GAME__B__GUEST", "1", ": there is no game 'B'; configured games: a"),
    ("NEKONEX_GAME__A__PRUDP__WINDW", "1", "names no known key; known here: TRANSPORT"),
    ("NEKONEX_GAME__A__GUESTS", "1", "did you mean NEKONEX_GAME__A__GUEST?"),
    ("NEKONEX_HTTP__PORT", "x", ': http.port is "x"; allowed: a whole number from 0'),
    ("NEKONEX_GAME__A__SECURE_PORT", "1223", ": game.a.secure_port is 1223, which game.a.auth"),
    ("NEKONEX_GAME__A__TITLE", "splaton", ': game.a.title is "splaton", which is no title'),
    ("NEKONEX_HTTP__PORT__LOW", "1", "names no known key; http.port holds one value"),
    ("NEKONEX_GAME__A__VARIANTS", "x", "names a section, not a key of it"),
]


@pytest.mark.parametrize(("variable", "value", "sentence"), ENVIRONMENT)
def test_a_wrong_variable_is_named(load: Load, variable: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(A, {variable: value})
    assert str(caught.value).startswith(f"environment variable {variable}")
    assert sentence in str(caught.value)


def test_a_table_may_come_from_file_and_variable(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(A, {"NEKONEX_GAME__A__VARIANTS__RANKING": "x"})
    assert str(caught.value).startswith(
        f"{tmp_path / 'nekonex.toml'} with environment variable NEKONEX_GAME__A__VARIANTS__RANKING"
        ": game.a.variants is a table; allowed: mario-kart-8 or smash-4"
    )


def test_a_variable_does_not_hide_what_is_wrong_in_the_file(load: Load) -> None:
    with pytest.raises(ConfigError, match="http is 3; allowed: a table with keys"):
        load("http = 3", {"NEKONEX_HTTP__PORT": "1"})


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nope\.toml: there is no such file"):
        load_config(Path("nope.toml"), environ={}, folder=tmp_path)


def test_the_built_in_configuration_is_named_as_such(tmp_path: Path) -> None:
    environ = {"NEKONEX_CONNECT__ALLOW_OPEN": "true", "NEKONEX_CONNECT__PASSWORD": "x"}
    with pytest.raises(ConfigError, match=r"NEKONEX_CONNECT__ALLOW_OPEN: connect\.allow_open"):
        load_config(environ=environ, folder=tmp_path)
    with pytest.raises(ConfigError, match=r"^the built-in configuration: connect\.tls\.key"):
        load_config(environ={"NEKONEX_CONNECT__TLS__CERT": "c"}, folder=tmp_path)
