"""Telling GitHub: a promotion of a build with a commit is a deployment there, whose status follows it.

Nothing is kept of what GitHub has made: a deployment is found again by the promotion that its payload names, so whoever
dies between two requests makes no second one.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from yarl import URL

from bot.outgoing.circuit_breaker import CircuitBreaker
from bot.outgoing.cloud_events import Link
from bot.outgoing.public_addresses import (
    NOT_PUBLIC,
    PrivateAddressError,
    is_private_address,
    may_be_called,
    new_connector,
)
from bot.outgoing.receiver import Delivered, Delivery, Postponed, Skipped, Undelivered
from core.clock import Clock
from core.errors import NotFound
from core.lifecycle.outcome import ending
from core.lifecycle.outgoing import STARTED
from core.lifecycle.redacting import redactor_of_releases
from core.ports.store import StoreReader
from core.promotion import Phase, Promotion
from core.records.build import BuildEntry
from core.records.git_account import GitAccount
from core.records.git_address import host_of_git
from core.records.outgoing_event import OutgoingEvent, Subscription

# https://docs.github.com/en/rest/deployments/statuses: of a description, in characters.
MOST_DESCRIPTION = 140
MOST_ANSWER_BYTES = 4 << 20
PER_PAGE = 100
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0
VERSION = "2022-11-28"
# How long a repository that the token has no right to is not asked again; another token is asked at once.
REFUSED_SECONDS = 3600.0
# Owner and name: whoever may build names the repository, and the token may reach others than the one of the app.
_REPOSITORY = re.compile(r"/[A-Za-z0-9_-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_LET_OUT = ", and CONVOX_WEBHOOK_PRIVATE=1 is not set"
_STATES = {Phase.RUNNING: "success", Phase.SUPERSEDED: "inactive"}


def new_github_session(*, private: bool) -> aiohttp.ClientSession:
    """Return what hosts of git are asked with, which apps have named: those of the internet, unless `private`."""
    return aiohttp.ClientSession(
        connector=new_connector(private=private),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=CONNECT_SECONDS),
    )


def api_of(host: str) -> str:
    """Return where the API of a host of git is, "" of one that is not GitHub's."""
    if host == "github.com":
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    # Of a host of one's own the name says what it runs, as in core/records/repository.py.
    return f"https://{host}/api/v3" if host.partition(".")[0] == "github" else ""


class _Refused(Exception):
    """GitHub has answered with something else than what was asked for."""

    def __init__(self, failed: Undelivered, *, right: bool = False) -> None:
        super().__init__(failed.answer)
        self.failed = failed
        self.right = right


