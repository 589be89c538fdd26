"""What a rollout tells a trace: each wave that it applies, each service that it watches, the verdict, the way back."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta

from core.clock import Clock
from core.ports.tracer import Tracer, TraceSpan
from core.promotion import Promotion
from core.records.progress import Progress


class RolloutTracer:
    """Records the spans of rollouts as they end."""

    def __init__(self, tracer: Tracer, clock: Clock) -> None:
        self._tracer = tracer
        self._clock = clock

    @contextmanager
    def span(self, promotion: Promotion, name: str, **attributes: str | int) -> Generator[dict[str, str]]:
        """Record how long the block takes; `error` in the given dict says why it failed, in a word.

        A block that a stop of the process breaks off is none: the next life does it, and records it then.
        """
        began, told = self._clock.now(), dict[str, str]()
        try:
            yield told
        except asyncio.CancelledError:
            raise
        except BaseException:
            told.setdefault("error", "broken off")
            self._record(promotion, name, began, attributes, told)
            raise
        else:
            self._record(promotion, name, began, attributes, told)

    def watched(self, promotion: Promotion, progress: Progress, stage: str) -> None:
        """Record of each service how long it took until it was complete for the first time in this stage."""
        now = self._clock.now()
        began = promotion.stage_at or now
        for service in sorted({*progress.services, *progress.complete}):
            done = progress.complete.get(service)
            # Watched time stands still while nobody can see, so a span may end before what it tells of, never after now.
            ended = now if done is None else min(now, began + timedelta(seconds=done.at))
            self._tracer.record(
                TraceSpan(
                    promotion=promotion.id,
                    name=f"watch {service}",
                    began=began,
                    ended=ended,
                    attributes={"convox.service": service, "convox.stage": stage},
                    error="" if done else "not complete",
                )
            )

    def _record(
        self,
        promotion: Promotion,
        name: str,
        began: datetime,
        attributes: dict[str, str | int],
        told: dict[str, str],
    ) -> None:
        self._tracer.record(
            TraceSpan(
                promotion=promotion.id,
                name=name,
                began=began,
                ended=self._clock.now(),
                attributes={f"convox.{key}": value for key, value in attributes.items()},
                error=told.get("error", ""),
            )
        )
