"""What a title's server writes over what its consoles send, as data.

Some games ask for what can never match, or leave sessions in a state that nobody can join; the
public servers for them correct that with code of their own. Here it is data of the title's
profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nekonex.domain.matchmaking.model import RATING_ATTRIBUTE, MatchmakeSession
from nekonex.domain.matchmaking.search.query import (
    ANY_ATTRIBUTES,
    NumberFilter,
    Selection,
    SessionQuery,
    parse_filter,
    parse_number,
)

__all__ = ["SessionRule", "TitleRules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRule:
    """Values that are written into sessions of one game mode, or of all; None is left alone."""

    game_mode: int | None = None
    """Which sessions; None: all."""
    open_participation: bool | None = None
    user_password_enabled: bool | None = None

    @property
    def changes(self) -> Mapping[str, bool]:
        """The values to write, by field."""
        values = {
            "open_participation": self.open_participation,
            "user_password_enabled": self.user_password_enabled,
        }
        return {name: value for name, value in values.items() if value is not None}

    def applied(self, session: MatchmakeSession) -> MatchmakeSession:
        """Return a session as the rule wants it."""
        if self.game_mode not in {None, session.game_mode}:
            return session
        changes: dict[str, Any] = {
            name: value for name, value in self.changes.items() if getattr(session, name) != value
        }
        return replace(session, **changes) if changes else session


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleRules:
    """How a title's searches and sessions are cleaned; the default changes nothing."""

    ignored_attributes: frozenset[int] = frozenset()
    """Attributes that a search by criteria does not look at."""
    criteria_attributes: Mapping[int, str] = field(default_factory=dict)
    """What is written into the attributes of every search criterion."""
    template_attributes: Mapping[int, int] = field(default_factory=dict)
    """What is written into the attributes of the session that AutoMatchmake is given, where it
    looks for sessions like that one; searches by criteria compare what others left as it was."""
    template_game_mode: int | None = None
    clear_param: bool = False
    clear_application_data: bool = False
    created: SessionRule = SessionRule()
    """Applied to each session when it is created."""
    matched: SessionRule = SessionRule()
    """Applied to the sessions that exist, before a search by criteria that is to join one."""
    ignore_closing_by_others: bool = False
    """Whether others than the owner are told that they closed a session, which stays open."""

    def clean_query(self, query: SessionQuery) -> SessionQuery:
        """Return a search by criteria as the title needs it."""
        if not self.ignored_attributes and not self.criteria_attributes:
            return query
        forced = {index: parse_filter(text) for index, text in self.criteria_attributes.items()}
        attributes = [
            None if index in self.ignored_attributes else forced.get(index, wanted)
            for index, wanted in enumerate(query.attributes)
        ]
        rating = query.rating
        if query.selection.by_rating and RATING_ATTRIBUTE in forced:
            # There attribute 1 is no condition, but where the search starts from.
            rating = parse_number(self.criteria_attributes[RATING_ATTRIBUTE])
        return replace(query, attributes=tuple(attributes), rating=rating)

    def clean_template(self, template: MatchmakeSession) -> MatchmakeSession:
        """Return the session that AutoMatchmake without criteria is given as the title needs it."""
        changes: dict[str, Any] = {}
        if self.template_attributes:
            changes["attributes"] = tuple(
                self.template_attributes.get(index, value)
                for index, value in enumerate(template.attributes)
            )
        if self.template_game_mode is not None:
            changes["game_mode"] = self.template_game_mode
        if self.clear_param:
            # Names with @ are the server's own.
            own = {name: value for name, value in template.param.items() if name.startswith("@")}
            changes["param"] = own
        if self.clear_application_data:
            changes["application_data"] = b""
        return replace(template, **changes) if changes else template

    def query_of_template(self, template: MatchmakeSession, places: int) -> SessionQuery:
        """Return the search for sessions like a template, which AutoMatchmake begins with."""
        attributes = list(ANY_ATTRIBUTES)
        for index in (0, 2, 3, 4, 5):
            attributes[index] = NumberFilter.of(template.attributes[index])
        return SessionQuery(
            game_mode=NumberFilter.of(template.game_mode),
            matchmake_system=NumberFilter.of(template.matchmake_system),
            min_participants=NumberFilter.of(template.min_participants),
            max_participants=NumberFilter.of(template.max_participants),
            attributes=tuple(attributes),
            codeword=template.codeword,
            without_codeword=not template.codeword,
            places=places,
            selection=Selection.NEAREST,
            rating=template.rating,
        )
