"""Our settings against NintendoClients': the same names, types and defaults."""

import nintendo.nex.settings as oracle
import pytest

from nekonex import settings

OWN_NAMES = {"prudp.legacy_signature", "prudp.silence_timeout", "nex.versions"}

NAMES = sorted((settings.default().as_dict().keys() | {"nex.struct_header"}) - OWN_NAMES)


def test_the_names_are_the_same() -> None:
    theirs = oracle.default()
    known = getattr(theirs, "field_types", None) or theirs._field_types
    assert set(known) == set(NAMES)


@pytest.mark.parametrize("preset", ["default", "3ds", "friends"])
@pytest.mark.parametrize("name", NAMES)
def test_presets_are_equal(preset: str, name: str) -> None:
    ours = settings.load(preset)[name]
    theirs = oracle.load(preset)[name]
    assert ours == theirs
    assert type(ours) is type(theirs)


@pytest.mark.parametrize("preset", ["default", "3ds", "friends"])
def test_their_object_is_taken_over_value_by_value(preset: str) -> None:
    theirs = oracle.load(preset)
    theirs.configure("25dbf96a", 30504)
    theirs["prudp.resend_timeout"] = 1.5
    theirs["prudp.max_substream_id"] = 1
    ours = settings.Settings.from_mapping(theirs)
    for name in NAMES:
        if name != "nex.struct_header":
            assert ours[name] == theirs[name], name
    # Version 0 negotiates nothing that could switch the headers on later.
    assert ours.struct_header is (preset == "default")


def test_configure_agrees_on_the_client_version_rule() -> None:
    for version, client_version in [(30504, None), (40300, None), (40400, 7)]:
        ours, theirs = settings.default(), oracle.default()
        ours.configure("4152f312", version, client_version)
        theirs.configure("4152f312", version, client_version)
        assert ours["nex.client_version"] == theirs["nex.client_version"]
        assert ours["nex.version"] == theirs["nex.version"]
    with pytest.raises(ValueError, match="client version"):
        oracle.default().configure("4152f312", 40400)
