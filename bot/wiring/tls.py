"""The certificate of the ports, where the settings name one."""

from bot.http.certificate import CertificateError, CertificateFiles, WatchedCertificate
from bot.settings import SettingsError
from bot.tls_settings import TlsSettings


def certificate_files(settings: TlsSettings) -> CertificateFiles | None:
    """Return where the certificate lies, None where the ports speak plain HTTP."""
    if settings.convox_tls_cert is None or settings.convox_tls_key is None:
        return None
    return CertificateFiles(certificate=settings.convox_tls_cert, key=settings.convox_tls_key)


def served_certificate(settings: TlsSettings) -> WatchedCertificate | None:
    """Read the certificate that both ports show.

    Raises:
        SettingsError: it cannot be used. One that has ended can: Slack does not ask for it, and whoever renews it is not kept
            waiting for a start.
    """
    files = certificate_files(settings)
    try:
        return WatchedCertificate(files) if files is not None else None
    except CertificateError as error:
        raise SettingsError([f"CONVOX_TLS_CERT and CONVOX_TLS_KEY cannot be used: {error}"]) from None
