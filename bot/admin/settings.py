"""The settings of commands beside a running bot: each asks for what it needs, so that none demands a key in vain."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.settings import RACK, StoreSettings
from core.records.app import DEFAULT_RACK


class DatabaseSettings(BaseModel):
    """What `token` needs; the database keeps only hashes of tokens, so no key."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_database: Path = Path("convox.db")


class OutgoingSettings(StoreSettings):
    """What `webhooks` needs: addresses and secrets are sealed."""

    convox_webhook_private: bool = False


class RackSettings(BaseModel):
    """What `app-manifest` needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_rack: str = Field(default=DEFAULT_RACK, pattern=RACK)


class ClusterSettings(BaseModel):
    """What looks at the namespaces of apps."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_rack: str = Field(default=DEFAULT_RACK, pattern=RACK)
    kubeconfig: str | None = None


class AdoptionSettings(StoreSettings, ClusterSettings):
    """What `adopt` needs: the database with its keys, and the cluster."""
