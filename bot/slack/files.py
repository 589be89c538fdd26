"""Putting a file into a thread: a place for it, its bytes, and the message that shows it."""

import logging

import aiohttp

from bot.slack.web_api import CallResult, WebApi
from bot.views.answers import AnswerFile
from bot.views.mrkdwn import sentence_text

log = logging.getLogger(__name__)

NO_SCOPE = "I may not upload files: the Slack app lacks the scope files:write, which manifest.yml has; install it again"


class FileSender:
    """Uploads files, at most once each: what has failed is told to whoever asked, and they may ask again."""

    def __init__(self, calls: WebApi, session: aiohttp.ClientSession) -> None:
        self._calls = calls
        self._session = session

    async def upload(self, file: AnswerFile) -> str:
        """Return "" where the file is in its thread, else why it is not, or perhaps not."""
        content = file.text.encode()
        place = await self._calls.upload_url(file.name, len(content))
        url, file_id = str(place.data.get("upload_url", "")), str(place.data.get("file_id", ""))
        if not url or not file_id:
            return _why(place)
        try:
            async with self._session.post(url, data=content) as response:
                if response.status != 200:
                    log.warning("Slack took no file: HTTP %d", response.status)
                    return f"Slack did not take the file (HTTP {response.status})"
        except (TimeoutError, aiohttp.ClientError) as error:
            log.warning("Slack took no file: %s", type(error).__name__)
            return "Slack did not take the file"
        done = await self._calls.complete_upload(
            file_id, file.name, channel=file.channel, thread=file.thread, comment=sentence_text(file.comment)
        )
        return "" if done.data.get("ok") and not done.error else _why(done)


def _why(said: CallResult) -> str:
    if said.error == "missing_scope":
        return NO_SCOPE
    if said.unknown:
        return "Slack has not answered, so it may be in the thread or not"
    return f"Slack did not take the file ({said.error or 'no place for it'})"
