"""Where scores are kept, as a `typing.Protocol`; `nekonex.storage` has the adapters.

The order of a board is total and the same whether ascending or descending scores are better:
the better score first, of equals the earlier one, then the lower principal id, then the lower
unique id. A method that changes something returns when that is committed, and whatever is read
afterwards shows it. An outage is `nekonex.values.unavailable.ServiceUnavailable`, never an empty
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from nekonex.domain.ranking.model import (
    Board,
    RankCalculation,
    Score,
    ScoreKey,
    Statistics,
)

__all__ = [
    "CategorySummary",
    "Change",
    "ConfiguredOrder",
    "Friends",
    "PlayerKey",
    "Ranked",
    "Ranks",
    "ScoreStore",
    "Transition",
]


class Friends(Protocol):
    """Who is whose friend."""

    async def friends_of(self, pid: int) -> Collection[int]:
        """Return the friends of a player."""


Transition = Callable[[Score | None], Score | None]
"""Makes a score, or none, of what there is, or raises RankingError.

It has no side effects and waits for nothing, and keeps category, pid and unique id: a store may
call it several times and in a thread of its own; only the last outcome counts.
"""

ConfiguredOrder = Callable[[int], bool | None]
"""Whether the larger scores of a category are better; None where its first upload says so."""


class PlayerKey(NamedTuple):
    """What there is at most one piece of common data for."""

    pid: int
    unique_id: int


@dataclass(frozen=True, slots=True)
class Change:
    """A score before and after a transition."""

    before: Score | None
    after: Score | None


class Ranked(NamedTuple):
    """A score and its rank; 1 is the best."""

    rank: int
    score: Score


class Ranks(NamedTuple):
    """A part of a board, in its order."""

    total: int
    """How many the whole board has."""
    entries: Sequence[Ranked]


class CategorySummary(NamedTuple):
    """A category that exists."""

    category: int
    descending: bool
    """Whether larger scores are better."""
    scores: int
    """How many there are."""


class ScoreStore(Protocol):
    """The scores of one game, and the common data of its players.

    Boards of categories that do not exist are empty.
    """

    async def load(self, configured: ConfiguredOrder) -> None:
        """Make ready to answer; called once, before anything else."""

    async def order_of(self, category: int) -> bool | None:
        """Return whether larger scores are better in a category; None if it does not exist."""

    async def categories(self) -> Sequence[CategorySummary]:
        """Return all categories, by their numbers."""

    async def fix_order(
        self, category: int, *, descending: bool, max_categories: int | None
    ) -> bool:
        """Make a category with this order if it does not exist, and return the order it has.

        Raises RankingError (NOT_ALLOWED) for a new one if there are ``max_categories``.
        """

    async def change(
        self, key: ScoreKey, transition: Transition, *, max_unique_ids: int | None = None
    ) -> Change:
        """Apply a transition to a score of a category that exists, atomically.

        Raises RankingError, and changes nothing: what the transition raises, and NOT_ALLOWED if
        it makes a new score and the player has ``max_unique_ids`` in the category.
        """

    async def change_all(
        self, pid: int, unique_id: int | None, transition: Transition
    ) -> Sequence[Change]:
        """Apply a transition to each score of a player, all or none, and return the changes.

        The scores are those of one unique id, or of all with None. Raises what the transition
        raises.
        """

    async def put_common_data(self, key: PlayerKey, data: bytes, *, max_unique_ids: int) -> None:
        """Store common data in place of what there was.

        Raises RankingError (NOT_ALLOWED) if the player has it for ``max_unique_ids`` others.
        """

    async def delete_common_data(self, pid: int, unique_id: int | None) -> int:
        """Remove the common data of one unique id, or of all with None; return how many."""

    async def common_data(self, keys: Collection[PlayerKey]) -> Mapping[PlayerKey, bytes]:
        """Return the common data of players, without those who have none."""

    async def page(
        self,
        board: Board,
        calculation: RankCalculation,
        offset: int,
        count: int,
        *,
        among: Collection[int] | None = None,
    ) -> Ranks:
        """Return up to ``count`` scores from ``offset`` on.

        With ``among``, as if the board had only the scores of these players.
        """

    async def around(
        self,
        board: Board,
        calculation: RankCalculation,
        pid: int,
        unique_id: int,
        count: int,
        *,
        among: Collection[int] | None = None,
    ) -> Ranks:
        """Return up to ``count`` scores, beginning half as many before a player's own.

        That is the one of this unique id; for 0 also the best of the player's, if it has none
        with 0. There are no entries if the player has none. ``among`` is as in `page`.
        """

    async def of_players(
        self,
        board: Board,
        calculation: RankCalculation,
        pids: Collection[int],
        unique_id: int | None,
        count: int,
    ) -> Ranks:
        """Return the best ``count`` scores of players, with their ranks among all.

        ``unique_id`` says which; None: all of each player's.
        """

    async def of_unique_ids(
        self, board: Board, calculation: RankCalculation, unique_ids: Collection[int], count: int
    ) -> Ranks:
        """Return the best ``count`` scores of unique ids, with their ranks among all.

        Of one that very many players share, some may be missing. 0, which nobody has alone, has
        none here.
        """

    async def count_better(self, board: Board, score: int) -> int:
        """Return how many scores are better than this number; 0 if there is no such category."""

    async def statistics(self, board: Board) -> Statistics:
        """Return numbers about all scores of a board."""
