"""The keys that profiles and game sections share: what they accept and what they mean."""

from typing import Any

import pytest
from pydantic import ValidationError

from nekonex.games.fields import EnvironmentText
from nekonex.games.schema import GameIdentity, LoginRules


def identity(**keys: Any) -> GameIdentity:
    return GameIdentity.model_validate({"access_key": "25dbf96a", "nex_version": "3.5.4", **keys})


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        ({"access_key": "25DBF96A"}, "lower-case"),
        ({"access_key": "25dbf96"}, "eight"),
        ({"server_ids": ["1010EB0"]}, "8 hexadecimal digits"),
        ({"title_ids": ["1010EB00"]}, "16 hexadecimal digits"),
        ({"nex_version": "3.x"}, "NEX version"),
        ({"nex_version": 3.5}, "NEX version"),
        ({"nex_version": 3}, "NEX version"),
        ({"nex_version": True}, "NEX version"),
        ({"legacy_signature": "maybe"}, "'auto', true or false"),
        ({"protocols": ["secure_conection"]}, "secure_connection"),
        ({"variants": {"ranking": "mario-kart-9"}}, "mario-kart-8"),
        ({"variants": {"nat_traversal": "mario-kart-8"}}, "datastore"),
        ({"prudp": {"version": 3}}, "0 or 1 or 2"),
        ({"prudp": {"transport": 1}}, "UDP"),
        ({"prudp": {"minor_version": True}}, "a whole number"),
        ({"prudp": {"minor_version": "4"}}, "a whole number"),
        ({"prudp": {"minor_version": 4.0}}, "a whole number"),
        ({"prudp": {"resend_timeout": "1.5"}}, "a number"),
        ({"crossplay": "yes"}, "true or false"),
        ({"crossplay": 1}, "true or false"),
        ({"kerberos": {"key_size": 24}}, "16 or 32"),
        ({"nex": {"pid_size": 5}}, "4 or 8"),
    ],
)
def test_bad_values_are_refused_with_what_is_allowed(keys: dict[str, Any], allowed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        identity(**keys)
    problem = caught.value.errors()[0]
    assert problem["type"] == "not_allowed"
    assert allowed in problem["msg"]


@pytest.mark.parametrize("section", ["prudp", "prudp_v0", "kerberos", "nex", "nex_versions"])
def test_unknown_keys_are_refused(section: str) -> None:
    with pytest.raises(ValidationError, match="colour"):
        identity(**{section: {"colour": 1}})


def test_values_are_normalised() -> None:
    game = identity(
        nex_version=31000,
        server_ids=EnvironmentText("1010eb00, 1010ec00"),
        nex_versions={"ranking": 30600},
        legacy_signature="true",
    )
    assert game.nex_version == "3.10.0"
    assert game.server_ids == ("1010EB00", "1010EC00")
    assert game.nex_versions.ranking == "3.6.0"
    assert game.legacy_signature is True


def test_settings_take_every_section_over() -> None:
    settings = identity(
        prudp={"version": 1, "silence_timeout": 20, "compression": 1},
        prudp_v0={"flags_version": 0},
        kerberos={"key_derivation": 1},
        nex={"pid_size": 8, "client_version": 3},
        nex_versions={"matchmaking": "3.3"},
        legacy_signature=False,
    ).settings()
    assert settings["prudp.access_key"] == "25dbf96a"
    assert settings["nex.version"] == 30504
    assert settings["prudp.version"] == 1
    assert settings["prudp.silence_timeout"] == 20.0
    assert settings["prudp.compression"] == 1
    assert settings["prudp_v0.flags_version"] == 0
    assert settings["kerberos.key_derivation"] == 1
    assert settings["nex.pid_size"] == 8
    assert settings["nex.client_version"] == 3
    assert settings["nex.versions"] == {"matchmaking": "3.3.0"}
    assert settings["prudp.legacy_signature"] is False


@pytest.mark.parametrize(
    ("keys", "header", "minor"),
    [
        ({"nex_version": "3.4.13"}, False, 2),
        ({"nex_version": "3.5.0"}, True, 4),
        ({"nex_version": "3.4.13", "nex": {"struct_header": True}}, True, 4),
        ({"nex_version": "3.8.0", "nex": {"struct_header": False}}, False, 2),
        ({"nex_version": "3.4.13", "prudp": {"minor_version": 3}}, False, 3),
    ],
)
def test_without_a_header_the_minor_version_says_so_too(
    keys: dict[str, Any], header: bool, minor: int
) -> None:
    settings = identity(**keys).settings()
    assert settings.struct_header is header
    assert settings["prudp.minor_version"] == minor


OPEN = LoginRules(require_token=False, login_without_token=True, register_without_token=True)


@pytest.mark.parametrize(
    ("keys", "can_verify", "rules"),
    [
        ({}, False, OPEN),
        ({"allow_login": True, "allow_register": True}, False, OPEN),
        ({}, True, LoginRules(True, False, True)),
        ({"require_token": True}, False, LoginRules(True, False, True)),
        ({"allow_login": True}, True, LoginRules(True, True, False)),
        ({"require_token": False}, True, LoginRules(False, True, False)),
        ({"allow_register": False}, True, LoginRules(True, False, False)),
        ({"allow_register": False}, False, LoginRules(False, True, False)),
        ({"require_token": False}, False, OPEN),
    ],
)
def test_login_rules(keys: dict[str, Any], can_verify: bool, rules: LoginRules) -> None:
    assert identity(**keys).login_rules(can_verify=can_verify) == rules
