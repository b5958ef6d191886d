from __future__ import annotations

from dataclasses import replace

import pytest

from nekonex.domain.matchmaking import (
    MatchmakeSession,
    NumberFilter,
    Selection,
    SessionQuery,
    SessionRule,
    TitleRules,
    parse_filter,
)

SESSION = MatchmakeSession(
    game_mode=4,
    attributes=(1, 2, 3, 4, 5, 6),
    matchmake_system=1,
    min_participants=2,
    max_participants=8,
    param={"A": 1, "@B": 2},
    application_data=b"x",
    codeword="word",
)
QUERY = SessionQuery(
    game_mode=NumberFilter.of(4), attributes=tuple(NumberFilter.of(n) for n in range(6))
)


def test_without_rules_nothing_changes() -> None:
    rules = TitleRules()
    assert rules.clean_query(QUERY) is QUERY
    assert rules.clean_template(SESSION) is SESSION
    assert rules.created.applied(SESSION) is SESSION
    assert rules.matched.applied(SESSION) is SESSION
    assert SessionRule().changes == {}


def test_ignored_attributes_are_not_looked_at() -> None:
    cleaned = TitleRules(ignored_attributes=frozenset({1, 5})).clean_query(QUERY)
    assert cleaned.attributes == tuple(
        None if at in {1, 5} else QUERY.attributes[at] for at in range(6)
    )
    assert replace(cleaned, attributes=QUERY.attributes) == QUERY


def test_attributes_of_criteria_are_written_over() -> None:
    rules = TitleRules(
        criteria_attributes={0: "7", 2: "1,8", 3: "", 4: "9"}, ignored_attributes=frozenset({4})
    )
    cleaned = rules.clean_query(QUERY)
    assert cleaned.attributes == (
        NumberFilter.of(7),
        QUERY.attributes[1],
        parse_filter("1,8"),
        None,
        None,
        QUERY.attributes[5],
    )


@pytest.mark.parametrize("selection", [Selection.NEAREST, Selection.BROADEN])
def test_a_rating_that_the_game_leaves_out_is_written_in(selection: Selection) -> None:
    asked = SessionQuery(selection=selection, rating=None)
    assert not asked.matches(SESSION)
    cleaned = TitleRules(criteria_attributes={1: "7"}).clean_query(asked)
    assert (cleaned.rating, cleaned.lacks_rating) == (7, False)
    assert cleaned.matches(SESSION)
    assert TitleRules(criteria_attributes={1: "x"}).clean_query(cleaned).lacks_rating
    assert TitleRules(criteria_attributes={2: "7"}).clean_query(asked).lacks_rating


def test_templates_are_written_over() -> None:
    rules = TitleRules(template_attributes={0: 9, 5: 0}, template_game_mode=0)
    cleaned = rules.clean_template(SESSION)
    assert cleaned == replace(SESSION, attributes=(9, 2, 3, 4, 5, 0), game_mode=0)
    assert SESSION.attributes == (1, 2, 3, 4, 5, 6)


def test_parameters_of_the_game_and_the_buffer_are_cleared() -> None:
    assert TitleRules(clear_param=True).clean_template(SESSION) == replace(SESSION, param={"@B": 2})
    cleaned = TitleRules(clear_application_data=True).clean_template(SESSION)
    assert cleaned == replace(SESSION, application_data=b"")


def test_the_search_like_a_template() -> None:
    query = TitleRules().query_of_template(SESSION, 3)
    assert query.matches(replace(SESSION, attributes=(1, 999, 3, 4, 5, 6), option=7))
    assert (query.selection, query.rating, query.places) == (Selection.NEAREST, 2, 3)
    for unlike in (
        {"game_mode": 5},
        {"min_participants": 1},
        {"max_participants": 9},
        {"matchmake_system": 2},
        {"codeword": ""},
        {"codeword": "Word"},
        *[
            {"attributes": tuple(n + (at == index) for at, n in enumerate(SESSION.attributes))}
            for index in (0, 2, 3, 4, 5)
        ],
    ):
        assert not query.matches(replace(SESSION, **unlike)), unlike  # type: ignore[arg-type]


def test_what_criteria_are_not_to_look_at_still_counts_in_a_template() -> None:
    query = TitleRules(ignored_attributes=frozenset({4})).query_of_template(SESSION, 1)
    assert query.matches(SESSION)
    assert not query.matches(replace(SESSION, attributes=(1, 2, 3, 4, 99, 6)))


def test_a_template_without_a_codeword_finds_no_session_that_has_one() -> None:
    query = TitleRules().query_of_template(replace(SESSION, codeword=""), 1)
    assert not query.matches(SESSION)
    assert query.matches(replace(SESSION, codeword=""))


@pytest.mark.parametrize("game_mode", [None, 4, 0, 5])
def test_rules_are_for_one_game_mode_or_all(game_mode: int | None) -> None:
    rule = SessionRule(game_mode=game_mode, open_participation=False, user_password_enabled=True)
    applied = rule.applied(SESSION)
    if game_mode in {None, 4}:
        expected = replace(SESSION, open_participation=False, user_password_enabled=True)
        assert applied == expected
        assert rule.applied(applied) is applied
    else:
        assert applied is SESSION


def test_a_rule_for_game_mode_0_is_not_one_for_all() -> None:
    rule = SessionRule(game_mode=0, open_participation=False)
    assert rule.applied(SESSION) is SESSION
    zero = replace(SESSION, game_mode=0)
    assert not rule.applied(zero).open_participation
