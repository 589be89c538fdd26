"""The certificate of the ports: two files, which are read again when they change, since whoever renews them restarts nobody."""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.clock import Clock

log = logging.getLogger(__name__)

# cert-manager renews weeks before the end, and the kubelet takes a minute or two to show it: nobody waits for this.
LOOK_SECONDS = 30.0
Stamp = tuple[tuple[int, int, int], ...]


class CertificateError(Exception):
    """What is wrong with the files, in a sentence that shows nothing of the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """Where a certificate and its key lie, both in PEM; the certificate stands before what has signed it."""

    certificate: Path
    key: Path

    def stamp(self) -> Stamp:
        """Return what changes with the files, however they are exchanged: written anew, renamed, a link set anew."""
        found = [path.stat() for path in (self.certificate, self.key)]
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """What a certificate says of itself.

    Attributes:
        names: the hosts that it is for.
        begins, ends: from when until when it holds.
    """

    names: Sequence[str]
    begins: datetime
    ends: datetime

    def why_not(self, now: datetime) -> str:
        """Return why nobody believes it now, or ""."""
        if now >= self.ends:
            return f"it has ended at {self.ends:%Y-%m-%d %H:%M} UTC"
        return f"it holds only from {self.begins:%Y-%m-%d %H:%M} UTC on" if now < self.begins else ""


def read_certificate(files: CertificateFiles) -> CertificateRecord:
    """Return what the certificate says.

    Raises:
        CertificateError: a file cannot be read or holds something else, or the key is not the certificate's.
    """
    texts = [_read(path) for path in (files.certificate, files.key)]
    try:
        certificate = x509.load_pem_x509_certificates(texts[0])[0]
    except ValueError:
        raise CertificateError(f"{files.certificate} holds no certificate in PEM") from None
    try:
        key = load_pem_private_key(texts[1], None)
    except TypeError:
        raise CertificateError(f"the key in {files.key} has a passphrase: store it without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{files.key} holds no private key in PEM") from None
    if certificate.public_key() != key.public_key():
        raise CertificateError(
            f"the key in {files.key} is not that of the certificate in {files.certificate}"
        )
    return CertificateRecord(
        names=_names(certificate),
        begins=certificate.not_valid_before_utc,
        ends=certificate.not_valid_after_utc,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    hosts = found.get_values_for_type(x509.DNSName)
    return [*hosts, *map(str, found.get_values_for_type(x509.IPAddress))]


class WatchedCertificate:
    """The certificate that the ports show: each new connection is shown the newest that could be used.

    Attributes:
        context: what the ports take; it stays the same.
        facts: of the certificate that is shown now.
    """

    def __init__(self, files: CertificateFiles) -> None:
        """Read it; raise CertificateError where it cannot be used."""
        self._files = files
        self._stamp = self._read_stamp()
        # What could not be used: it is looked at again, since whoever renews may let us read it only after they wrote it.
        self._unusable: Stamp = ()
        self.facts, self._newest = _loaded(files)
        self.context = _loaded(files)[1]
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _: str | None, __: ssl.SSLContext) -> None:
        """Let a connection that begins have the newest; OpenSSL asks whether the other side names a host or not."""
        connection.context = self._newest

    def look(self) -> bool:
        """Read the files again if they have changed, and return whether there is another certificate.

        Raises:
            CertificateError: what is there cannot be used; the one before is shown on. Raised once for each change.
        """
        stamp = self._read_stamp()
        if stamp == self._stamp:
            return False
        try:
            self.facts, self._newest = _loaded(self._files)
        except CertificateError:
            known, self._unusable = stamp == self._unusable, stamp
            if known:
                return False
            raise
        self._stamp = stamp
        return True

    async def keep(self, clock: Clock) -> None:
        """Look again and again, until cancelled; what goes wrong is said in the log."""
        while True:
            await clock.sleep(LOOK_SECONDS)
            try:
                if await asyncio.to_thread(self.look):
                    log.info("the certificate was read anew: it holds until %s", self.facts.ends)
                    self.complain(clock.now())
            except CertificateError as error:
                # Whoever reads the log has put the files there: a traceback tells them nothing.
                log.error(  # noqa: TRY400
                    "the new certificate cannot be used, and the one before is shown on: %s", error
                )

    def complain(self, now: datetime) -> None:
        """Say in the log that nobody believes the certificate, where that is so: whoever renews it is not kept waiting for a start."""
        if why := self.facts.why_not(now):
            log.error("nobody takes the certificate in %s: %s", self._files.certificate, why)

    def _read_stamp(self) -> Stamp:
        try:
            return self._files.stamp()
        except OSError as error:
            raise CertificateError(f"{error.filename} cannot be read: {error.strerror}") from None


def _loaded(files: CertificateFiles) -> tuple[CertificateRecord, ssl.SSLContext]:
    facts = read_certificate(files)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "reason", None) or error
        raise CertificateError(f"OpenSSL does not take {files.certificate} with its key: {why}") from None
    return facts, context
