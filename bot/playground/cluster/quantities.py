"""Kubernetes' amounts: `250m`, `64Mi`, `25%`."""

from decimal import Decimal
from functools import lru_cache
from math import ceil, floor

_UNITS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6,
    "G": Decimal(10) ** 9,
    "T": Decimal(10) ** 12,
    "Ki": Decimal(2) ** 10,
    "Mi": Decimal(2) ** 20,
    "Gi": Decimal(2) ** 30,
    "Ti": Decimal(2) ** 40,
}


@lru_cache(maxsize=1024)
def quantity(text: str | float) -> Decimal:
    """Read a resource quantity as a plain number: cores, bytes or pieces."""
    written = str(text)
    unit = written.lstrip("+-0123456789.")
    return Decimal(written[: len(written) - len(unit)] or "0") * _UNITS.get(unit, Decimal(1))


def int_or_percent(value: str | int, total: int, *, up: bool) -> int:
    """Return a count given as a number or as a percentage of `total`.

    Args:
        value: `1` or `"25%"`.
        total: the whole.
        up: round up (as for a surge) instead of down.
    """
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        return int(value)
    exact = total * Decimal(value[:-1]) / 100
    return ceil(exact) if up else floor(exact)
