"""The page's own door: its files, the state it shows, a live stream, and what a person does with it."""

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.playground.slack.buttons import PageButton
from bot.playground.slack.context import TEAM_NAME, WorkspaceContext
from bot.playground.slack.page_actions import PageActions
from bot.playground.slack.render import channel_json, message_json, user_json
from bot.playground.slack.shortcuts import MessageShortcut
from bot.playground.slack.state import Conversation, Message
from bot.playground.slack.users import SimulatedUsers
from bot.playground.slack.view_users import ViewUsers

log = logging.getLogger(__name__)

Json = dict[str, Any]
FILES = Path(__file__).parent / "page"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b":\n\n"


class PageApi:
    """Serves the page and acts for whoever uses it."""

    def __init__(
        self,
        context: WorkspaceContext,
        users: SimulatedUsers,
        views: ViewUsers,
        *,
        command: str,
        hints: Sequence[Sequence[str]],
        steps: Sequence[Sequence[str]],
        shortcuts: Sequence[MessageShortcut],
        buttons: Sequence[PageButton],
        samples: Sequence[Json] = (),
    ) -> None:
        self._context = context
        self._users = users
        self._views = views
        self._command = command
        self._acts = PageActions(users, views, command=command, buttons=buttons)
        self._buttons = [{"label": button.label, "question": button.question} for button in buttons]
        self._samples = list(samples)
        self._shortcuts = [{"name": each.name, "callback_id": each.callback_id} for each in shortcuts]
        self._hints = [{"usage": hint[0], "description": hint[1]} for hint in hints]
        self._steps = [_step(*each) for each in steps]

    def offer(self, steps: Sequence[Sequence[str]]) -> None:
        """Put other first steps on the page, at once on those that are open."""
        self._steps = [_step(*each) for each in steps]
        self._context.store.changed()

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self._index),
            web.static("/page", FILES),
            web.get("/archives/{channel}/{message}", self._permalink),
            web.get("/samples", self._sample_page),
            web.get("/do/samples", self._sampled),
            web.get("/do/state", self._state),
            web.get("/do/events", self._events),
            *self._acts.routes(),
        ]

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return _page("index.html")

    async def _sample_page(self, _request: web.Request) -> web.StreamResponse:
        return _page("samples.html")

    async def _sampled(self, _request: web.Request) -> web.Response:
        """Return the messages that are shown side by side."""
        return web.json_response(self._samples)

    async def _permalink(self, request: web.Request) -> web.StreamResponse:
        """Lead a message's permanent link to its thread."""
        digits = request.match_info["message"].removeprefix("p")
        thread = request.query.get("thread_ts") or f"{digits[:-6]}.{digits[-6:]}"
        raise web.HTTPFound(f"/#{request.match_info['channel']}/{thread}")

    async def _state(self, request: web.Request) -> web.Response:
        """Return everything that one person can see."""
        return web.json_response(self.view_of(request.query.get("user", "")))

    def _viewer(self, name: str) -> str:
        """Return the person who looks, by id or name; the first member when nobody was named."""
        try:
            return self._users.user(name).id
        except KeyError:
            return next(person.id for person in self._context.store.users.values() if not person.is_bot)

    def view_of(self, user: str) -> Json:
        store = self._context.store
        viewer = self._viewer(user)
        channels = [channel for channel in store.channels.values() if _visible(channel, viewer)]
        seen = {channel.id for channel in channels}
        messages = [m for m in store.messages if m.channel in seen]
        return {
            "team": TEAM_NAME,
            "viewer": viewer,
            "bot": self._context.credentials.bot_user,
            "command": self._command,
            "users": [user_json(person) for person in store.users.values()],
            "usergroups": [{"id": group.id, "handle": group.handle} for group in store.usergroups.values()],
            "channels": [
                channel_json(channel, self._context.credentials.bot_user) | {"members": channel.members}
                for channel in channels
            ],
            "messages": [
                self._shown(m) for m in messages + [e for e in store.ephemerals if e.visible_to == viewer]
            ],
            "home": self._views.home(viewer),
            "modal": self._views.modal(viewer),
            "hints": self._hints,
            "first_steps": self._steps,
            "shortcuts": self._shortcuts,
            "buttons": self._buttons,
        }

    def _shown(self, message: Message) -> Json:
        extra = {
            "channel": message.channel,
            "ephemeral": bool(message.visible_to),
            "broadcast": message.broadcast,
        }
        return message_json(message, self._context.store) | extra

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Stream what changes for one person, as server-sent events."""
        viewer = self._viewer(request.query.get("user", ""))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        with self._context.feed.subscribe() as queue:
            line: bytes | None = b'retry: 500\ndata: {"type": "hello"}\n\n'
            try:
                while line is not None:
                    await response.write(line)
                    line = await self._next(queue, viewer)
            except ConnectionError as error:
                # A browser that leaves does so without a word; nothing is left to be done for it.
                log.debug("a browser has left: %s", error)
        return response

    async def _next(self, queue: "asyncio.Queue[Json | None]", viewer: str) -> bytes | None:
        """Return what to write next, a comment where there is nothing to tell; None once the feed is closed."""
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                event = await queue.get()
        except TimeoutError:
            return KEEP_ALIVE
        if event is None:
            return None
        shown = self._for(viewer, event)
        return f"data: {json.dumps(shown)}\n\n".encode() if shown else KEEP_ALIVE

    def _for(self, viewer: str, event: Json) -> Json | None:
        """Word an event for one viewer; None if it is not theirs to see."""
        if event["type"] == "view":
            return {"type": "view", "view": event["view"]} if event["user"] == viewer else None
        if event["type"] not in {"message", "message_deleted"}:
            return event if event["type"] in {"workspace", "reload"} else None
        message: Message = event["message"]
        channel = self._context.store.channels.get(message.channel)
        mine = message.visible_to in {None, viewer} and channel is not None and _visible(channel, viewer)
        return {"type": event["type"], "message": self._shown(message)} if mine else None


def _page(name: str) -> web.StreamResponse:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return web.FileResponse(FILES / name, headers=headers)


def _step(title: str, command: str, explanation: str, channel: str = "") -> Json:
    return {"title": title, "command": command, "explanation": explanation, "channel": channel}


def _visible(channel: Conversation, viewer: str) -> bool:
    return viewer in channel.members or not (channel.is_private or channel.is_im)
