"""The certificate of NekoConnect, checked before anything starts."""

import ssl
from pathlib import Path
from typing import Final

from cryptography import x509

from nekonex.app.errors import StartError
from nekonex.app.origin import origin_of_key
from nekonex.config import Config

__all__ = ["tls_context"]

_OF_ANOTHER: Final = frozenset(
    {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}
)
"""What OpenSSL calls it when a key does not belong to a certificate."""


def tls_context(config: Config) -> ssl.SSLContext | None:
    """Return what `[connect.tls]` asks for, TLS 1.2 or later; None where it asks for nothing.

    Reads files. Raises StartError, in one sentence that names the key, for those that cannot be
    used.
    """
    tls = config.connect.tls
    if tls.cert is None or tls.key is None:
        return None
    for key, path in (("cert", tls.cert), ("key", tls.key)):
        _check_readable(config, key, path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    asked = False

    def no_passphrase() -> str:
        nonlocal asked
        asked = True
        return ""

    try:
        # Without a function OpenSSL asks at the terminal, and a server waits there for ever.
        context.load_cert_chain(tls.cert, tls.key, no_passphrase)
    except (ssl.SSLError, OSError) as error:
        raise _refusal(config, error, encrypted=asked) from error
    return context


def _check_readable(config: Config, key: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise _error(config, key, f"cannot be read: {error.strerror}") from error


def _refusal(config: Config, error: OSError, *, encrypted: bool) -> StartError:
    """Find out which of the two files is to blame: OpenSSL does not say."""
    if encrypted:
        return _error(config, "key", "is locked by a passphrase; give a key without one")
    reason = getattr(error, "reason", None)
    if reason in _OF_ANOTHER:
        return _error(config, "key", "is not the key of the certificate in connect.tls.cert")
    if not _has_certificates(config.connect.tls.cert):
        return _error(config, "cert", "holds no certificate in PEM form")
    if reason is None:
        return _error(config, "key", "holds no private key in PEM form")
    return _error(config, "cert", f"cannot be used: {reason.replace('_', ' ').lower()}")


def _has_certificates(path: Path | None) -> bool:
    try:
        return path is not None and bool(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError):
        return False


def _error(config: Config, key: str, text: str) -> StartError:
    path = getattr(config.connect.tls, key)
    return StartError(f'{origin_of_key(config, f"connect.tls.{key}")} is "{path}", which {text}')
