"""Putting a file into a thread: a place for it, its bytes, and the message that shows it."""

import logging
from dataclasses import dataclass

import aiohttp

from bot.slack.cards import pause
from bot.slack.pacing import Pacing
from bot.slack.web_api import CallResult, WebApi
from bot.views.answers import AnswerFile
from bot.views.mrkdwn import sentence_text

log = logging.getLogger(__name__)

NO_SCOPE = "I may not upload files: the Slack app lacks the scope files:write, which manifest.yml has; install it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOutcome:
    """What became of the bytes of a file, which nobody sees yet.

    Attributes:
        file: Slack's name of it, "" where it is not there.
        why: why not, else "".
        said: what Slack said of the place for it.
    """

    file: str = ""
    why: str = ""
    said: CallResult


class FileSender:
    """Uploads files, at most once each: what has failed is told to whoever asked, and they may ask again."""

    def __init__(self, calls: WebApi, session: aiohttp.ClientSession, pacing: Pacing) -> None:
        self._calls = calls
        self._session = session
        self._pacing = pacing

    async def upload(self, file: AnswerFile) -> str:
        """Return "" where the file is in its thread, else why it is not, or perhaps not."""
        stored = await self.store(file.name, file.text.encode())
        if not stored.file:
            return stored.why
        done = await self.show(
            stored.file,
            file.name,
            channel=file.channel,
            thread=file.thread,
            comment=sentence_text(file.comment),
        )
        return "" if done.data.get("ok") and not done.error else reason(done)

    async def show(self, file: str, title: str, *, channel: str, thread: str, comment: str) -> CallResult:
        """Show a file whose bytes Slack has, under a message: a message like any other of that channel, so it waits for its turn."""
        await self._pacing.turn(self._pacing.post(channel), self._pacing.workspace())
        done = await self._calls.complete_upload(file, title, channel=channel, thread=thread, comment=comment)
        if done.later:
            pause(self._pacing, channel, done)
        return done

    async def store(self, name: str, content: bytes, **more: str) -> UploadOutcome:
        """Bring the bytes of a file to Slack, where nobody sees them before a message shows them.

        Args:
            name: of the file.
            content: at least one byte.
            **more: `alt_text`, for who cannot see a picture.
        """
        place = await self._calls.upload_url(name, len(content), **more)
        url, file_id = str(place.data.get("upload_url", "")), str(place.data.get("file_id", ""))
        if not url or not file_id:
            return UploadOutcome(why=reason(place), said=place)
        try:
            async with self._session.post(url, data=content) as response:
                if response.status == 200:
                    return UploadOutcome(file=file_id, said=place)
                log.warning("Slack took no file: HTTP %d", response.status)
                return UploadOutcome(why=f"Slack did not take the file (HTTP {response.status})", said=place)
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("Slack took no file: %s", type(error).__name__)
            return UploadOutcome(why="Slack did not take the file", said=place)


def reason(said: CallResult) -> str:
    """Return why a file is not in its thread, or perhaps not."""
    if said.error == "missing_scope":
        return NO_SCOPE
    if said.unknown:
        return "Slack has not answered, so it may be in the thread or not"
    return f"Slack did not take the file ({said.error or 'no place for it'})"
