"""Who may see and who may change an object.

The order of the checks is that of the protocol: whether it is there, then its status, then the
permission.
"""

from __future__ import annotations

from collections.abc import Collection

from nekonex.domain.datastore.model import (
    SYSTEM_DATA_IDS,
    SYSTEM_PID,
    Level,
    Permission,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.lifetimes import is_expired

__all__ = [
    "admits",
    "check_access",
    "check_changeable",
    "check_there",
    "check_update",
    "depends_on_friends",
]


def admits(permission: Permission, owner: int, pid: int, friends: Collection[int]) -> bool:
    """Tell whether a permission lets a player in, who has these friends."""
    match permission.level:
        case Level.PUBLIC:
            return True
        case Level.FRIENDS:
            return owner == pid or owner in friends
        case Level.SPECIFIED:
            return owner == pid or pid in permission.recipients
        case Level.SPECIFIED_FRIENDS:
            return owner == pid or (owner in friends and pid in permission.recipients)
    return owner == pid


def depends_on_friends(permission: Permission, owner: int, pid: int) -> bool:
    """Tell whether it has to be known whose friend a player is, to tell whether it is let in."""
    if owner == pid:
        return False
    level = permission.level
    return level == Level.FRIENDS or (
        level == Level.SPECIFIED_FRIENDS and pid in permission.recipients
    )


def check_there(stored: StoredObject, pid: int, now: int) -> None:
    """Refuse an object that is not there, or not yet, for a player.

    Raises DataStoreError: NOT_FOUND if it is incomplete, expired or rejected, UNDER_REVIEW. Its
    owner sees it whatever a review found.
    """
    if not stored.complete or is_expired(stored, now):
        raise DataStoreError(Refusal.NOT_FOUND, f"object {stored.data_id}")
    if stored.owner == pid:
        return
    if stored.status == Status.PENDING:
        raise DataStoreError(Refusal.UNDER_REVIEW, f"object {stored.data_id}")
    if stored.status != Status.NORMAL:
        raise DataStoreError(Refusal.NOT_FOUND, f"object {stored.data_id} is rejected")


def check_access(
    stored: StoredObject, pid: int, friends: Collection[int], password: int = 0
) -> None:
    """Refuse a player that may not see an object. Raises NOT_PERMITTED or WRONG_PASSWORD."""
    _check(stored, stored.access, stored.access_password, pid, friends, password)


def check_update(
    stored: StoredObject, pid: int, friends: Collection[int], password: int = 0
) -> None:
    """Refuse a player that may not change an object.

    Raises DataStoreError: NOT_ALLOWED for an object of the game, NOT_PERMITTED, WRONG_PASSWORD.
    """
    check_changeable(stored)
    _check(stored, stored.update, stored.update_password, pid, friends, password)


def check_changeable(stored: StoredObject) -> None:
    """Refuse to change an object of the game itself. Raises DataStoreError: NOT_ALLOWED."""
    if stored.owner == SYSTEM_PID or stored.data_id in SYSTEM_DATA_IDS:
        raise DataStoreError(Refusal.NOT_ALLOWED, f"object {stored.data_id} is the game's")


def _check(
    stored: StoredObject,
    permission: Permission,
    secret: int,
    pid: int,
    friends: Collection[int],
    password: int,
) -> None:
    if admits(permission, stored.owner, pid, friends):
        return
    if not password:
        raise DataStoreError(Refusal.NOT_PERMITTED, f"PID {pid}, object {stored.data_id}")
    if password != secret:
        raise DataStoreError(Refusal.WRONG_PASSWORD, f"PID {pid}, object {stored.data_id}")
