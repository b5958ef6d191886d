"""The two halves of a ticket: what the client reads, and what the secure server reads.

Layouts as in NintendoClients' ``kerberos.py`` (``ClientTicket``, ``ServerTicket``) and the
nintendo-wiki, "NEX / Kerberos"; all numbers are little-endian, and a principal id has 4 bytes,
or 8 on the Switch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import md5
from typing import Self

from nekonex.kerberos.errors import KerberosError
from nekonex.kerberos.sealing import SEALING_KEY_SIZES, decrypt, encrypt
from nekonex.values import DateTime

__all__ = ["PID_SIZES", "TICKET_RANDOM_SIZE", "ClientTicket", "ServerTicket"]

PID_SIZES = (4, 8)
"""Bytes of a principal id."""

TICKET_RANDOM_SIZE = 16
"""Bytes of randomness in a server ticket of version 1."""

_LENGTH_SIZE = 4
_DATETIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class ClientTicket:
    """What the authentication server gives to a client, sealed with the client's key.

    ``target`` is the principal id of the server that the ticket is for, ``internal`` the sealed
    server ticket, which the client passes on unread.
    """

    session_key: bytes = field(repr=False)
    target: int
    internal: bytes = field(default=b"", repr=False)

    def seal(self, key: bytes, pid_size: int = 4) -> bytes:
        """Return the ticket sealed with the client's key.

        Raises ValueError for a key of the wrong size or a principal id that does not fit.
        """
        _check_session_key(self.session_key)
        body = self.session_key + _pack_pid(self.target, pid_size) + _pack_buffer(self.internal)
        return encrypt(key, body)

    @classmethod
    def open(cls, data: bytes, key: bytes, key_size: int = 32, pid_size: int = 4) -> Self:
        """Read a sealed ticket; ``key_size`` is that of the session key.

        Bytes after the known ones are ignored: later servers may add fields. Raises
        KerberosError if it is no ticket, ValueError for an impossible size.
        """
        _check_sizes(key_size, pid_size)
        reader = _Reader(decrypt(key, data))
        return cls(reader.take(key_size), reader.number(pid_size), reader.buffer())


@dataclass(frozen=True, slots=True)
class ServerTicket:
    """What the secure server reads of a ticket: who got it when, and the session key.

    ``source`` is the principal id of the player.
    """

    issued: DateTime
    source: int
    session_key: bytes = field(repr=False)

    def seal(
        self, key: bytes, *, ticket_version: int = 1, pid_size: int = 4, random16: bytes = b""
    ) -> bytes:
        """Return the ticket sealed with the secure server's key.

        Version 1 seals with MD5(key, random16), where ``random16`` are 16 fresh random bytes
        that go with the ticket; version 0 uses the key itself, and ``random16`` not at all.
        Raises ValueError for sizes or numbers that do not fit.
        """
        _check_version(ticket_version)
        _check_session_key(self.session_key)
        body = (
            self.issued.value.to_bytes(_DATETIME_SIZE, "little")
            + _pack_pid(self.source, pid_size)
            + self.session_key
        )
        if ticket_version == 0:
            return encrypt(key, body)
        if len(random16) != TICKET_RANDOM_SIZE:
            raise ValueError(f"a ticket needs {TICKET_RANDOM_SIZE} random bytes")
        sealed = encrypt(_mixed_key(key, random16), body)
        return _pack_buffer(random16) + _pack_buffer(sealed)

    @classmethod
    def open(
        cls,
        data: bytes,
        key: bytes,
        ticket_version: int = 1,
        key_size: int = 32,
        pid_size: int = 4,
    ) -> Self:
        """Read a sealed ticket, whose length must be exact, because only servers make them.

        Raises KerberosError if it is no ticket, ValueError for an impossible size or version.
        """
        _check_version(ticket_version)
        _check_sizes(key_size, pid_size)
        if ticket_version == 1:
            outer = _Reader(data)
            key = _mixed_key(key, outer.buffer())
            data = outer.buffer()
            outer.end()
        reader = _Reader(decrypt(key, data))
        issued = DateTime(reader.number(_DATETIME_SIZE))
        ticket = cls(issued, reader.number(pid_size), reader.take(key_size))
        reader.end()
        return ticket


class _Reader:
    """Takes little-endian fields off the front of some bytes; raises KerberosError at the end."""

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def take(self, size: int) -> bytes:
        end = self._offset + size
        if end > len(self._data):
            raise KerberosError(f"the ticket ends after {len(self._data)} bytes, within a field")
        taken = self._data[self._offset : end]
        self._offset = end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def buffer(self) -> bytes:
        return self.take(self.number(_LENGTH_SIZE))

    def end(self) -> None:
        if self._offset != len(self._data):
            raise KerberosError(f"{len(self._data) - self._offset} bytes follow the ticket")


def _pack_buffer(data: bytes) -> bytes:
    return len(data).to_bytes(_LENGTH_SIZE, "little") + data


def _pack_pid(pid: int, size: int) -> bytes:
    if size not in PID_SIZES or not 0 <= pid < 1 << 8 * size:
        raise ValueError(f"the principal id {pid} does not fit {size} bytes")
    return pid.to_bytes(size, "little")


def _mixed_key(key: bytes, random: bytes) -> bytes:
    return md5(key + random, usedforsecurity=False).digest()


def _check_session_key(key: bytes) -> None:
    if len(key) not in SEALING_KEY_SIZES:
        raise ValueError(f"a session key has 16 or 32 bytes, not {len(key)}")


def _check_sizes(key_size: int, pid_size: int) -> None:
    if key_size not in SEALING_KEY_SIZES or pid_size not in PID_SIZES:
        raise ValueError(f"no ticket has {key_size}-byte keys and {pid_size}-byte PIDs")


def _check_version(version: int) -> None:
    if version not in (0, 1):
        raise ValueError(f"ticket version {version} is neither 0 nor 1")
