"""Traces: what one promotion has spent its time with, for whoever looks at it beside all else that went on then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSpan:
    """Something that is over. Its names and attributes are ids and words of ours: nothing that people or pods have said.

    Attributes:
        promotion: whose trace it belongs to.
        name: what was done; with `began` it tells one span of a trace from another.
        attributes: their names begin with `convox.`.
        error: why it failed, in a word; "" where it did not.
        root: it is the promotion as a whole, in which all others lie.
    """

    promotion: str
    name: str
    began: datetime
    ended: datetime
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    error: str = ""
    root: bool = False


class Tracer(Protocol):
    """Keeps spans, and brings them to where they are looked at."""

    def record(self, span: TraceSpan) -> None:
        """Keep a span. It waits for nobody and raises nothing: no rollout is slower or worse for being traced."""
        ...


class NullTracer:
    """Keeps nothing."""

    def record(self, span: TraceSpan) -> None: ...
