"""What is computed from measurements: pure, so that a figure on the page is not the accident of a script."""

import math
from collections.abc import Mapping, Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of the values that at least this share of them does not exceed (nearest rank).

    A figure that was really measured, never one between two.

    Args:
        values: in any order, at least one.
        share: 0 to 1; 1 is the maximum.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def quantile(buckets: Mapping[float, float], share: float) -> float:
    """Return a quantile of a Prometheus histogram, as `histogram_quantile` estimates it: linear within a bucket.

    Args:
        buckets: upper bound → samples up to it, the last bound infinite.
        share: 0 to 1.

    Returns:
        The quantile; the largest finite bound where it lies beyond that; 0 without samples.
    """
    total = buckets[math.inf]
    wanted, below, lower = share * total, 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if count >= wanted and count > below:
            return (
                lower if math.isinf(bound) else lower + (bound - lower) * (wanted - below) / (count - below)
            )
        below, lower = count, bound
    return 0.0


def difference(after: Mapping[float, float], before: Mapping[float, float]) -> dict[float, float]:
    """Return what a histogram has counted between two looks."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


def milliseconds(seconds: float) -> str:
    """Write a short time: three figures, no more, since nothing here is known better."""
    shown = seconds * 1000
    return f"{shown:.1f}" if shown < 10 else f"{shown:,.0f}"


def seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}"
