"""What Grafana asks Prometheus of a panel: the built-in variables of its data source, filled in as it fills them.

https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ and
https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/ (interval, min interval, max data points).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# A panel asks for about as many points as it has pixels.
MOST_POINTS = 1000
_VARIABLE = re.compile(r"\$__(\w+)|\$\{__(\w+)\}")
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelQuery:
    """One question.

    Attributes:
        expression: in which no variable is left.
        step: seconds between two points.
        instant: whether only the newest point is asked for.
    """

    expression: str
    step: float
    instant: bool


def panel_query(
    panel: Mapping[str, Any], target: Mapping[str, Any], *, seconds: float, scrape: float
) -> PanelQuery:
    """Return what is asked for a time range of so many seconds where the data source says how often is scraped.

    Raises:
        ValueError: an interval that is no duration, or a variable that Grafana does not know.
    """
    least = _seconds(target.get("interval") or panel.get("interval") or "") or scrape
    step = max(seconds / (panel.get("maxDataPoints") or MOST_POINTS), least)
    variables = {
        "interval": step,
        "rate_interval": max(step + least, 4 * least),
        "range": seconds,
    }

    def filled(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in variables:
            raise ValueError(f"Grafana knows no {found[0]} of Prometheus")
        return f"{variables[name] * 1000:.0f}ms"

    return PanelQuery(
        expression=_VARIABLE.sub(filled, target["expr"]), step=step, instant=bool(target.get("instant"))
    )


def _seconds(text: str) -> float:
    """Return a minimum such as 1h or >30s in seconds, 0 without one."""
    if not text:
        return 0.0
    found = _DURATION.fullmatch(text.removeprefix(">"))
    if found is None:
        raise ValueError(f"{text} is no interval of Grafana")
    return int(found[1]) * _SECONDS[found[2]]


def spoken(legend: str, labels: Mapping[str, str]) -> str:
    """Return what a line is called. Raises KeyError for a label that the answer does not have."""
    return _LABEL.sub(lambda found: labels[found[1]], legend)
