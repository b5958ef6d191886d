"""Errors of the domain: each has a stable name and one clear sentence for a person.

Protocol servers map names to the codes of their protocol; the command line prints the sentence.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AccountError",
    "DomainError",
    "InvalidNameError",
    "InvalidPasswordError",
    "InvalidPidError",
    "NameTakenError",
    "NoFreePidError",
    "NoSuchAccountError",
    "PidTakenError",
]


class DomainError(Exception):
    """What was asked for is against a rule of the domain; nothing has changed."""

    name: ClassVar[str] = "domain"


class AccountError(DomainError):
    """An account cannot be made, found or changed as asked."""

    name: ClassVar[str] = "account"


class InvalidPidError(AccountError):
    """The principal id is out of range or belongs to a special user."""

    name: ClassVar[str] = "account.invalid_pid"


class InvalidNameError(AccountError):
    """The user name is not one that an account may have."""

    name: ClassVar[str] = "account.invalid_name"


class InvalidPasswordError(AccountError):
    """The password is not one that an account may have."""

    name: ClassVar[str] = "account.invalid_password"


class PidTakenError(AccountError):
    """Another account has this principal id."""

    name: ClassVar[str] = "account.pid_taken"

    def __init__(self, pid: int) -> None:
        super().__init__(f"there is already an account with the PID {pid}")
        self.pid = pid


class NameTakenError(AccountError):
    """Another account has this user name; case does not count."""

    name: ClassVar[str] = "account.name_taken"

    def __init__(self, user_name: str) -> None:
        super().__init__(f"there is already an account with the name {user_name!r}")
        self.user_name = user_name


class NoSuchAccountError(AccountError):
    """No account has this principal id."""

    name: ClassVar[str] = "account.unknown"

    def __init__(self, pid: int) -> None:
        super().__init__(f"there is no account with the PID {pid}")
        self.pid = pid


class NoFreePidError(AccountError):
    """Every principal id of the automatic range is in use or was."""

    name: ClassVar[str] = "account.no_free_pid"
