"""Many apps in one arena: made, promoted all at once, and watched to the last word in Slack."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from bot.playground.slack import Message
from bot.playground.slack.people import BOT_USER
from tests.bench.acks import Acks
from tests.bench.arena import ALICE, MANIFEST, Arena
from tests.bench.bots import RunningBot
from tests.bench.machine import Stopwatch
from tests.serve.program import until

# After the last word of a promotion nothing more may come for so long before it counts as over.
QUIET_SECONDS = 3.0
VERDICTS = ("OK", "ERROR:")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberApp:
    """One app of the fleet, with a channel of its own."""

    name: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How one promotion ended: what was said, and how long after the verdict."""

    text: str
    delay: float


class Fleet:
    """Apps that are promoted together."""

    def __init__(self, arena: Arena, size: int) -> None:
        self._arena = arena
        self.apps = [MemberApp(name=f"app-{n:03}", channel=f"C1{n:07}") for n in range(size)]

    async def create(self, bot: RunningBot) -> None:
        """Make the apps as people do: a command in the app's channel."""
        for app in self.apps:
            self._arena.add_channel(app.channel)
            delivery = await self._arena.slack.command(ALICE, app.channel, f"apps create {app.name}")
            assert delivery.ok, delivery.error

        async def all_there() -> bool:
            # The first line is the heading.
            return len((await bot.command("apps"))["text"].splitlines()) > len(self.apps)

        await until(all_there, bot.process)

    async def builds(self, bot: RunningBot, apps: list[MemberApp], *, pods: int, tag: str) -> dict[str, str]:
        """Register a build for each app; return app → release."""
        text, image = MANIFEST.format(pods=pods), f"registry.example/web:{tag}"
        return {app.name: await bot.build(app.name, text, image) for app in apps}

    async def promote(
        self, bot: RunningBot, apps: list[MemberApp], releases: dict[str, str], acks: Acks, *, within: float
    ) -> float:
        """Promote all at the same moment; return the seconds until everybody was told everything."""
        stopwatch, before = Stopwatch(), {app.channel: len(self._cards(app)) for app in apps}
        words = {app.channel: f"releases promote {releases[app.name]}" for app in apps}
        slack = self._arena.slack
        await asyncio.gather(
            *(acks.measured(slack.command(ALICE, channel, text)) for channel, text in words.items())
        )
        over = lambda: all(self._over(app, before[app.channel]) for app in apps)  # noqa: E731
        await until(over, bot.process, within=within)
        took = stopwatch.seconds
        await self._quiet()
        return took

    async def _quiet(self) -> None:
        """Wait until no call has come for a while: the last cards have been edited."""
        seen = Counter[str]()
        while (now := self._said()) != seen:
            seen = now
            await asyncio.sleep(QUIET_SECONDS)

    def _said(self) -> Counter[str]:
        """Return what was posted and edited so far; answers to commands are none of it."""
        return Counter({name: n for name, n in calls_of(self._arena).items() if name.startswith("chat.")})

    def _cards(self, app: MemberApp) -> list[Message]:
        shown = self._arena.slack.messages(app.channel)
        return [
            each
            for each in shown
            if each.user == BOT_USER and not each.is_reply and not each.text.startswith("Build ")
        ]

    def _ending(self, app: MemberApp) -> Message | None:
        card = self._cards(app)[-1]
        replies = self._arena.slack.thread(app.channel, card.ts)
        return next((each for each in replies if each.text.startswith(VERDICTS)), None)

    def _over(self, app: MemberApp, before: int) -> bool:
        return len(self._cards(app)) > before and self._ending(app) is not None

    def told(self, apps: list[MemberApp]) -> list[Told]:
        """Return how the newest promotion of each ended, and how long after its verdict Slack showed that."""
        given = self._verdicts()
        endings = {app.name: self._ending(app) for app in apps}
        return [
            Told(text=ending.text, delay=float(ending.ts) - given[name])
            for name, ending in endings.items()
            if ending is not None
        ]

    def _verdicts(self) -> dict[str, float]:
        """Return app → when its newest promotion was decided, as the database has it."""
        query = "SELECT app, settled_at FROM promotions WHERE settled_at IS NOT NULL ORDER BY number"
        with closing(sqlite3.connect(f"file:{self._arena.database}?mode=ro", uri=True)) as connection:
            rows = connection.execute(query).fetchall()
        return {app: datetime.fromisoformat(at).timestamp() for app, at in rows}


def calls_of(arena: Arena) -> Counter[str]:
    """Return how often each method was called since the calls were last forgotten; refused ones count also under `METHOD refused`."""
    found = Counter(call.method for call in arena.slack.calls)
    found.update(f"{call.method} refused" for call in arena.slack.calls if call.status == 429)
    return found
