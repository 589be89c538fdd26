"""A file comes into its thread, or whoever asked reads why it did not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.playground.slack import SlackWorkspace
from bot.playground.slack.context import BOT_SCOPES, AppCredentials
from bot.slack.connection import SlackState, new_client
from bot.slack.files import NO_SCOPE, FileSender
from bot.slack.pacing import Pacing
from bot.slack.web_api import CallResult, WebApi
from bot.views.answers import AnswerFile
from core.sentence import Sentence
from tests.core.world import ALICE

CHANNEL = "C01DEPLOYS"


def file(text: str = "a\nb\n") -> AnswerFile:
    comment = Sentence.of("the last 2 lines of web, for ", ALICE)
    return AnswerFile(
        name="web.log", text=text, channel=CHANNEL, thread="", comment=comment, said="it is there"
    )


@pytest.fixture
async def slack() -> AsyncIterator[SlackWorkspace]:
    workspace = SlackWorkspace(SystemClock())
    await workspace.start()
    yield workspace
    await workspace.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def upload(
    slack: SlackWorkspace, session: aiohttp.ClientSession
) -> tuple[str, list[dict[str, object]]]:
    """Return what came of an upload, and the files in the thread."""
    calls = WebApi(new_client(slack.credentials.bot_token, slack.api_url, session), SlackState())
    card = (await calls.post(CHANNEL, {"text": "a card"}, "nonce")).ts
    why = await FileSender(calls, session, Pacing(SystemClock())).upload(replace(file(), thread=card))
    return why, [each for message in slack.thread(CHANNEL, card) for each in message.files]


async def test_a_file_stands_in_its_thread_with_who_asked_for_it(
    slack: SlackWorkspace, session: aiohttp.ClientSession
):
    why, files = await upload(slack, session)
    assert why == ""
    assert [(each["name"], each["content"]) for each in files] == [("web.log", "a\nb\n")]
    (comment,) = [m.text for m in slack.store.messages if m.files]
    assert comment == f"the last 2 lines of web, for <@{ALICE.id}>"


async def test_without_the_scope_it_is_said_which_and_what_to_do(session: aiohttp.ClientSession):
    workspace = SlackWorkspace(SystemClock(), credentials=AppCredentials(scopes=BOT_SCOPES - {"files:write"}))
    await workspace.start()
    try:
        assert await upload(workspace, session) == (NO_SCOPE, [])
    finally:
        await workspace.stop()


@pytest.mark.parametrize(
    ("method", "failure", "said"),
    [
        (
            "files.getUploadURLExternal",
            "invalid_arguments",
            "Slack did not take the file (invalid_arguments)",
        ),
        (
            "files.completeUploadExternal",
            "channel_not_found",
            "Slack did not take the file (channel_not_found)",
        ),
        ("files.completeUploadExternal", 502, "Slack has not answered, so it may be in the thread or not"),
    ],
)
async def test_what_keeps_it_from_its_thread_is_said(
    slack: SlackWorkspace, session: aiohttp.ClientSession, method: str, failure: str | int, said: str
):
    slack.fail_next(method, failure)
    assert await upload(slack, session) == (said, [])


@pytest.mark.parametrize("status", [500, None])
async def test_bytes_that_do_not_arrive_are_said(
    slack: SlackWorkspace, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, status: int | None
):
    calls = WebApi(new_client(slack.credentials.bot_token, slack.api_url, session), SlackState())
    where = f"{slack.url}/upload/FNOWHERE" if status else "http://127.0.0.1:9/upload"

    async def elsewhere(_name: str, _length: int) -> CallResult:
        return CallResult(data={"upload_url": where, "file_id": "F1"})

    monkeypatch.setattr(calls, "upload_url", elsewhere)
    why = await FileSender(calls, session, Pacing(SystemClock())).upload(file())
    assert why == ("Slack did not take the file (HTTP 404)" if status else "Slack did not take the file")
