"""What a game may add to the rules of rankings."""

from __future__ import annotations

from nekonex.domain.ranking.model import ScoreUpload

__all__ = ["RankingHooks"]


class RankingHooks:
    """Override what differs; nothing here changes anything.

    Each may raise `nekonex.values.RMCError` to say what the console is told instead.
    """

    async def validate_score(
        self,
        pid: int,  # noqa: ARG002
        upload: ScoreUpload,  # noqa: ARG002
        unique_id: int,  # noqa: ARG002
    ) -> bool:
        """Tell whether a score can be true; where it cannot, the console is told InvalidScore."""
        return True

    async def common_data(self, pid: int, unique_id: int, data: bytes) -> bytes:  # noqa: ARG002
        """Return what is stored for the common data that a player uploads.

        Its size was checked already; what is returned may have any size.
        """
        return data
