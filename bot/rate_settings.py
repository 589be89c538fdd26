"""How much each may ask for."""

from pydantic import BaseModel, ConfigDict, field_validator

MOST = 1_000_000


class RateSettings(BaseModel):
    """Limits of one person, token or job, in a minute."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    convox_reads_per_minute: int = 600
    convox_changes_per_minute: int = 60

    @field_validator("convox_reads_per_minute", "convox_changes_per_minute", mode="before")
    @classmethod
    def _rate(cls, value: object) -> object:
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= 7 and 0 < int(text) <= MOST):
            raise ValueError(f"is no number of requests: a whole number from 1 to {MOST}")
        return int(text)
