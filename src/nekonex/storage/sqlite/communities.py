"""Communities and their members in SQLite.

A transition runs inside the transaction that stores its outcome, and that transaction begins as
a writer, so nothing that the transition checked can change before, not by another process
either. It runs in the database's thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nekonex.domain.matchmaking.model import LAST_COMMUNITY_GID, Community, Participant
from nekonex.domain.matchmaking.ports import Change, Transition
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.storage.sqlite.database import Database
from nekonex.storage.sqlite.integers import from_sql, to_sql
from nekonex.values import DateTime

__all__ = ["SqliteCommunityStore"]

_Row = tuple[Any, ...]

_SELECT = """
    SELECT gid, owner, host, min_participants, max_participants, policy, policy_argument, flags,
        state, description, session_url, registered, type, password, attributes,
        application_data, participation_start, participation_end
    FROM communities
"""

_BY_GID = f"{_SELECT} WHERE game = :game AND gid = :gid"

# The plus keeps it off the index of owners, by which each page would sort all of the game's.
_PAGE = f"{_SELECT} WHERE +game = :game AND gid > :after ORDER BY gid LIMIT :limit"

_OF_OWNER = f"""{_SELECT} WHERE game = :game AND owner = :pid
    ORDER BY gid LIMIT :limit OFFSET :offset"""

_OF_PARTICIPANT = f"""{_SELECT} JOIN community_members USING (gid)
    WHERE pid = :pid AND game = :game ORDER BY community_members.gid"""

# 2 is CommunityType.OFFICIAL: a literal, because the index is of these only.
_OFFICIAL = f"""{_SELECT} WHERE game = :game AND type = 2
    ORDER BY gid LIMIT :limit OFFSET :offset"""

# The pairs compare as unsigned numbers, see `to_sql`.
_OFFICIAL_AT = f"""{_SELECT} WHERE game = :game AND type = 2
    AND (participation_start < 0, participation_start) <= (:at < 0, :at)
    AND (participation_end = 0
        OR (participation_end < 0, participation_end) >= (:at < 0, :at))
    ORDER BY gid LIMIT :limit OFFSET :offset"""

_INSERT = """
    INSERT INTO communities VALUES (
        NULL, :game, :owner, :host, :min_participants, :max_participants, :policy,
        :policy_argument, :flags, :state, :description, :session_url, :registered, :type,
        :password, :attributes, :application_data, :participation_start, :participation_end
    )
"""

_UPDATE = """
    UPDATE communities SET
        owner = :owner, host = :host, min_participants = :min_participants,
        max_participants = :max_participants, policy = :policy,
        policy_argument = :policy_argument, flags = :flags, state = :state,
        description = :description, session_url = :session_url, registered = :registered,
        type = :type, password = :password, attributes = :attributes,
        application_data = :application_data, participation_start = :participation_start,
        participation_end = :participation_end
    WHERE gid = :gid
"""

_COUNT_OWNED = "SELECT count(*) FROM communities WHERE game = ? AND owner = ?"

_COUNT_JOINED = """
    SELECT count(*) FROM community_members JOIN communities USING (gid)
    WHERE pid = ? AND game = ?
"""

_MEMBERS = """
    SELECT gid, pid, position, connection_id, places, message, visits FROM community_members
    WHERE gid = ? ORDER BY position
"""

_PUT_MEMBER = "INSERT OR REPLACE INTO community_members VALUES (?, ?, ?, ?, ?, ?, ?)"

_COUNT_VISIT = """
    UPDATE community_members SET visits = visits + 1
    WHERE gid = (SELECT gid FROM communities WHERE game = ? AND gid = ?) AND pid = ?
