"""What GitHub and GitLab sign their webhooks with, without which none are taken; and whom those of ours may reach."""

import base64
import binascii

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

# What is shorter is guessed by whoever has seen one signed delivery; `openssl rand -hex 32` gives 64.
SHORTEST = 16
# standardwebhooks.com, "Signature scheme", which GitLab's signing tokens follow: this and the key in base64.
SIGNING = "whsec_"


class WebhookSettings(BaseModel):
    """Secrets of webhooks that come in, each list with several while one is exchanged; where those that go out may go."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_github_webhook_secrets: tuple[SecretStr, ...] | None = None
    convox_gitlab_webhook_secrets: tuple[SecretStr, ...] | None = None
    """Secret tokens, and signing tokens, which begin with `whsec_`."""
    convox_webhook_private: bool = False
    """Webhooks of ours may go by http and to addresses that are not of the internet; so may GitHub stand there."""

    @field_validator("convox_github_webhook_secrets", "convox_gitlab_webhook_secrets", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        secrets = [each.strip() for each in value.split(",") if each.strip()]
        if any(len(each) < SHORTEST for each in secrets):
            raise ValueError(f"holds a secret of fewer than {SHORTEST} characters, which can be guessed")
        return secrets

    @field_validator("convox_gitlab_webhook_secrets")
    @classmethod
    def _signing(cls, value: tuple[SecretStr, ...] | None) -> tuple[SecretStr, ...] | None:
        secrets = [each.get_secret_value() for each in value or ()]
        if any(each.startswith(SIGNING) and signing_key(each) is None for each in secrets):
            raise ValueError("holds a signing token that is cut: after whsec_ stands a key in base64")
        return value


def signing_key(secret: str) -> bytes | None:
    """Return the key of a signing token, None for what is none."""
    if not secret.startswith(SIGNING):
        return None
    try:
        return base64.b64decode(secret.removeprefix(SIGNING), validate=True) or None
    except (binascii.Error, ValueError):
        return None
