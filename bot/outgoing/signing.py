"""The signature by which a receiver knows that an event is ours: Standard Webhooks (standardwebhooks.com, "Signature scheme")."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

PREFIX = "whsec_"
BYTES = 32  # the scheme asks for 24 to 64


def new_secret() -> str:
    """Return a fresh secret, as its receiver keeps it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def signed_headers(secret: str, key: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of an event.

    Args:
        secret: of the receiver.
        key: of the event: the same at every try, so that a receiver knows it again.
        at: when it is sent; a receiver refuses what is older than some minutes.
        body: as it is sent, byte by byte.
    """
    moment = str(int(at.timestamp()))
    signed = b".".join((key.encode(), moment.encode(), body))
    digest = hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256).digest()
    return {
        "webhook-id": key,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
