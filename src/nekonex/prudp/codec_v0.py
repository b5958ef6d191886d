"""PRUDP v0 packets: the friends server and the older 3DS games.

Layout, little endian::

    source u8 | dest u8 | type and flags u16 | session id u8 | signature 4 | sequence u16
    [connection signature 4, if SYN or CONNECT] [fragment id u8, if DATA]
    [payload size u16, if HAS_SIZE] payload | checksum u8

``prudp_v0.flags_version`` 0 packs type and flags into one byte,
``prudp_v0.checksum_version`` 0 has a four-byte checksum, and
``prudp_v0.signature_version`` 1 is the friends server's (quirk F). Source:
NintendoClients' ``PRUDPMessageV0`` and the wiki's ``prudp.md``.
"""

import hashlib
import struct

from nekonex.prudp.constants import CONNECT, DATA, DISCONNECT, FLAG_HAS_SIZE, SYN
from nekonex.prudp.mac import HmacMd5, same
from nekonex.prudp.packet import Handshake, Packet, PacketError
from nekonex.settings import TransportSettings

__all__ = ["V0Codec"]

_SIGNATURE_SIZE = 4
_NO_DATA_SIGNATURE = struct.pack("<I", 0x12345678)
"""What quirk F signs an empty payload with (NintendoClients, nex-go)."""


class V0Codec:
    """Reads, writes and signs v0 packets under one access key."""

    version = 0
    signature_size = _SIGNATURE_SIZE

    __slots__ = ("_checksum_size", "_flag_shift", "_header", "_key_sum", "_mac", "_payload_only")

    def __init__(self, settings: TransportSettings) -> None:
        access_key = settings.access_key.encode()
        self._mac = HmacMd5(hashlib.md5(access_key, usedforsecurity=False).digest())
        self._key_sum = sum(access_key)
        self._payload_only = settings.v0_signature_version == 1
        self._checksum_size = 1 if settings.v0_checksum_version else 4
        self._flag_shift = 4 if settings.v0_flags_version else 3
        self._header = struct.Struct("<BBHB4sH" if settings.v0_flags_version else "<BBBB4sH")

    def secret(self, session_key: bytes, connection_signature: bytes) -> bytes:
        """Return what signatures of one direction of a connection are made of.

        *connection_signature* is the one that the receiver of the packets issued.
        """
        return session_key + (connection_signature or bytes(_SIGNATURE_SIZE))

    def checksum(self, data: bytes) -> bytes:
        """Return the checksum of a whole packet, 1 or 4 bytes."""
        if self._checksum_size == 4:
            padded = data.ljust((len(data) + 3) & ~3, b"\0")
            words = struct.unpack(f"<{len(padded) // 4}I", padded)
            return struct.pack("<I", ((self._key_sum & 0xFF) + sum(words)) & 0xFFFFFFFF)
        whole = len(data) & ~3
        words = struct.unpack_from(f"<{whole // 4}I", data)
        folded = struct.pack("<I", sum(words) & 0xFFFFFFFF)
        return bytes(((self._key_sum + sum(data[whole:]) + sum(folded)) & 0xFF,))

    def decode(self, data: bytes, pos: int) -> tuple[Packet, int]:
        """Read the packet at *pos*; return it and where the next one starts.

        Raises PacketError.
        """
        header = self._header
        body = pos + header.size
        if body + self._checksum_size > len(data):
            raise PacketError("truncated header")
        source, dest, type_flags, session_id, signature, sequence_id = header.unpack_from(data, pos)
        shift = self._flag_shift
        kind = type_flags & ((1 << shift) - 1)
        flags = type_flags >> shift
        handshake = None
        fragment_id = 0
        if kind in {SYN, CONNECT}:
            handshake = Handshake(connection_signature=data[body : body + 4])
            body += 4
        elif kind == DATA:
            fragment_id = data[body]
            body += 1
        if flags & FLAG_HAS_SIZE:
            end = body + 2 + int.from_bytes(data[body : body + 2], "little")
            body += 2
        else:
            end = len(data) - self._checksum_size
        after = end + self._checksum_size
        if body > end or after > len(data):
            raise PacketError("truncated payload")
        if data[end:after] != self.checksum(data[pos:end]):
            raise PacketError("wrong checksum")
        payload = data[body:end]
        signed = struct.pack("<HB", sequence_id, fragment_id)
        return (
            Packet(
                kind, flags, source, dest, session_id, 0, sequence_id, fragment_id, signature,
                payload, signed, payload, handshake,
            ),
            after,
        )  # fmt: skip

    def skip(self, data: bytes, pos: int) -> int:
        """Return where to go on after a malformed packet: nowhere, v0 has no magic to find."""
        return max(len(data), pos)

    def verify(self, packet: Packet, secret: bytes) -> bool:
        """Tell whether the signature of *packet* was made with *secret*."""
        return same(self._sign(packet.type, packet.head, packet.payload, secret), packet.signature)

    def verify_syn(self, packet: Packet) -> bool:
        """Tell whether the signature of a SYN is the four zeros that v0 has there."""
        return packet.signature == bytes(_SIGNATURE_SIZE)

    def encode(
        self,
        kind: int,
        flags: int,
        source: int,
        dest: int,
        session_id: int,
        substream_id: int,
        sequence_id: int,
        fragment_id: int,
        payload: bytes,
        secret: bytes,
    ) -> bytes:
        """Write and sign a packet that is neither SYN nor CONNECT.

        Raises ValueError for a substream other than 0: v0 has no field for it.
        """
        if substream_id:
            raise ValueError("PRUDP v0 has one substream, 0")
        signed = struct.pack("<HB", sequence_id, fragment_id)
        signature = self._sign(kind, signed, payload, secret)
        extra = bytes((fragment_id,)) if kind == DATA else b""
        return self._assemble(
            kind, flags, source, dest, session_id, signature, sequence_id, extra, payload
        )

    def encode_handshake(
        self,
        kind: int,
        flags: int,
        source: int,
        dest: int,
        session_id: int,
        handshake: Handshake,
        payload: bytes,
        secret: bytes | None,
    ) -> bytes:
        """Write and sign a SYN (*secret* is None) or a CONNECT."""
        signature = bytes(_SIGNATURE_SIZE) if secret is None else secret[-_SIGNATURE_SIZE:]
        sequence_id = 1 if kind == CONNECT else 0
        return self._assemble(
            kind, flags, source, dest, session_id, signature, sequence_id,
            handshake.connection_signature, payload,
        )  # fmt: skip

    def _sign(self, kind: int, signed: bytes, payload: bytes, secret: bytes) -> bytes:
        if self._payload_only:
            if kind != DATA:
                return secret[-_SIGNATURE_SIZE:]
            return self._mac.digest(payload)[:4] if payload else _NO_DATA_SIGNATURE
        if kind in {DATA, DISCONNECT}:
            return self._mac.digest(secret[:-_SIGNATURE_SIZE] + signed + payload)[:4]
        return secret[-_SIGNATURE_SIZE:]

    def _assemble(
        self,
        kind: int,
        flags: int,
        source: int,
        dest: int,
        session_id: int,
        signature: bytes,
        sequence_id: int,
        extra: bytes,
        payload: bytes,
    ) -> bytes:
        header = self._header.pack(
            source, dest, kind | flags << self._flag_shift, session_id, signature, sequence_id
        )
        size = struct.pack("<H", len(payload)) if flags & FLAG_HAS_SIZE else b""
        data = header + extra + size + payload
        return data + self.checksum(data)
