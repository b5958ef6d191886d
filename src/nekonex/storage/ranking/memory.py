"""Scores in memory only: for tests and trials."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nekonex.domain.ranking.model import ScoreKey
from nekonex.domain.ranking.ports import Change, ConfiguredOrder, PlayerKey, Transition
from nekonex.domain.ranking.refusals import RankingError, Refusal
from nekonex.storage.ranking.category import Category
from nekonex.storage.ranking.index import MAX_WINDOWS, IndexedScores, too_many_unique_ids

__all__ = ["MemoryScoreStore"]


class MemoryScoreStore(IndexedScores):
    """`nekonex.domain.ranking.ports.ScoreStore` of one game, gone with the process."""

    def __init__(self, *, max_windows: int = MAX_WINDOWS) -> None:
        super().__init__(max_windows=max_windows)
        self._configured: ConfiguredOrder = _not_configured
        self._common_data: dict[int, dict[int, bytes]] = {}
        """By pid and unique id."""

    async def load(self, configured: ConfiguredOrder) -> None:
        """Take note of the orders that are configured."""
        self._configured = configured

    async def fix_order(
        self, category: int, *, descending: bool, max_categories: int | None
    ) -> bool:
        """Make a category with this order if it does not exist, and return the order it has."""
        found = self._categories.get(category)
        if found is not None:
            return found.descending
        if max_categories is not None and len(self._categories) >= max_categories:
            raise RankingError(Refusal.NOT_ALLOWED, f"at most {max_categories} categories may be")
        configured = self._configured(category)
        order = descending if configured is None else configured
        self._categories[category] = Category(descending=order)
        return order

    async def change(
        self, key: ScoreKey, transition: Transition, *, max_unique_ids: int | None = None
    ) -> Change:
        """Apply a transition to a score."""
        before = self._get(key)
        after = transition(before)
        if before is None and after is not None and max_unique_ids is not None:
            known = len(self._categories[key.category].entries(key.pid))
            if known >= max_unique_ids:
                raise too_many_unique_ids(max_unique_ids)
        self._put(key, after)
        return Change(before, after)

    async def change_all(
        self, pid: int, unique_id: int | None, transition: Transition
    ) -> Sequence[Change]:
        """Apply a transition to each score of a player, all or none."""
        before = {key: self._get(key) for key in self._keys_of(pid, unique_id)}
        after = {key: transition(score) for key, score in before.items()}
        for key, score in after.items():
            self._put(key, score)
        return [Change(before[key], after[key]) for key in before]

    async def put_common_data(self, key: PlayerKey, data: bytes, *, max_unique_ids: int) -> None:
        """Store common data in place of what there was."""
        known = self._common_data.get(key.pid, {})
        if key.unique_id not in known and len(known) >= max_unique_ids:
            raise too_many_unique_ids(max_unique_ids)
        self._common_data.setdefault(key.pid, known)[key.unique_id] = data

    async def delete_common_data(self, pid: int, unique_id: int | None) -> int:
        """Remove the common data of one unique id, or of all with None; return how many."""
        if unique_id is None:
            return len(self._common_data.pop(pid, ()))
        return self._common_data.get(pid, {}).pop(unique_id, None) is not None

    async def common_data(self, keys: Collection[PlayerKey]) -> Mapping[PlayerKey, bytes]:
        """Return the common data of players, without those who have none."""
        found = {key: self._common_data.get(key.pid, {}).get(key.unique_id) for key in keys}
        return {key: data for key, data in found.items() if data is not None}


def _not_configured(_: int) -> None:
    """Leave the order of every category to its first upload."""
