"""What a person does on the page: sends, presses, submits."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bot.playground.slack.buttons import PageButton
from bot.playground.slack.users import SimulatedUsers
from bot.playground.slack.view_users import ViewUsers

Json = dict[str, Any]
GONE = "This button is not on the message any more: look at what it says now."


class PageActions:
    """Takes the page's requests, each a small JSON document with the person who acts."""

    def __init__(
        self, users: SimulatedUsers, views: ViewUsers, *, command: str, buttons: Sequence[PageButton]
    ) -> None:
        self._users = users
        self._views = views
        self._command = command
        self._buttons = buttons

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.post("/do/send", self._send),
            web.post("/do/click", self._click),
            web.post("/do/shortcut", self._shortcut),
            web.post("/do/submit", self._submit),
            web.post("/do/home", self._home),
            web.post("/do/press", self._press),
            web.post("/do/choose", self._choose),
            web.post("/do/suggest", self._suggest),
            web.post("/do/close", self._close),
            web.post("/do/button", self._button),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        """Send what stands in the composer: a command, a message, or an invitation."""
        body = await _document(request)
        user, channel, text = body["user"], body["channel"], body["text"].strip()
        name, _, words = text.partition(" ")
        if name == self._command:
            delivery = await self._users.command(user, channel, words, name)
            return web.json_response({"ok": delivery.ok, "error": delivery.error})
        if name.startswith("/"):
            return web.json_response(self._built_in(channel, name, words))
        await self._users.say(user, channel, text, body.get("thread_ts"))
        return web.json_response({"ok": True})

    def _built_in(self, channel: str, name: str, rest: str) -> Json:
        if name != "/invite":
            return {"ok": False, "error": f"{name} is not a valid command."}
        try:
            self._users.invite(channel, rest.strip())
        except KeyError as error:
            return {"ok": False, "error": str(error.args[0])}
        return {"ok": True}

    async def _click(self, request: web.Request) -> web.Response:
        body = await _document(request)
        try:
            delivery = await self._users.click(
                *(body[key] for key in ("user", "channel", "ts", "action_id", "block_id"))
            )
        except LookupError:
            return web.json_response({"ok": False, "error": GONE})
        return web.json_response({"ok": delivery.ok, "error": delivery.error})

    async def _shortcut(self, request: web.Request) -> web.Response:
        body = await _document(request)
        delivery = await self._users.shortcut(
            *(body[key] for key in ("user", "channel", "ts", "callback_id"))
        )
        return web.json_response({"ok": delivery.ok, "error": delivery.error})

    async def _submit(self, request: web.Request) -> web.Response:
        """Submit a modal; the ack tells the page what to do with it."""
        body = await _document(request)
        delivery = await self._views.submit(body["user"], body["view_id"], body["values"])
        return web.json_response({"ok": delivery.ok, "error": delivery.error, "ack": delivery.ack})

    async def _home(self, request: web.Request) -> web.Response:
        body = await _document(request)
        delivery = await self._views.open_home(body["user"])
        return web.json_response({"ok": delivery.ok, "error": delivery.error})

    async def _press(self, request: web.Request) -> web.Response:
        """Press a button of a modal or of the Home tab."""
        body = await _document(request)
        user, view, values = body["user"], body["view_id"], body.get("values")
        try:
            delivery = await self._views.press(
                user, view, body["action_id"], block_id=body.get("block_id", ""), values=values
            )
        except LookupError as error:
            return web.json_response({"ok": False, "error": str(error.args[0])})
        return web.json_response({"ok": delivery.ok, "error": delivery.error})

    async def _choose(self, request: web.Request) -> web.Response:
        body = await _document(request)
        await self._views.choose(body["user"], body["view_id"], body["block_id"], body["values"])
        return web.json_response({"ok": True})

    async def _suggest(self, request: web.Request) -> web.Response:
        body = await _document(request)
        found = await self._views.suggest(body["user"], body["view_id"], body["block_id"], body["typed"])
        return web.json_response({"ok": True, "options": found})

    async def _close(self, request: web.Request) -> web.Response:
        body = await _document(request)
        await self._views.close(body["user"], body["view_id"])
        return web.json_response({"ok": True})

    async def _button(self, request: web.Request) -> web.Response:
        body = await _document(request)
        await self._buttons[int(body["index"])].press()
        return web.json_response({"ok": True})


async def _document(request: web.Request) -> Json:
    """Return the request's document. Only the page itself can send this content type without being asked first."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    document = await request.json()
    if not isinstance(document, dict):
        raise web.HTTPBadRequest
    return document