"""

_REMOVE_MEMBER = "DELETE FROM community_members WHERE gid = ? AND pid = ?"


class SqliteCommunityStore:
    """`nekonex.domain.matchmaking.ports.CommunityStore` of one game.

    Gids count up from 1 over all games of the database.
    """

    def __init__(self, database: Database, game: str) -> None:
        self._database = database
        self._game = game

    async def create(
        self, gathering: Community, *, max_owned: int | None = None, max_joined: int | None = None
    ) -> Community:
        """Store a community under a new gid.

        Raises MatchmakingError: TOO_MANY_OWNED, TOO_MANY_JOINED, TOO_MANY.
        """
        values = {**_values(gathering), "game": self._game}

        def insert(connection: sqlite3.Connection) -> Community:
            if max_owned is not None:
                owned = _count(connection, _COUNT_OWNED, self._game, values["owner"])
                if owned >= max_owned:
                    raise MatchmakingError(
                        Refusal.TOO_MANY_OWNED, f"{owned}, at most {max_owned} may be"
                    )
            if max_joined is not None:
                self._check_joined(connection, gathering.pids, max_joined)
            gid = connection.execute(_INSERT, values).lastrowid or 0
            if gid > LAST_COMMUNITY_GID:
                raise MatchmakingError(Refusal.TOO_MANY, "no number is left for a community")
            rows = _member_rows(gid, gathering.participants, {})
            connection.executemany(_PUT_MEMBER, rows.values())
            return replace(gathering, gid=gid)

        return await self._database.write(insert)

    async def get(self, gid: int) -> Community | None:
        """Return a community."""
        found = await self._select(_BY_GID, gid=gid)
        return found[0] if found else None

    async def change(
        self, gid: int, transition: Transition[Community], *, max_joined: int | None = None
    ) -> Change[Community]:
        """Apply a transition to a community, in one transaction.

        Raises MatchmakingError: UNKNOWN_GATHERING, TOO_MANY_JOINED, what the transition raises;
        ValueError if the transition changes the gid.
        """

        def apply(connection: sqlite3.Connection) -> Change[Community]:
            row = connection.execute(_BY_GID, {"game": self._game, "gid": gid}).fetchone()
            if row is None:
                raise MatchmakingError(Refusal.UNKNOWN_GATHERING, f"gid {gid}")
            member_rows = connection.execute(_MEMBERS, (gid,)).fetchall()
            before = _community(row, member_rows)
            outcome = transition(before)
            after = outcome.after
            if after is None:
                connection.execute("DELETE FROM communities WHERE gid = ?", (gid,))
            else:
                if after.gid != gid:
                    raise ValueError(f"a transition made community {after.gid} of {gid}")
                if max_joined is not None:
                    joined = set(after.pids).difference(before.pids)
                    self._check_joined(connection, joined, max_joined)
                _replace(connection, before, after, member_rows)
            return Change(before, outcome)

        return await self._database.write(apply)

    async def of_owner(self, pid: int, offset: int, limit: int) -> Sequence[Community]:
        """Return what a player owns, the oldest first."""
        return await self._select(_OF_OWNER, pid=to_sql(pid), offset=offset, limit=limit)

    async def of_participant(self, pid: int) -> Sequence[Community]:
        """Return what a player is a member of, the oldest community first."""
        return await self._select(_OF_PARTICIPANT, pid=to_sql(pid))

    async def page(self, after: int, limit: int) -> Sequence[Community]:
        """Return up to ``limit`` communities with larger gids, in their order."""
        return await self._select(_PAGE, after=after, limit=limit)

    async def official(
        self, offset: int, limit: int, *, at: DateTime | None = None
    ) -> Sequence[Community]:
        """Return official communities, the oldest first; with ``at`` those open at that time."""
        if at is None:
            return await self._select(_OFFICIAL, offset=offset, limit=limit)
        return await self._select(_OFFICIAL_AT, offset=offset, limit=limit, at=to_sql(at.value))

    async def count_visits(self, gid: int, pids: Collection[int]) -> None:
        """Add 1 to the visits of those of these players who are members of a community."""
        visitors = [(self._game, gid, to_sql(pid)) for pid in pids]

        def add(connection: sqlite3.Connection) -> None:
            connection.executemany(_COUNT_VISIT, visitors)

        await self._database.write(add)

    async def count(self) -> int:
        """Return how many communities there are."""
        sql = "SELECT count(*) FROM communities WHERE game = ?"
        return await self._database.read(lambda connection: _count(connection, sql, self._game))

    async def _select(self, sql: str, **parameters: int) -> list[Community]:
        def select(connection: sqlite3.Connection) -> list[Community]:
            rows = connection.execute(sql, {"game": self._game, **parameters}).fetchall()
            return [_community(row, connection.execute(_MEMBERS, row[:1])) for row in rows]

        return await self._database.read(select)

    def _check_joined(
        self, connection: sqlite3.Connection, pids: Iterable[int], limit: int
    ) -> None:
        for pid in pids:
            joined = _count(connection, _COUNT_JOINED, to_sql(pid), self._game)
            if joined >= limit:
                raise MatchmakingError(
                    Refusal.TOO_MANY_JOINED, f"PID {pid} is in {joined}, at most {limit} may be"
                )


def _count(connection: sqlite3.Connection, sql: str, *parameters: object) -> int:
    return int(connection.execute(sql, parameters).fetchone()[0])


def _replace(
    connection: sqlite3.Connection, before: Community, after: Community, member_rows: Sequence[_Row]
) -> None:
    """Write what is different in ``after``; ``member_rows`` are those of ``before``."""
    gid = before.gid
    values = _values(after)
    if values != _values(before):
        connection.execute(_UPDATE, {**values, "gid": gid})
    old = {row[1]: row for row in member_rows}
    new = _member_rows(gid, after.participants, {pid: row[2] for pid, row in old.items()})
    gone = [(gid, pid) for pid in old if pid not in new]
    connection.executemany(_REMOVE_MEMBER, gone)
    changed = [row for pid, row in new.items() if row != old.get(pid)]
    connection.executemany(_PUT_MEMBER, changed)


def _member_rows(
    gid: int, participants: Sequence[Participant], positions: Mapping[int, int]
) -> dict[int, _Row]:
    """Return the rows of members by pid, each where it was if that is after the one before it.

    Raises ValueError if somebody is listed twice.
    """
    rows: dict[int, _Row] = {}
    last = -1
    for member in participants:
        pid = to_sql(member.pid)
        last = max(positions.get(pid, 0), last + 1)
        rows[pid] = (
            gid,
            pid,
            last,
            to_sql(member.connection_id),
            to_sql(member.count),
            member.message,
            to_sql(member.visits),
        )
    if len(rows) < len(participants):
        raise ValueError(f"a member of community {gid} is listed twice")
    return rows


def _values(community: Community) -> dict[str, object]:
    """Return the columns of a community that do not depend on where it is stored."""
    return {
        "owner": to_sql(community.owner),
        "host": to_sql(community.host),
        "min_participants": to_sql(community.min_participants),
        "max_participants": to_sql(community.max_participants),
        "policy": to_sql(community.policy),
        "policy_argument": to_sql(community.policy_argument),
        "flags": to_sql(community.flags),
        "state": to_sql(community.state),
        "description": community.description,
        "session_url": community.session_url,
        "registered": community.registered,
        "type": to_sql(community.type),
        "password": community.password,
        "attributes": json.dumps(community.attributes),
        "application_data": community.application_data,
        "participation_start": to_sql(community.participation_start.value),
        "participation_end": to_sql(community.participation_end.value),
    }


def _community(row: _Row, member_rows: Iterable[_Row]) -> Community:
    (
        gid,
        *numbers,
        description,
        session_url,
        registered,
        kind,
        password,
        attributes,
        application_data,
        start,
        end,
    ) = row
    owner, host, least, most, policy, argument, flags, state = map(from_sql, numbers)
    return Community(
        gid=gid,
        owner=owner,
        host=host,
        min_participants=least,
        max_participants=most,
        policy=policy,
        policy_argument=argument,
        flags=flags,
        state=state,
        description=description,
        participants=tuple([_participant(member) for member in member_rows]),
        session_url=session_url,
        registered=registered,
        type=from_sql(kind),
        password=password,
        attributes=tuple(json.loads(attributes)),
        application_data=application_data,
        participation_start=DateTime(from_sql(start)),
        participation_end=DateTime(from_sql(end)),
    )


def _participant(row: _Row) -> Participant:
    _, pid, _, connection_id, places, message, visits = row
    return Participant(
        from_sql(pid), from_sql(connection_id), from_sql(places), message, from_sql(visits)
    )
