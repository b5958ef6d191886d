"""Every title profile of the package, and how they are found."""

import tomllib
from importlib import resources

import pytest

from nekonex.games import all_profiles, load_profile, search
from nekonex.games.profiles import closest, profile_keys, slugs
from nekonex.games.protocol_names import PROTOCOL_IDS, PROTOCOL_VARIANTS

# Counted by hand in the tables that the profiles were made from: 55 titles with a public
# server, and 35 of 48 others with a published key.
ROWS = 55 + 35

# The titles whose structures have no header, as stated row by row.
WITHOUT_HEADER = {
    "friends",
    "wiiu-chat",
    "mario-kart-7",
    "super-mario-3d-world",
    "pikmin-3",
    "sonic-racing-wiiu",
    "angry-birds-star-wars-wiiu",
    "mh3u",
    "wii-party-u",
    "dkc-tropical-freeze",
    "mario-sonic-sochi",
    "zen-pinball-2",
    "kid-icarus",
    "luigis-mansion-2",
    "pokemon-gen6",
    "mh4",
    "puyo-puyo-20th",
    "re-mercenaries-3d",
    "ssf4-3d",
    "re-revelations-3ds",
    "tetris-axis",
    "angry-birds-star-wars-3ds",
    "angry-birds-trilogy-3ds",
    "biohazard-revelations-ue",
    "ducktales-remastered",
    "fist-of-the-north-star-2",
    "injustice",
    "mario-tennis-open",
    "nano-assault-neo",
    "ninja-gaiden-3",
    "pokemon-bank",
    "puddle",
    "romance-of-the-three-kingdoms-12",
    "runner2",
    "sonic-lost-world",
    "star-wars-pinball",
    "tekken-tag-tournament-2",
    "trine-2",
    "warriors-orochi-3-hyper",
    "wii-karaoke-u",
    "wii-sports-club",
    "sonic-racing-3ds",
}

# slug: (access key, NEX version, first server id or "", number of title ids)
SAMPLES = {
    "friends": ("ridfebb9", "1.1.0", "00003200", 4),
    "mario-kart-7": ("6181dff1", "2.4.3", "0001DB00", 5),
    "mario-kart-8": ("25dbf96a", "3.5.4", "1010EB00", 3),
    "splatoon": ("6f599f81", "3.8.15", "10162B00", 10),
    "wii-party-u": ("a5b77314", "3.0.5", "10137E00", 3),
    "zen-pinball-2": ("2ff15f7e", "3.0.1", "10113800", 2),
    "mario-sonic-rio-wiiu": ("63fecb0f", "3.9.1", "10190300", 3),
    "pokemon-gen7": ("086f9d28", "3.10.0", "", 5),
    "mhxx": ("4152f312", "4.4.0", "", 2),
    "ssf4-3d": ("7edcd5b4", "0.7.8", "00030500", 1),
    "sonic-lost-world": ("69a9fc95", "3.3.0", "1012B100", 7),
    "yo-kai-watch-3": ("d9ca7b02", "3.10.0", "", 10),
    "sushi-striker": ("06fb3395", "4.3.1", "", 2),
    "yakuman-ho-o": ("23aab2d3", "3.6.14", "10149700", 1),
}


def with_value(key: str, value: object) -> set[str]:
    return {profile.slug for profile in all_profiles() if getattr(profile, key) == value}


def with_setting(key: str, value: object) -> set[str]:
    return {profile.slug for profile in all_profiles() if profile.settings()[key] == value}


def test_there_is_one_profile_for_each_row() -> None:
    assert len(slugs()) == ROWS
    assert load_profile("swapdoodle").needs == ("hpp",)


@pytest.mark.parametrize("slug", slugs())
def test_every_profile_is_valid_and_gives_working_settings(slug: str) -> None:
    profile = load_profile(slug)
    transport = profile.settings().transport()
    assert transport.access_key == profile.access_key
    assert (0, 7, 0) <= transport.nex_version < (5, 0, 0)
    assert profile.full_title
    assert profile.platforms
    assert profile.sources
    assert set(profile.variants) <= set(profile.protocols)


