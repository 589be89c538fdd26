"""Where the certificate of the ports lies; without it they speak plain HTTP."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class TlsSettings(BaseModel):
    """A certificate and its key, for both ports."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_tls_cert: Path | None = None
    """PEM: the certificate first, then what has signed it."""
    convox_tls_key: Path | None = None
    """PEM, without a passphrase."""


def tls_contradictions(given: Mapping[str, str]) -> list[str]:
    """Return what is wrong between these settings and others.

    Args:
        given: field → text, as it was found.
    """
    certificate, key = given.get("convox_tls_cert"), given.get("convox_tls_key")
    if bool(certificate) != bool(key):
        return ["CONVOX_TLS_CERT and CONVOX_TLS_KEY are set together, or neither"]
    if certificate and given.get("convox_build_address", "").startswith("http://"):
        return [
            "CONVOX_BUILD_ADDRESS begins with http://, but with CONVOX_TLS_CERT this bot answers https only"
        ]
    return []
