"""Who has sent a webhook: the only thing that keeps a stranger from having something built.

Each compares in a time that tells nothing of the secret, and takes several, so that one can be exchanged while both are in use.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from bot.webhook_settings import SIGNING, signing_key

# GitHub docs, "Validating webhook deliveries".
GITHUB_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
# standardwebhooks.com, "Signature scheme", which GitLab's signing tokens follow.
STAMP = re.compile(r"[0-9]{1,12}")
# The same page: whoever receives it must refuse what is older, or could be a replay.
FRESH_SECONDS = 300
# It may have several, while the sender exchanges a key.
MOST_SIGNATURES = 10


def github_signed(secrets: Sequence[str], signature: str, body: bytes) -> bool:
    """Tell whether GitHub has signed this body (`X-Hub-Signature-256`) with one of the secrets."""
    given = signature.encode("ascii", "replace")
    macs = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets]
    return any(hmac.compare_digest(f"sha256={mac}".encode(), given) for mac in macs)


def gitlab_token(secrets: Sequence[str], token: str) -> bool:
    """Tell whether this is one of the secret tokens (`X-Gitlab-Token`), which come as they are; a signing token never does."""
    given = token.encode("utf-8", "replace")
    plain = [secret.encode() for secret in secrets if not secret.startswith(SIGNING)]
    return any(hmac.compare_digest(secret, given) for secret in plain)


def gitlab_stamped(headers: Mapping[str, str], now: float) -> bool:
    """Tell whether the headers of a signed delivery are whole, and of the last five minutes."""
    stamp = headers.get("webhook-timestamp", "")
    fresh = bool(STAMP.fullmatch(stamp)) and abs(now - int(stamp)) <= FRESH_SECONDS
    return fresh and bool(headers.get("webhook-id")) and bool(headers.get("webhook-signature"))


def gitlab_signed(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether GitLab has signed this body with one of the signing tokens (`webhook-signature`)."""
    # A header may hold bytes that are no text: whoever has sent them has signed nothing.
    head = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode(errors="replace")
    given = headers.get("webhook-signature", "").split()[:MOST_SIGNATURES]
    expected = [
        b"v1," + base64.b64encode(hmac.new(key, head + body, hashlib.sha256).digest())
        for key in (signing_key(secret) for secret in secrets)
        if key is not None
    ]
    return any(
        hmac.compare_digest(one, other.encode("utf-8", "replace")) for one in expected for other in given
    )