@pytest.mark.parametrize("slug", slugs())
def test_every_file_is_pleasant_to_read(slug: str) -> None:
    file = resources.files("nekonex.games") / "titles" / f"{slug}.toml"
    text = file.read_text(encoding="utf-8")
    assert text.startswith("full_title = ")
    assert text.endswith("\n")
    assert "\n\n\n" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())
    keys = tomllib.loads(text)
    for key in ("server_ids", "title_ids"):
        # What no source states is said to be so, not left to be wondered about.
        comment = next((line for line in text.splitlines() if line.startswith("# In no")), "")
        assert (key in keys) != (key in comment)


def test_identities_are_not_shared() -> None:
    for key in ("server_ids", "title_ids"):
        ids = [each for profile in all_profiles() for each in getattr(profile, key)]
        duplicates = {each for each in ids if ids.count(each) > 1}
        assert not duplicates
    keys = [profile.access_key for profile in all_profiles() if profile.access_key]
    assert len(set(keys)) == len(keys) == ROWS - 1


def test_only_the_key_that_sources_disagree_on_is_missing() -> None:
    assert with_value("access_key", "") == {"smash-3ds"}
    assert "86405e2f" in load_profile("smash-3ds").notes[0]
    assert "2869ba38" in load_profile("smash-3ds").notes[0]


@pytest.mark.parametrize("slug", SAMPLES)
def test_samples_typed_by_hand(slug: str) -> None:
    profile = load_profile(slug)
    key, version, server_id, titles = SAMPLES[slug]
    assert profile.access_key == key
    assert profile.nex_version == version
    assert "".join(profile.server_ids[:1]) == server_id
    assert len(profile.title_ids) == titles


def test_the_structure_header_is_as_stated_for_each_title() -> None:
    assert with_setting("nex.struct_header", 0) == WITHOUT_HEADER


def test_titles_without_a_header_negotiate_minor_version_2() -> None:
    assert with_setting("prudp.minor_version", 2) == WITHOUT_HEADER


def test_transport_quirks() -> None:
    v0 = {"friends", "mario-kart-7", "re-mercenaries-3d", "ssf4-3d"}
    assert with_setting("prudp.version", 0) == v0
    assert with_setting("prudp.fragment_size", 1300) == set(slugs()) - v0
    assert load_profile("ssf4-3d").prudp.fragment_size == 900
    assert with_setting("kerberos.key_size", 16) == v0 - {"mario-kart-7"}
    assert with_setting("prudp_v0.signature_version", 1) == {"friends"}
    assert with_setting("nex.pid_size", 8) == {"mhxx", "sushi-striker"}
    assert with_setting("prudp.legacy_signature", True) == {
        "luigis-mansion-2",
        "mario-sonic-sochi",
        "mh3u",
        "sonic-racing-wiiu",
        "trine-2",
        "zen-pinball-2",
    }
    assert with_setting("prudp.legacy_signature", False) == {
        "art-of-balance",
        "dkc-tropical-freeze",
        "hyrule-warriors",
        "wii-party-u",
    }
    assert with_setting("prudp.silence_timeout", 20.0) == {"mario-kart-7", "smash-wiiu"}
    assert {profile.slug for profile in all_profiles() if profile.needs} == {
        "re-mercenaries-3d",
        "ssf4-3d",
        "swapdoodle",
    }
    assert with_value("crossplay", True) == {"mhxx"}


def test_mario_kart_8_is_as_its_server_sets_it() -> None:
    settings = load_profile("mario-kart-8").settings()
    assert settings["prudp.version"] == 1
    assert settings["prudp.max_substream_id"] == 1
    assert settings["prudp.resend_timeout"] == 1.5
    assert settings["prudp.resend_limit"] == 3


def test_nex_3_4_titles_take_the_older_sessions_and_the_later_ranking() -> None:
    versions = {"ranking": "3.6.0", "matchmaking": "3.3.0"}
    main_version_3_4 = {
        profile.slug for profile in all_profiles() if profile.nex_version.startswith("3.4.")
    }
    assert with_setting("nex.versions", versions) == main_version_3_4
    assert len(main_version_3_4) == 8
    assert with_setting("nex.versions", {}) == set(slugs()) - main_version_3_4


