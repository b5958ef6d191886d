"""Kerberos as NEX has it: keys from passwords, sealed tickets, and the tokens of logins.

No part of it reads a clock or a source of randomness: both are arguments.
"""

from __future__ import annotations

from nekonex.kerberos.derivation import derive_key
from nekonex.kerberos.deriver import WorkerKeyDeriver
from nekonex.kerberos.errors import KerberosError
from nekonex.kerberos.freshness import TICKET_MAX_AGE, ReplayCache, is_fresh
from nekonex.kerberos.legacy_token import LegacyTokenVerifier, TokenText, encode_legacy_token
from nekonex.kerberos.sealing import decrypt, encrypt
from nekonex.kerberos.tickets import ClientTicket, ServerTicket
from nekonex.kerberos.tokens import TokenError, TokenInfo, TokenVerifier

__all__ = [
    "TICKET_MAX_AGE",
    "ClientTicket",
    "KerberosError",
    "LegacyTokenVerifier",
    "ReplayCache",
    "ServerTicket",
    "TokenError",
    "TokenInfo",
    "TokenText",
    "TokenVerifier",
    "WorkerKeyDeriver",
    "decrypt",
    "derive_key",
    "encode_legacy_token",
    "encrypt",
    "is_fresh",
]
