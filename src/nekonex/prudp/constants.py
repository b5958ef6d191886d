"""The numbers of PRUDP: packet types, flags, option ids.

Source: the transport chapter of the Pretendo nintendo-wiki (``prudp.md``) and
NintendoClients' ``nintendo/nex/prudp.py``, which agree on all of them.
"""

from typing import Final

SYN: Final = 0
CONNECT: Final = 1
DATA: Final = 2
DISCONNECT: Final = 3
PING: Final = 4

FLAG_ACK: Final = 0x001
FLAG_RELIABLE: Final = 0x002
FLAG_NEED_ACK: Final = 0x004
FLAG_HAS_SIZE: Final = 0x008
FLAG_MULTI_ACK: Final = 0x200

OPTION_SUPPORT: Final = 0
OPTION_CONNECTION_SIGNATURE: Final = 1
OPTION_FRAGMENT_ID: Final = 2
OPTION_UNRELIABLE_SEQUENCE_ID: Final = 3
OPTION_MAX_SUBSTREAM_ID: Final = 4

STREAM_TYPE_RV_SECURE: Final = 10
"""The stream type of every NEX title; the Quazal-era 3 (OldRVSec) is not spoken here."""

NUM_PORTS: Final = 16
"""Virtual ports on one UDP socket: the port is a nibble on the wire."""

VERSION_ANY: Final = 2
"""``prudp.version`` that accepts v0 and v1, told apart by v1's magic."""

MINOR_STRUCTURE_HEADERS: Final = 3
"""First minor version at which NintendoClients puts headers on structures."""

DEFAULT_CIPHER_KEY: Final = b"CD&ML"
"""RC4 key of a connection without a session key (the authentication server's)."""
