"""A certificate for a server on loopback: API servers ask kubelets for logs over TLS only."""

import ipaddress
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

VALID = timedelta(days=7)  # longer than any run of a playground or a test


def self_signed(name: str, *, address: str = "127.0.0.1") -> tuple[bytes, bytes]:
    """Make a certificate that is its own authority and return it with its key, both as PEM.

    It carries the key identifiers and key usages that Python demands since 3.13 (`VERIFY_X509_STRICT`).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
    )
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + VALID)
    for extension, critical in ((names, False), *_authority(key)):
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM), private_pem(key)


def _authority(key: ec.EllipticCurvePrivateKey) -> list[tuple[x509.ExtensionType, bool]]:
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False),
    ]


def private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def server_context(name: str) -> ssl.SSLContext:
    """Return a TLS context for a server, with a certificate made for it now."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # Python loads a certificate from files only; they are gone again before the server listens.
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        for path, pem in zip((certificate, key), self_signed(name), strict=True):
            path.write_bytes(pem)
        context.load_cert_chain(certificate, key)
    return context
