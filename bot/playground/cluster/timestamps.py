"""Moments as Kubernetes writes them."""

from datetime import UTC, datetime


def whole_seconds(moment: datetime) -> str:
    """Write a `Time`: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def microseconds(moment: datetime) -> str:
    """Write a `MicroTime`, as leases and the scheduler's events carry."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_moment(text: str) -> datetime:
    """Read either of them."""
    return datetime.fromisoformat(text)
