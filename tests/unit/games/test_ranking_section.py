"""What a profile or a configuration says of rankings."""

from typing import Any

import pytest
from pydantic import ValidationError

from nekonex.domain.ranking import Period, RankingRules
from nekonex.games.fields import EnvironmentText
from nekonex.games.profiles import all_profiles, load_profile
from nekonex.games.schema import RankingSection


def test_nothing_said_means_that_uploads_say_it() -> None:
    assert RankingSection().rules() == RankingRules()


def test_every_key_becomes_a_rule() -> None:
    section = RankingSection.model_validate(
        {
            "order": "descending",
            "categories": {"5": "ascending", "4294967295": "descending"},
            "time_scopes": {"0": "week", "1": 3600},
            "max_common_data": 512,
            "common_data_size": 212,
        }
    )
    rules = section.rules()
    assert rules == RankingRules(
        descending=True,
        categories={5: False, 4294967295: True},
        windows={0: Period.WEEK, 1: 3600.0},
        max_common_data=512,
        common_data_size=212,
    )
    assert [rules.order_of(category) for category in (5, 6, 4294967295)] == [False, True, True]


def test_values_of_environment_variables() -> None:
    section = RankingSection.model_validate(
        {
            "time_scopes": {"0": EnvironmentText("month"), "1": EnvironmentText("1.5")},
            "common_data_size": EnvironmentText("212"),
        }
    )
    assert section.time_scopes == {0: Period.MONTH, 1: 1.5}
    assert section.common_data_size == 212


@pytest.mark.parametrize(
    "keys",
    [
        {"order": "up"},
        {"categories": {"5": "upload"}},
        {"categories": {"-1": "ascending"}},
        {"categories": {"4294967296": "ascending"}},
        {"time_scopes": {"2": "day"}},
        {"time_scopes": {"0": "year"}},
        {"time_scopes": {"0": "3600"}},
        {"time_scopes": {"0": 0}},
        {"time_scopes": {"0": True}},
        {"time_scopes": {"0": float("inf")}},
        {"time_scopes": {"0": EnvironmentText("nan")}},
        {"common_data_size": 0},
        {"max_common_data": 0},
        {"colour": 1},
    ],
)
def test_bad_values_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RankingSection.model_validate(keys)


def test_mario_kart_8_ranks_times_and_has_common_data_of_one_size() -> None:
    rules = load_profile("mario-kart-8").ranking.rules()
    assert rules.order_of(0) is False
    assert rules.common_data_size == 0xD4


def test_every_profile_has_rules() -> None:
    for profile in all_profiles():
        profile.ranking.rules()
