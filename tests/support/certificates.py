"""A certificate of this machine's loopback address, made anew for each run."""

from __future__ import annotations

import datetime as dt
import ipaddress
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

__all__ = ["certificate", "private_key", "write_certificate"]


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate() -> bytes:
    """Return a certificate for localhost and 127.0.0.1 that its own key signed, in PEM form."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(_key(), hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def private_key(*, of_another: bool = False, passphrase: bytes | None = None) -> bytes:
    """Return the certificate's private key, or that of another, in PEM form."""
    key = ec.generate_private_key(ec.SECP256R1()) if of_another else _key()
    locked = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write certificate and key into a folder; their paths."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(certificate())
    key.write_bytes(private_key())
    return cert, key