class DeploymentReceiver:
    """`bot.outgoing.receiver.Receiver` of GitHub."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        read: StoreReader,
        *,
        rack: str,
        link: Link,
        clock: Clock,
        api: Callable[[str], str] = api_of,
        private: bool = False,
    ) -> None:
        self._session = session
        self._read = read
        self._rack = rack
        self._link = link
        self._clock = clock
        self._api = api
        self._private = private
        self._breaker = CircuitBreaker(clock)
        # Repository and token → until when it is not asked, and what it said.
        self._refused: dict[tuple[str, str], tuple[float, Undelivered]] = {}

    async def deliver(self, subscription: Subscription, event: OutgoingEvent) -> Delivery:  # noqa: ARG002 - whom is said by the build
        try:
            promotion = await self._read.promotion(event.subject)
            release = await self._read.release_entry(promotion.app, promotion.release)
            build = await self._read.build_entry(promotion.app, release.build or "")
        except NotFound:
            return Skipped()
        account = await self._account(build)
        if account is None or promotion.started_at is None:
            return Skipped()
        return await self._tried(promotion, build, account, event)

    async def _tried(
        self, promotion: Promotion, build: BuildEntry, account: GitAccount, event: OutgoingEvent
    ) -> Delivery:
        known = (build.repository, hashlib.sha256(account.secret.encode()).hexdigest())
        # One host that does not answer keeps no other waiting, nor one token that has asked too much.
        asked = (account.host, known[1])
        if rest := max(self._breaker.left(account.host), self._breaker.left(asked)):
            return Postponed(seconds=rest)
        now = self._clock.monotonic()
        self._refused = {each: said for each, said in self._refused.items() if said[0] > now}
        if known in self._refused:
            return replace(self._refused[known][1], repeated=True)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                delivery = await self._tell(promotion, build, account, event)
        except _Refused as error:
            if error.right:
                self._refused[known] = (now + REFUSED_SECONDS, error.failed)
            if not error.failed.drop:
                self._breaker.failed(asked if error.failed.after else account.host, error.failed.after)
                return replace(error.failed, of_event=True)
            delivery = error.failed
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self._breaker.failed(account.host)
            return Undelivered(answer=_unreached(account.host, error), of_event=True)
        self._breaker.well(account.host)
        self._breaker.well(asked)
        return delivery

    async def _account(self, build: BuildEntry) -> GitAccount | None:
        """Return the account with which the repository of a build is spoken of; nobody else's host ever sees it."""
        address = urlsplit(build.repository)
        if not build.git_sha or address.scheme != "https" or not _REPOSITORY.fullmatch(address.path):
            return None
        host = host_of_git(build.repository)
        accounts = await self._read.git_accounts(build.app)
        return next((each for each in accounts if each.host == host and self._api(host)), None)

    async def _tell(
        self, promotion: Promotion, build: BuildEntry, account: GitAccount, event: OutgoingEvent
    ) -> Delivery:
        repository = urlsplit(build.repository).path.strip("/")
        deployments = f"{self._api(account.host)}/repos/{repository}/deployments"
        number = await self._find(promotion, build, account, deployments)
        if number is None:
            number = await self._make(promotion, build, account, deployments)
        state = "in_progress" if event.type == STARTED else _STATES.get(promotion.phase, "failure")
        statuses = f"{deployments}/{number}/statuses"
        newest = _listed(account.host, await self._ask(account, "GET", statuses, params={"per_page": "1"}))
        if newest and newest[0].get("state") == state:
            return Delivered(answer=f"{state}, as before")
        card = await self._read.card(promotion.id)
        body = {
            "state": state,
            "description": await self._description(promotion, event),
            "environment": self._environment(promotion),
            "log_url": self._link(card.channel, card.ts) if card and card.ts else "",
        }
        await self._ask(account, "POST", statuses, body=body)
        return Delivered(answer=state)

    async def _find(
        self, promotion: Promotion, build: BuildEntry, account: GitAccount, deployments: str
    ) -> int | None:
        asked = {
            "sha": build.git_sha,
            "environment": self._environment(promotion),
            "per_page": str(PER_PAGE),
        }
        for each in _listed(account.host, await self._ask(account, "GET", deployments, params=asked)):
            if _payload(each).get("promotion") == promotion.id:
                return _number(account.host, each)
        return None

    async def _make(
        self, promotion: Promotion, build: BuildEntry, account: GitAccount, deployments: str
    ) -> int:
        made = await self._ask(
            account,
            "POST",
            deployments,
            body={
                "ref": build.git_sha,
                "environment": self._environment(promotion),
                "description": f"{promotion.kind} of {promotion.release}"[:MOST_DESCRIPTION],
                "payload": {"promotion": promotion.id, "release": promotion.release},
                # What is promoted is decided here: nothing is merged, and no check is waited for.
                "auto_merge": False,
                "required_contexts": [],
            },
        )
        return _number(account.host, made)

    def _environment(self, promotion: Promotion) -> str:
        return f"{self._rack}-{promotion.app}"

    async def _description(self, promotion: Promotion, event: OutgoingEvent) -> str:
        if event.type == STARTED:
            return f"{promotion.release} is rolling out"
        ids = [each for each in (promotion.release, promotion.back_to) if each]
        redact = await redactor_of_releases(self._read, promotion.app, ids)
        told = redact(f"{promotion.release}: {ending(promotion)}")
        return told if len(told) <= MOST_DESCRIPTION else f"{told[: MOST_DESCRIPTION - 1]}…"

    async def _ask(
        self,
        account: GitAccount,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return GitHub's answer; the token goes to no other address.

        Raises:
            _Refused: it is none of what was asked for.
            PrivateAddressError: it leads inwards.
            aiohttp.ClientError, OSError, TimeoutError: there is none.
        """
        if not may_be_called(URL(url), private=self._private):
            raise PrivateAddressError(f"{account.host} is no address of the internet")
        headers = {
            "Authorization": f"Bearer {account.secret}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "User-Agent": "convox-bot",
            "X-GitHub-Api-Version": VERSION,
        }
        data = None if body is None else orjson.dumps(body)
        async with self._session.request(
            method, url, params=params, data=data, headers=headers, allow_redirects=False
        ) as response:
            if response.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                raise refused(account.host, response.status, response.headers, self._clock.now().timestamp())
            text = await response.content.read(MOST_ANSWER_BYTES)
            while len(text) < MOST_ANSWER_BYTES and (more := await response.content.read(MOST_ANSWER_BYTES)):
                text += more
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            raise _foreign(account.host) from None


def _unreached(host: str, error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"{host} does not answer"
    if is_private_address(error):
        return f"{host} {NOT_PUBLIC}{_LET_OUT}"
    return f"{host} cannot be reached"


def _foreign(host: str) -> _Refused:
    return _Refused(Undelivered(answer=f"{host} does not speak GitHub's JSON"))


def _listed(host: str, answer: Any) -> list[Mapping[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(each, Mapping) for each in answer):
        raise _foreign(host)
    return answer


def _number(host: str, deployment: Any) -> int:
    found = deployment.get("id") if isinstance(deployment, Mapping) else None
    if not isinstance(found, int):
        raise _foreign(host)
    return found


def refused(host: str, status: int, headers: Mapping[str, str], now: float) -> _Refused:
    """Return what a status means.

    Limits are told by 403 or 429, with `retry-after` or `x-ratelimit-reset`
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api).
    """
    after = headers.get("retry-after", "")
    if status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        if after.isascii() and after.isdigit():
            return _Refused(Undelivered(answer=f"{host} asks for a rest", after=float(after)))
        reset = headers.get("x-ratelimit-reset", "")
        if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
            return _Refused(Undelivered(answer=f"{host} asks for a rest", after=max(0.0, float(reset) - now)))
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        why = f"{host} says {status}: the token of `git add {host}` needs the right to write deployments of this repository"
        return _Refused(Undelivered(answer=why, drop="unauthorized"), right=True)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return _Refused(Undelivered(answer=f"{host} says 422: it does not know this commit", drop="rejected"))
    if 300 <= status < 400:
        return _Refused(
            Undelivered(answer=f"{host} says {status}: the repository has moved", drop="rejected")
        )
    return _Refused(Undelivered(answer=f"{host} says {status}"))


def _payload(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the payload of a deployment, which GitHub keeps as an object or as its text."""
    payload = deployment.get("payload")
    if isinstance(payload, str):
        try:
            payload = orjson.loads(payload)
        except orjson.JSONDecodeError:
            return {}
    return payload if isinstance(payload, Mapping) else {}
