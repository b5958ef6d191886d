"""All boards of one category, which change together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from nekonex.domain.ranking.model import Board, GroupFilter
from nekonex.storage.ranking.boards import SortedBoard
from nekonex.storage.ranking.derived import Derived, GroupBoards, UniqueIds, Window
from nekonex.storage.ranking.entries import PID, UNIQUE_ID, Entry, EntryMap, group_of

__all__ = ["Category", "in_group"]


class Category:
    """The boards of one category."""

    def __init__(self, *, descending: bool, entries: Iterable[Entry] = ()) -> None:
        self.descending = descending
        self.board = SortedBoard(entries)
        self._players = EntryMap(PID)
        for entry in self.board.islice(0, len(self.board)):
            self._players.add(entry)
        self._groups: dict[int, GroupBoards] = {}
        self._unique_ids: UniqueIds | None = None
        self._windows: dict[Board, Window] = {}

    def entry(self, pid: int, unique_id: int) -> Entry | None:
        """Return the entry of one unique id of a player."""
        for entry in self._players.of(pid):
            if entry[UNIQUE_ID] == unique_id:
                return entry
        return None

    def entries(self, pid: int, unique_id: int | None = None) -> Sequence[Entry]:
        """Return the entries of a player in their order, of one unique id or of all."""
        found = self._players.of(pid)
        if unique_id is None:
            return found
        return [entry for entry in found if entry[UNIQUE_ID] == unique_id]

    def entries_of_all(self, pids: Collection[int]) -> list[Entry]:
        """Return all entries of players."""
        return self._players.of_all(set(pids))

    def replace(self, old: Entry | None, new: Entry | None) -> None:
        """Put an entry in place of another everywhere; None stands for none."""
        if old == new:
            return
        if old is not None:
            self.board.remove(old)
            self._players.remove(old)
        if new is not None:
            self.board.add(new)
            self._players.add(new)
        for derived in self._derived():
            derived.replace(old, new)
        for board, window in self._windows.items():
            window.replace(
                old if old and in_group(old, board.group) else None,
                new if new and in_group(new, board.group) else None,
            )

    async def unique_ids(self) -> EntryMap:
        """Return the entries by unique id."""
        if self._unique_ids is None:
            self._unique_ids = UniqueIds(self.board)
        await self._unique_ids.build()
        return self._unique_ids.entries

    async def of_group(self, group: GroupFilter | None) -> SortedBoard:
        """Return the board of a group; it stays the same one."""
        if group is None:
            return self.board
        boards = self._groups.get(group.index)
        if boards is None:
            boards = self._groups[group.index] = GroupBoards(self.board, group.index)
        await boards.build()
        return boards.board(group.value)

    def window(self, key: Board) -> Window | None:
        """Return a window."""
        return self._windows.get(key)

    def add_window(self, key: Board, window: Window) -> None:
        """Tell a window of changes from now on."""
        self._windows[key] = window

    def drop_window(self, key: Board) -> None:
        """Forget a window."""
        del self._windows[key]

    def _derived(self) -> Iterable[Derived]:
        yield from self._groups.values()
        if self._unique_ids is not None:
            yield self._unique_ids


def in_group(entry: Entry, group: GroupFilter | None) -> bool:
    """Tell whether an entry is in a group; all are where none is given."""
    return group is None or group_of(entry, group.index) == group.value
