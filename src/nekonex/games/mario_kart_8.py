"""Mario Kart 8: what its NEX 3.5 has in place of methods that later versions made generic.

Methods and fields as in NintendoClients' ``matchmaking_mk8.py`` and ``datastore.py``. Tournaments
(36 to 39 and 41 of the matchmake extension, "simple search") are not implemented.
"""

from __future__ import annotations

from typing import Any

from nekonex.domain.matchmaking import Company, Credentials
from nekonex.nex.datastore.replies import GetInfosReply
from nekonex.nex.datastore.server import DataStoreServer
from nekonex.nex.matchmake_extension import MatchmakeExtensionServer
from nekonex.nex.matchmake_extension.definition import SessionKey
from nekonex.nex.ranking import EarlyRankingServer
from nekonex.rmc import Session, method
from nekonex.wire import String, UInt16, UInt32, UInt64

__all__ = [
    "MarioKart8DataStoreServer",
    "MarioKart8MatchmakeExtensionServer",
    "MarioKart8RankingServer",
]


class MarioKart8MatchmakeExtensionServer(MatchmakeExtensionServer):
    """The matchmake extension as Mario Kart 8 has it."""

    generate_matchmake_session_system_password: Any = None
    clear_matchmake_session_system_password: Any = None
    create_matchmake_session_with_param: Any = None
    join_matchmake_session_with_param: Any = None
    auto_matchmake_with_param_postpone: Any = None
    find_matchmake_session_by_gathering_id_detail: Any = None

    @method(40)
    async def join_matchmake_session_with_extra_participants(
        self,
        client: Session,
        gid: UInt32,
        join_message: String,
        ignore_blacklist: bool,
        participation_count: UInt16,
        extra_participants: UInt32,
    ) -> SessionKey:
        """Join a session that has no password, with all players on the console."""
        session = await self.matchmaking.matchmaker.join(
            self.player_of(client),
            gid,
            Company(
                count=self.places_with(participation_count, extra_participants),
                message=join_message,
            ),
            Credentials(ignore_block_list=ignore_blacklist),
        )
        return session.session_key


class MarioKart8DataStoreServer(DataStoreServer):
    """The data store as Mario Kart 8 has it: it asks for files by the number that is 45 later.

    What 41, 42 and 44 were is not known, and 46 came later.
    """

    post_meta_binary_with_data_id: Any = None
    post_meta_binaries_with_data_id: Any = None
    rate_object_with_posting: Any = None
    rate_objects_with_posting: Any = None
    search_object_light: Any = None

    @method(43)
    async def get_object_infos(self, client: Session, data_ids: list[UInt64]) -> GetInfosReply:
        """Return where the files of objects are."""
        return await super().get_object_infos(client, data_ids)


class MarioKart8RankingServer(EarlyRankingServer):
    """Rankings as Mario Kart 8 has them; those of tournaments (14 to 16) are not implemented."""
