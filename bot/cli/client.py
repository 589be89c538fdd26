"""The other end of the rack API, for a terminal and for CI; of the standard library, so that it starts in a blink."""

import http.client
import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.cli.job_tokens import JobTokenSource, job_tokens
from bot.cli.live_line import Awaited
from bot.cli.network_problems import UNKNOWN_VERSION, stranger, unreachable, version_hint
from bot.cli.rack_url import USER, CliError, RackUrl

CONNECT_SECONDS = 10.0
# `apps create` asks the cluster before it answers; its own limits are below this.
ANSWER_SECONDS = 120.0
# Before each new try to go on with a stream: a restart of the bot takes seconds, a move to another node minutes.
RETRY_PAUSES = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 30.0, 60.0, 60.0)
JSON_TYPE = "application/json"
# Another try may be answered otherwise: the body came too slowly, something between here and the bot
# takes only smaller ones, or has no bot behind it just now. The bot's own 500 and 503 are final, as they say what is wrong.
PASSING = frozenset({408, 413, 502, 504})
# How a bot answers what it does not know: a command, a flag, an address.
MISUNDERSTOOD = frozenset({400, 404, 405, 422})
VERSION_HEADER = "Convox-Bot-Version"
# A stream is silent while an approval is awaited; a dead peer is noticed within 30 + 3 × 10 s all the same.
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


# Shows what is awaited.
Show = Callable[[Awaited | None], None]


