"""The settings table: names, types, presets, derived values and checks."""

from typing import Any

import pytest

from nekonex.settings import Settings, TransportSettings, default, load

CONVERTED = [
    ("prudp.resend_limit", "7", 7),
    ("prudp.resend_timeout", "1.5", 1.5),
    ("prudp.access_key", "25dbf96a", "25dbf96a"),
    ("nex.version", "3.10", 31000),
    ("nex.version", (3, 5, 4), 30504),
    ("nex.struct_header", True, 1),
    ("prudp.legacy_signature", "auto", "auto"),
    ("prudp.legacy_signature", "True", True),
    ("prudp.legacy_signature", "false", False),
    ("prudp.legacy_signature", True, True),
]


@pytest.mark.parametrize(("name", "given", "stored"), CONVERTED)
def test_values_are_converted_to_the_type_of_their_name(
    name: str, given: object, stored: object
) -> None:
    settings = default()
    settings[name] = given
    assert settings[name] == stored
    assert type(settings[name]) is type(stored)


def test_unknown_names_are_key_errors() -> None:
    settings = default()
    with pytest.raises(KeyError, match=r"prudp\.windw"):
        settings["prudp.windw"] = 1
    with pytest.raises(KeyError):
        settings["prudp.windw"]
    with pytest.raises(KeyError, match="colour"):
        Settings.from_mapping({"colour": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prudp.version", "one"),
        ("nex.version", "3.x"),
        ("nex.version", -1),
        ("prudp.legacy_signature", "maybe"),
        ("prudp.legacy_signature", 1),
        ("nex.versions", {"ranking": "new"}),
    ],
)
def test_values_that_do_not_convert_are_value_errors(name: str, value: object) -> None:
    settings = default()
    before = settings.as_dict()
    with pytest.raises(ValueError, match=r"\S"):
        settings[name] = value
    assert settings.as_dict() == before


@pytest.mark.parametrize(
    ("version", "header"),
    [(0, 0), (20403, 0), (30412, 0), (30499, 0), (30500, 1), (31000, 1), (40400, 1)],
)
def test_struct_header_follows_the_version_until_it_is_set(version: int, header: int) -> None:
    settings = default()
    settings["nex.version"] = version
    assert settings["nex.struct_header"] == header
    assert settings.struct_header is bool(header)
    settings["nex.struct_header"] = 1 - header
    assert settings["nex.struct_header"] == 1 - header
    assert settings.copy()["nex.struct_header"] == 1 - header
    settings.reset()
    settings["nex.version"] = version
    assert settings["nex.struct_header"] == header


def test_presets_differ_from_the_default_only_where_they_say() -> None:
    plain = default().as_dict()
    assert load("default").as_dict() == plain
    assert load("3ds").as_dict() == plain | {"prudp.version": 0, "prudp.fragment_size": 962}
    assert load("friends").as_dict() == plain | {
        "prudp.version": 0,
        "prudp.fragment_size": 962,
        "prudp_v0.signature_version": 1,
        "kerberos.key_size": 16,
    }


def test_a_preset_is_applied_over_what_is_there() -> None:
    settings = default()
    settings.configure("25dbf96a", 30504)
    settings.load("3ds")
    assert settings["prudp.access_key"] == "25dbf96a"
    assert settings["prudp.version"] == 0
    settings.load("default")
    assert settings.as_dict() == default().as_dict()


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="default, 3ds, friends"):
        load("switch")


def test_configure_needs_a_client_version_from_4_4_on() -> None:
    settings = default()
    with pytest.raises(ValueError, match="client version"):
        settings.configure("4152f312", 40400)
    assert settings.as_dict() == default().as_dict()
    settings.configure("4152f312", "4.4.0", client_version=3)
    assert settings["nex.client_version"] == 3
    assert settings.nex_version == (4, 4, 0)
    settings = default()
    settings.configure("25dbf96a", 40302, client_version=3)
    assert settings["nex.client_version"] == 0


def test_copies_are_independent() -> None:
    settings = default()
    twin = settings.copy()
    assert twin.as_dict() == settings.as_dict()
    twin["prudp.resend_limit"] = 9
    assert settings["prudp.resend_limit"] == 2


