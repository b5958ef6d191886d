"""What a change makes of a block list, the same however lists are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal

__all__ = ["changed_block_list"]


def changed_block_list(
    before: Sequence[int], add: Collection[int], remove: Collection[int], limit: int
) -> list[int]:
    """Return a block list after a change, in the order of blocking.

    Who is blocked already keeps the place in that order; who is removed and added is blocked
    anew. Raises MatchmakingError (INVALID) if more than ``limit`` would be blocked; of a list that
    is too long already, from when the limit was higher, somebody may still be removed.
    """
    removed = set(remove)
    # A dict, for a set that keeps its order.
    after = dict.fromkeys(pid for pid in before if pid not in removed)
    after.update(dict.fromkeys(add))
    if len(after) > limit and not after.keys() <= set(before):
        raise MatchmakingError(
            Refusal.INVALID, f"{len(after)} on the block list, at most {limit} may be"
        )
    return list(after)