class ConnectionLost(Exception):
    """The connection ended in the middle, or the bot is not there just now; asking again may help.

    Attributes:
        hint: what to do where it does not, or "".
        status: of the answer, 0 where none came.
    """

    def __init__(self, sentence: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(sentence)
        self.hint = hint
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """The answer to a command.

    Attributes:
        promotion: the promotion that it asked for, or None.
        phase: where that is, or "".
        release: the release that was made or is promoted, or None.
        id: what `--id` asked for, or "".
        form: what is to be entered before anything is done, or None.
        data: the answer as data, where it is a list or a fact and that was asked for; None otherwise.
        notes: what is to be known beside the data.
    """

    text: str
    promotion: str | None
    phase: str
    release: str | None = None
    id: str = ""
    form: Mapping[str, Any] | None = None
    data: Any = None
    notes: tuple[str, ...] = ()


class RackClient:
    """One convox-bot, as `RACK_URL` names it."""

    def __init__(self, url: RackUrl, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Take where it is, and how to wait before a lost connection is tried again."""
        self._url = url
        self._pause = pause
        self._job_token: JobTokenSource | None = None if url.token else job_tokens(url, os.environ, pause)

    def command(self, text: str, *, as_json: bool = False, **entered: object) -> CommandResult:
        """Carry out a command.

        Args:
            text: its words.
            as_json: ask for its answer as data too.
            **entered: `input` and `seen`, where an answer before has asked for it.

        Raises:
            CliError: it was refused, or nobody answered.
        """
        asked = {"output": "json"} if as_json else {}
        document, headers = self._post("/commands", {"text": text, **asked, **entered})
        return CommandResult(
            text=str(document.get("text", "")),
            promotion=document.get("promotion"),
            release=document.get("release"),
            phase=headers.get("Promotion-Phase", ""),
            id=str(document.get("id", "")),
            form=document.get("form"),
            data=document.get("data"),
            notes=tuple(map(str, document.get("notes") or ())),
        )

    def register(self, app: str, build: Mapping[str, object]) -> dict[str, Any]:
        """Register a build, and return `id` and `release`; raises as `command` does."""
        return self._post(f"/apps/{quote(app, safe='')}/builds", build)[0]

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        kind: str = JSON_TYPE,
        passing: Container[int] = PASSING,
    ) -> dict[str, Any]:
        """Ask what may be asked again, and return the document of the answer; `passing`: statuses that another try may not meet.

        Raises:
            ConnectionLost: no answer came, or one that may be another the next time.
            CliError: it was refused.
        """
        with closing(self._connect()) as connection:
            try:
                response = self._ask(connection, method, path, body, kind=kind)
                if response.status < http.client.MULTIPLE_CHOICES:
                    return self._json(response)
                refused = self._not_ok(response) if response.status not in passing else None
            except (OSError, http.client.HTTPException) as error:
                raise ConnectionLost(
                    f"the connection to {self._url.name} was lost ({type(error).__name__})"
                ) from None
        if refused is None or ("Retry-After" in response.headers):
            raise ConnectionLost(f"{self._url.name} answers HTTP {response.status}", status=response.status)
        raise refused

    def follow(
        self,
        promotion: str,
        notice: Callable[[str], None],
        *,
        as_json: bool = False,
        show: Show | None = None,
    ) -> Iterator[str]:
        """Yield every line of a promotion until its terminal message, across lost connections.

        Args:
            promotion: its id.
            notice: is told when a connection was lost, and when it goes on after that.
            as_json: each line is a JSON object.
            show: is told what is awaited, where somebody looks on.

        Raises:
            CliError: there is no such promotion, or the bot has not come back.
        """
        received = tries = 0
        while True:
            try:
                for line in self._lines(promotion, received, as_json=as_json, show=show):
                    if tries:
                        notice(f"{self._url.name} answers again; this goes on where it was")
                    received, tries = received + 1, 0
                    yield line
                    if is_last(line) if as_json else is_verdict(line):
                        return
            except ConnectionLost as lost:
                if tries == 0:
                    notice(f"{lost}; trying again")
                self._wait(promotion, lost, tries, show)
                tries += 1

    def _wait(self, promotion: str, lost: ConnectionLost, tries: int, show: Show | None) -> None:
        """Wait before the next try to follow a promotion, or raise CliError where there have been enough."""
        if tries == len(RETRY_PAUSES):
            raise CliError(
                f"{self._url.name} does not answer any more: {lost}",
                hint=f"the rollout goes on without this terminal: `convox-bot do follow {promotion}` shows it again",
            ) from None
        if show is not None:
            show(Awaited(text=f"Waiting for {self._url.name}", seconds=sum(RETRY_PAUSES[:tries])))
        self._pause(RETRY_PAUSES[tries])

    def _lines(self, promotion: str, after: int, *, as_json: bool, show: Show | None) -> Iterator[str]:
        """Yield what one connection gives, and raise ConnectionLost when there is no more."""
        path = f"/promotions/{quote(promotion, safe='')}/lines?after={after}"
        if show is not None:
            yield from (str(row["text"]) for row in self.live(path, show, older="text"))
        else:
            yield from self.stream(f"{path}&format=json" if as_json else path)
        raise ConnectionLost(f"{self._url.name} has ended the stream without a verdict")

    def live(self, path: str, show: Show, *, older: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a stream but for what is awaited, which is shown until the next one.

        Args:
            path: of the stream, with some query.
            show: shows it.
            older: the format of a bot that does not know this one; of plain text each line is the `text` of an object.

        Raises:
            ConnectionLost, CliError: as of `stream`.
        """
        try:
            for row in self.stream(f"{path}&format=live"):
                document = json.loads(row)
                if "awaited" not in document:
                    yield document
                    continue
                spans = {name: document.get(name) for name in ("seconds", "left")}
                show(Awaited(text=str(document["awaited"]), **spans))
        except CliError as refused:
            if refused.status != http.client.UNPROCESSABLE_ENTITY:
                raise
            rows = self.stream(f"{path}&format={older}")
            yield from map(json.loads, rows) if older == "json" else ({"text": row} for row in rows)

    def stream(self, path: str) -> Iterator[str]:
        """Yield what one connection gives, whole lines only, until the bot ends it.

        Raises:
            ConnectionLost: it broke.
            CliError: it was refused.
        """
        with closing(self._connect()) as connection:
            sock = connection.sock
            try:
                response = self._ask(connection, "GET", path)
                if response.status != http.client.OK:
                    raise self._not_ok(response, retry=True)
                sock.settimeout(None)
                rest = b""
                while data := response.read1(65536):
                    *whole, rest = (rest + data).split(b"\n")
                    yield from (line.decode(errors="replace") for line in whole)
            except (OSError, http.client.HTTPException) as error:
                raise ConnectionLost(
                    f"the connection to {self._url.name} was lost ({type(error).__name__})"
                ) from None

    def _post(
        self, path: str, document: Mapping[str, object]
    ) -> tuple[dict[str, Any], http.client.HTTPMessage]:
        try:
            connection = self._connect()
        except ConnectionLost as lost:
            raise CliError(str(lost), hint=lost.hint) from None
        with closing(connection):
            try:
                response = self._ask(connection, "POST", path, json.dumps(document).encode())
                if response.status >= http.client.MULTIPLE_CHOICES:
                    raise self._not_ok(response)
                return self._json(response), response.headers
            except (OSError, http.client.HTTPException) as error:
                # Never sent again by itself: twice could be one too many.
                raise CliError(
                    f"no answer came from {self._url.name} ({type(error).__name__})",
                    hint="it may have been carried out: look before you repeat it",
                ) from None

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._url.secure else http.client.HTTPConnection
        connection = kind(self._url.host, self._url.port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            problem = unreachable(self._url.name, error)
            if problem.lasting:
                raise CliError(problem.sentence, hint=problem.hint) from None
            raise ConnectionLost(problem.sentence, hint=problem.hint) from None
        connection.sock.settimeout(ANSWER_SECONDS)
        _keep_alive(connection.sock)
        return connection

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        kind: str = JSON_TYPE,
    ) -> http.client.HTTPResponse:
        # Whoever posts may ask for a promotion, for which each token of a job is good once.
        token = self._job_token(method == "POST") if self._job_token else self._url.token
        secret = b64encode(f"{USER}:{token}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": kind}
        connection.request(method, self._url.prefix + path, body, headers)
        return connection.getresponse()

    def _not_ok(self, response: http.client.HTTPResponse, *, retry: bool = False) -> Exception:
        """Return what an answer other than the wanted one means."""
        if retry and response.status >= http.client.INTERNAL_SERVER_ERROR:
            return ConnectionLost(f"{self._url.name} answers HTTP {response.status}")
        document = self._json(response)
        if "error" not in document:
            return self._stranger(response)
        return CliError(
            str(document["error"]),
            hint="; ".join(filter(None, (str(document.get("hint", "")), _other_version(response)))),
            text=str(document.get("text", "")),
            status=response.status,
        )

    def _json(self, response: http.client.HTTPResponse) -> dict[str, Any]:
        try:
            document = json.loads(response.read())
        except ValueError:
            raise self._stranger(response) from None
        if not isinstance(document, dict):
            raise self._stranger(response)
        return document

    def _stranger(self, response: http.client.HTTPResponse) -> CliError:
        problem = stranger(self._url.name, response.status)
        return CliError(problem.sentence, hint=problem.hint, status=response.status)


def _other_version(response: http.client.HTTPResponse) -> str:
    """Return what to do where the bot did not understand, and is of another version than this program."""
    if response.status not in MISUNDERSTOOD:
        return ""
    from importlib import metadata  # noqa: PLC0415 - costs more than the rest of a start

    try:
        ours = metadata.version("convox-bot")
    except metadata.PackageNotFoundError:
        ours = UNKNOWN_VERSION
    return version_hint(response.headers.get(VERSION_HEADER), ours)


def is_verdict(line: str) -> bool:
    """Tell whether a line is the terminal message; every other one begins with a time or with spaces."""
    return line == "OK" or line.startswith(("OK (", "ERROR:"))


def is_last(line: str) -> bool:
    """Tell whether a line of JSON is the terminal message."""
    return "ending" in json.loads(line)


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):  # macOS lacks TCP_KEEPIDLE
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