def test_per_protocol_versions() -> None:
    settings = default()
    settings["nex.versions"] = {"ranking": 30600, "matchmaking": "3.3"}
    assert dict(settings["nex.versions"]) == {"ranking": "3.6.0", "matchmaking": "3.3.0"}
    assert settings.nex_versions == {"ranking": (3, 6, 0), "matchmaking": (3, 3, 0)}
    with pytest.raises(TypeError):
        settings["nex.versions"]["ranking"] = "4.0.0"


class Foreign:
    """A settings object of another library: item access and nothing else."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def test_from_mapping_takes_what_the_source_has() -> None:
    source = Foreign({"prudp.access_key": "6181dff1", "nex.version": 20403, "prudp.version": 0})
    settings = Settings.from_mapping(source)
    assert settings["prudp.access_key"] == "6181dff1"
    assert settings.nex_version == (2, 4, 3)
    assert settings["prudp.version"] == 0
    assert settings["prudp.fragment_size"] == 1300


def test_from_mapping_reads_a_foreign_zero_header_as_never_set() -> None:
    assert Settings.from_mapping(Foreign({"nex.version": 30800, "nex.struct_header": 0}))[
        "nex.struct_header"
    ]
    assert Settings.from_mapping(Foreign({"nex.version": 30000, "nex.struct_header": 1}))[
        "nex.struct_header"
    ]
    own = default()
    own["nex.version"] = 30800
    own["nex.struct_header"] = 0
    assert Settings.from_mapping(own)["nex.struct_header"] == 0


def test_the_access_key_stays_out_of_the_representation() -> None:
    settings = default()
    settings.configure("25dbf96a", 30504)
    assert "25dbf96a" not in repr(settings)
    assert "3.5.4" in repr(settings)


def test_transport_freezes_every_value() -> None:
    settings = load("friends")
    settings.configure("ridfebb9", 10100)
    settings["prudp.legacy_signature"] = True
    frozen = settings.transport()
    assert frozen == TransportSettings(
        access_key="ridfebb9",
        version=0,
        minor_version=4,
        supported_functions=0,
        compression=0,
        encryption=1,
        resend_timeout=1.0,
        resend_limit=2,
        ping_timeout=5.0,
        silence_timeout=0.0,
        fragment_size=962,
        max_substream_id=0,
        v0_signature_version=1,
        v0_flags_version=1,
        v0_checksum_version=1,
        legacy_signature=True,
        session_key_size=16,
        ticket_version=1,
        key_derivation=0,
        pid_size=4,
        nex_version=(1, 1, 0),
        struct_header=False,
    )
    with pytest.raises(AttributeError):
        frozen.version = 1  # type: ignore[misc]


def test_auto_legacy_signature_is_none_in_the_frozen_form() -> None:
    assert default().transport().legacy_signature is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prudp.transport", 1),
        ("prudp.transport", 2),
        ("prudp.version", 3),
        ("prudp.minor_version", 256),
        ("prudp.supported_functions", 1 << 24),
        ("prudp.compression", 2),
        ("prudp.encryption", -1),
        ("prudp.resend_timeout", 0),
        ("prudp.resend_timeout", "nan"),
        ("prudp.resend_limit", -1),
        ("prudp.ping_timeout", float("inf")),
        ("prudp.silence_timeout", -1),
        ("prudp.fragment_size", 0),
        ("prudp.fragment_size", 65536),
        ("prudp.max_substream_id", 256),
        ("prudp_v0.signature_version", 2),
        ("prudp_v0.flags_version", 2),
        ("prudp_v0.checksum_version", 2),
        ("kerberos.key_size", 24),
        ("kerberos.key_derivation", 2),
        ("kerberos.ticket_version", 2),
        ("nex.pid_size", 6),
    ],
)
def test_transport_refuses_values_out_of_range(name: str, value: object) -> None:
    settings = default()
    settings[name] = value
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        settings.transport()


@pytest.mark.parametrize(("version", "headers"), [(0, False), (1, True), (2, True)])
def test_another_librarys_zero_means_never_set_where_a_handshake_decides(
    version: int, headers: bool
) -> None:
    theirs = {"nex.version": 30504, "nex.struct_header": 0, "prudp.version": version}
    assert Settings.from_mapping(theirs).struct_header is headers
