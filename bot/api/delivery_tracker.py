"""The four numbers of DORA of every app, for metrics: worked out aside, so that no scrape waits for a month of rollouts."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.lifecycle.delivery_stats import STATS_DAYS, DeliveryStats, delivery_stats
from core.promotion import PromotionEntry

# Of an app in that time; what `/convox stats` counts, too.
MOST_ROLLOUTS = 1000
# How old what ended last may be where nothing has ended since: an app that was deleted is named for so long.
LAST_SECONDS = 60.0
# A metric with the name of an app is worth its place for so many apps; of more, those of which something ended last.
MOST_APPS = 500


class DeliveryReader(Protocol):
    """What the numbers are read from."""

    async def ended_since(self, app: str, since: datetime, limit: int) -> list[PromotionEntry]: ...
    async def releases_made(self, releases: Sequence[str]) -> dict[str, datetime]: ...
    async def last_ends(self, limit: int) -> list[PromotionEntry]: ...
    async def last_failures(self, limit: int) -> list[PromotionEntry]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestPromotions:
    """How the last promotion of each app ended, and the last that failed."""

    ended: Sequence[PromotionEntry] = ()
    failed: Sequence[PromotionEntry] = ()


class DeliveryTracker:
    """Keeps the numbers of the last look."""

    def __init__(self, reader: DeliveryReader) -> None:
        self._reader = reader
        self._of_apps: Mapping[str, DeliveryStats] = {}
        self._last: tuple[Hashable, datetime, NewestPromotions] | None = None

    @property
    def of_apps(self) -> Mapping[str, DeliveryStats]:
        """App → its numbers; nothing before the first look."""
        return self._of_apps

    async def look(self, now: datetime) -> None:
        """Work them out anew, one app after the other. Raises Unavailable where the database cannot be read."""
        since = now - timedelta(days=STATS_DAYS)
        found: dict[str, DeliveryStats] = {}
        for app in [end.app for end in await self._reader.last_ends(MOST_APPS)]:
            ended = await self._reader.ended_since(app, since, MOST_ROLLOUTS)
            made = await self._reader.releases_made(sorted({each.release for each in ended}))
            found[app] = delivery_stats(ended, made, since, now)
        self._of_apps = found

    async def last(self, ended: Hashable, now: datetime) -> NewestPromotions:
        """Return how promotions ended last.

        It is asked of every app that there is, so it is read anew only where `ended`, which stands for all endings, has changed, and once
        a minute.

        Raises:
            Unavailable: the database cannot be read.
        """
        if self._last is not None:
            before, at, found = self._last
            if before == ended and timedelta() <= now - at < timedelta(seconds=LAST_SECONDS):
                return found
        found = NewestPromotions(
            ended=await self._reader.last_ends(MOST_APPS),
            failed=await self._reader.last_failures(MOST_APPS),
        )
        self._last = ended, now, found
        return found
