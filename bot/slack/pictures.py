"""Putting the picture of a rollout under its verdict, once; whatever goes wrong with it holds nothing else up."""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

from bot.slack.connection import SlackState
from bot.slack.files import FileSender, reason
from bot.slack.lookups import FIRST_LOOK, surely_absent
from bot.slack.pacing import Pacing
from bot.slack.web_api import Found, WebApi
from bot.views.timeline import alt_text, drawing, title
from core.clock import Clock
from core.errors import Unavailable
from core.failpoints import failpoint
from core.lifecycle.timeline import timeline
from core.ports.pictures import Draw, PictureDue, PictureFailure, Pictures
from core.ports.store import StoreReader
from core.waiting import first_of

log = logging.getLogger(__name__)

# While something is open: the verdict goes before it, and Slack may be away.
LOOK_SECONDS = 2.0
QUIET_SECONDS = 3600.0
# Between two tries, and how long after the verdict a picture is still worth a message.
AGAIN_SECONDS = 30.0
FRESH = timedelta(hours=1)
NAME = "timeline.png"


class PictureSender:
    """Draws and uploads, one after the other."""

    def __init__(
        self,
        pictures: Pictures,
        read: StoreReader,
        calls: WebApi,
        files: FileSender,
        pacing: Pacing,
        state: SlackState,
        clock: Clock,
        *,
        draw: Draw | None,
    ) -> None:
        self._pictures = pictures
        self._read = read
        self._calls = calls
        self._files = files
        self._pacing = pacing
        self._state = state
        self._clock = clock
        self._draw = draw
        self._fresh = asyncio.Event()
        # Why Slack took none the last time: what an operator has to mend is said once.
        self._said = ""

    def wake(self) -> None:
        """Something may have ended."""
        self._fresh.set()

    async def run(self) -> None:
        """Send until cancelled; it waits for Slack to know us."""
        await self._state.identified.wait()
        while True:
            self._fresh.clear()
            try:
                wait = LOOK_SECONDS if await self.send_due() else QUIET_SECONDS
            except Unavailable as error:
                log.warning("pictures have to wait: %s", error)
                wait = AGAIN_SECONDS
            except Exception:
                log.exception("pictures met an error nobody foresaw; they go on")
                wait = AGAIN_SECONDS
            await first_of(self._fresh.wait(), self._clock.sleep(wait))

    async def send_due(self) -> bool:
        """Do what can be done now; return whether anything is left."""
        waiting = await self._pictures.open()
        for due in waiting:
            if due.lost or self._draw is None:
                await self._pictures.end(due.promotion, "no thread" if due.lost else "off")
            elif due.ended and (due.not_before is None or due.not_before <= self._clock.now()):
                await self._send(due, self._draw)
        return bool(waiting) and bool(await self._pictures.open())

    async def _send(self, due: PictureDue, draw: Draw) -> None:
        if due.file and not await self._is_absent(due):
            return
        if self._clock.now() - due.since > FRESH:
            await self._pictures.end(due.promotion, "too late")
            return
        promotion = await self._read.promotion(due.promotion)
        shown = timeline(promotion, await self._read.samples(due.promotion))
        if shown is None:
            await self._pictures.end(due.promotion, "nothing was seen")
            return
        try:
            picture = await draw(drawing(promotion, shown))
        except PictureFailure as error:
            log.warning("the picture of %s was not drawn: %s", due.promotion, error)
            await self._pictures.end(due.promotion, "not drawn")
            return
        stored = await self._files.store(NAME, picture, alt_text=alt_text(promotion, shown))
        if not stored.file:
            await self._not_taken(due, stored.why, final=stored.said.error == "missing_scope")
            return
        await self._pictures.uploaded(due.promotion, stored.file)
        failpoint("outbox.after_sending")
        await self._show(due, stored.file, title(promotion))

    async def _show(self, due: PictureDue, file: str, said: str) -> None:
        """Show a file whose bytes Slack has; where nothing is known of that, it is looked for before anything else is tried."""
        assert due.channel is not None, "it is not lost"
        assert due.thread is not None, "its thread has ended"
        done = await self._files.show(
            file, said, channel=due.channel, thread=due.thread, comment="How the pods went over time"
        )
        failpoint("outbox.after_post")
        if not done.error:
            await self._pictures.end(due.promotion, "posted")
        elif done.unknown:
            await self._pictures.postpone(due.promotion, self._later(FIRST_LOOK))
        else:
            await self._not_taken(due, reason(done), final=not done.later)

    async def _not_taken(self, due: PictureDue, why: str, *, final: bool) -> None:
        """Try again later, or give up; the reason is said once, not with every rollout."""
        if why != self._said:
            self._said = why
            log.warning("the picture of %s is not in its thread: %s", due.promotion, why)
        if final:
            await self._pictures.end(due.promotion, why)
        else:
            await self._pictures.again(due.promotion, self._later(AGAIN_SECONDS))

    async def _is_absent(self, due: PictureDue) -> bool:
        """Look for a file of which nobody knows whether it is shown; True once it is certain that it is not."""
        channel, thread = due.channel, due.thread or ""
        assert channel is not None, "it was sent there"

        async def find(since: datetime) -> Found:
            await self._pacing.turn(self._pacing.look())
            return await self._calls.find_file(due.file, channel=channel, thread=thread, since=since)

        return await surely_absent(
            self._clock,
            due.tried_at or due.since,
            find=find,
            found=lambda _: self._pictures.end(due.promotion, "posted"),
            postpone=partial(self._pictures.postpone, due.promotion),
        )

    def _later(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=seconds)