def test_what_needs_no_token() -> None:
    assert with_value("allow_login", True) == {"friends", "re-mercenaries-3d", "ssf4-3d"}
    assert with_value("allow_register", True) == {
        "animal-crossing-new-leaf",
        "bayonetta-2",
        "federation-force",
        "mario-sonic-sochi",
        "mh-stories",
        "mh3u",
        "mh4",
        "mhxx",
        "pokemon-gen6",
        "puyo-puyo-20th",
        "puyo-puyo-tetris",
        "re-revelations-3ds",
        "smash-3ds",
        "splatoon",
        "super-mario-maker",
        "terraria-wiiu",
        "tetris-axis",
        "tri-force-heroes",
        "yo-kai-watch-2",
    }
    for profile in all_profiles():
        assert set(profile.token_title_ids) <= set(profile.title_ids)
        assert not (profile.allow_login and profile.allow_register)


def test_attribute_rules() -> None:
    ignored = {
        profile.slug: profile.ignore_attributes
        for profile in all_profiles()
        if profile.ignore_attributes
    }
    assert ignored == {
        "animal-crossing-new-leaf": (2,),
        "kid-icarus": (4,),
        "mh4u": (2,),
        "splatoon": (4,),
        "yo-kai-watch-2": (2,),
    }
    assert load_profile("bayonetta-2").force.criteria.attributes == {1: "0"}
    assert load_profile("kid-icarus").force.template.attributes == {0: 0, 1: 0, 2: 0, 5: 0}
    matched = load_profile("kid-icarus").force.matched
    assert (matched.open_participation, matched.game_mode) == (True, None)
    assert load_profile("tri-force-heroes").force.template.clear == ("matchmake_param",)
    assert load_profile("yo-kai-watch-blasters").force.created.game_mode == 4129
    assert load_profile("animal-crossing-new-leaf").force.template.game_mode == 33


def test_whose_players_all_close_their_session() -> None:
    lenient = [each.slug for each in all_profiles() if each.ignore_closing_by_others]
    assert lenient == ["puyo-puyo-tetris"]


def test_limits_of_titles() -> None:
    founded = {each.slug: each.limits.max_owned_communities for each in all_profiles()}
    assert {slug: number for slug, number in founded.items() if number != 4} == {"mario-kart-7": 8}


def test_the_build_string_that_is_checked_by_its_game() -> None:
    assert load_profile("mh4").build_string == "branch:ah4_server build:2_22_13502_53_0"
    assert load_profile("re-mercenaries-3d").build_string == ""


def test_every_variant_belongs_to_a_profile() -> None:
    used = {pair for profile in all_profiles() for pair in profile.variants.items()}
    declared = {(name, each) for name, known in PROTOCOL_VARIANTS.items() for each in known}
    assert used == declared
    assert set(PROTOCOL_VARIANTS) <= set(PROTOCOL_IDS)


def test_profiles_are_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_profile("pikmin-3").access_key = "00000000"


@pytest.mark.parametrize("slug", ["", "pikmin 3", "../schema", "Pikmin-3", "pikmin-3.toml"])
def test_unknown_profiles_are_key_errors(slug: str) -> None:
    with pytest.raises(KeyError, match="title profile"):
        load_profile(slug)
    with pytest.raises(KeyError, match="title profile"):
        profile_keys(slug)


def test_the_keys_of_a_profile_leave_out_what_only_describes_it() -> None:
    keys = profile_keys("mario-kart-7")
    assert keys["prudp"]["version"] == 0
    assert keys["access_key"] == "6181dff1"
    assert not keys.keys() & {"full_title", "platforms", "sources", "notes", "needs", "slug"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mario kart", {"mario-kart-7", "mario-kart-8"}),
        ("KART wii", {"mario-kart-8"}),
        ("1010eb00", {"mario-kart-8"}),
        ("25DBF96A", {"mario-kart-8"}),
        ("pokémon bank", {"pokemon-bank"}),
        ("pokemon bank", {"pokemon-bank"}),
        ("no such game", set()),
        ("", set(slugs())),
    ],
)
def test_search(text: str, expected: set[str]) -> None:
    assert {profile.slug for profile in search(text)} == expected


def test_closest_names_what_may_have_been_meant() -> None:
    assert closest("mario-cart-8")[0] == "mario-kart-8"
    assert closest("Mario_Kart_8")[0] == "mario-kart-8"
    assert "mh4" in closest("monster-hunter")
    assert closest("qqqqqq") == ()
