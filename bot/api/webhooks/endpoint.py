"""`POST /webhooks/github` and `/webhooks/gitlab`: what is pushed there is built, as the policy says.

Nothing of a body is read before its headers look like the vendor's, and nothing of it parsed before it is known to be.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.api.webhooks.document import read_document, text
from bot.api.webhooks.github import push_of_github
from bot.api.webhooks.gitlab import push_of_gitlab
from bot.api.webhooks.signatures import (
    GITHUB_SIGNATURE,
    github_signed,
    gitlab_signed,
    gitlab_stamped,
    gitlab_token,
)
from bot.http.bodies import read_bytes
from bot.http.errors import Unsigned, json_response
from bot.prefixes import in_terminal
from core.clock import Clock
from core.errors import NotFound, Unreadable, UserError
from core.records.push import Push
from core.usecases.push_receiver import PushedApp, PushReceiver, summary

# GitHub tells at most 2,048 commits of a push, with the files of each: of a merge of some hundred a megabyte and more.
MOST_BYTES = 4 << 20
MOST_DELIVERY = 1_000
# What deliveries are counted by: who sends them, and what becomes of one.
VENDORS = ("github", "gitlab")
OUTCOMES = ("started", "known", "refused", "ignored", "unsigned", "failed")
GITLAB_PUSHES = frozenset({"Push Hook", "Tag Push Hook"})
# Of a hook of a whole GitLab, or of a group: the event stands in the body.
GITLAB_SYSTEM, GITLAB_KINDS = "System Hook", frozenset({"push", "tag_push"})
NO_PUSH = "only pushes are built"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecrets:
    """What signs the webhooks of each; several while one is exchanged, none where nothing is taken."""

    github: Sequence[str] = ()
    gitlab: Sequence[str] = ()


class WebhooksEndpoint:
    """Takes webhooks.

    Attributes:
        counts: (vendor, outcome) → deliveries, since the process began.
    """

    def __init__(self, receiver: PushReceiver, secrets: WebhookSecrets, clock: Clock) -> None:
        self._receiver = receiver
        self._secrets = secrets
        self._clock = clock
        self.counts: Counter[tuple[str, str]] = Counter()

    async def github(self, request: web.Request) -> web.Response:
        """Answer a delivery of GitHub: 202 with what became of it."""
        with self._counting("github") as told:
            secrets = _set_up(self._secrets.github, "GitHub", "CONVOX_GITHUB_WEBHOOK_SECRETS")
            signature = request.headers.get("X-Hub-Signature-256", "")
            if not GITHUB_SIGNATURE.fullmatch(signature):
                raise _unsigned("GitHub")
            body = await read_bytes(request, MOST_BYTES)
            if not github_signed(secrets, signature, body):
                raise _unsigned("GitHub")
            event = request.headers.get("X-GitHub-Event", "")
            if event != "push":
                return told.ignored("a ping is answered, and that is all" if event == "ping" else NO_PUSH)
            payload = read_document(body, request.content_type)
            delivery = request.headers.get("X-GitHub-Delivery", "")
            return await self._built(told, push_of_github(payload), delivery)

    async def gitlab(self, request: web.Request) -> web.Response:
        """Answer a delivery of GitLab: 202 with what became of it."""
        with self._counting("gitlab") as told:
            body = await self._of_gitlab(request)
            event, payload = request.headers.get("X-Gitlab-Event", ""), None
            if event == GITLAB_SYSTEM:
                payload = read_document(body, request.content_type)
                event = "Push Hook" if text(payload, "event_name") in GITLAB_KINDS else event
            if event not in GITLAB_PUSHES:
                return told.ignored(NO_PUSH)
            payload = payload or read_document(body, request.content_type)
            push = push_of_gitlab(payload)
            return await self._built(told, push, _gitlab_delivery(request.headers, push))

    async def _of_gitlab(self, request: web.Request) -> bytes:
        """Return the body of what GitLab has signed, or has sent with a secret token, which is looked at before the body is read."""
        secrets = _set_up(self._secrets.gitlab, "GitLab", "CONVOX_GITLAB_WEBHOOK_SECRETS")
        headers = request.headers
        if gitlab_token(secrets, headers.get("X-Gitlab-Token", "")):
            return await read_bytes(request, MOST_BYTES)
        if not gitlab_stamped(headers, self._clock.now().timestamp()):
            raise _unsigned("GitLab")
        body = await read_bytes(request, MOST_BYTES)
        if not gitlab_signed(secrets, headers, body):
            raise _unsigned("GitLab")
        return body

    async def _built(self, told: "_Told", push: Push | None, delivery: str) -> web.Response:
        if push is None:
            return told.ignored("what was deleted is not built")
        # A header may hold bytes that are no text, and GitHub signs none.
        if not (0 < len(delivery) <= MOST_DELIVERY and delivery.isprintable()):
            raise Unreadable("this delivery has no id, so it could not be told from the next one")
        built = await self._receiver.receive(push, vendor=told.vendor, delivery=delivery)
        if not built:
            return told.ignored(f"no rule of the policy has {push.name} of {push.repository} built")
        return told.built(built)

    @contextmanager
    def _counting(self, vendor: str) -> Iterator["_Told"]:
        told = _Told(vendor)
        try:
            yield told
        except UserError as error:
            told.outcome = "unsigned" if isinstance(error, Unsigned) else "failed"
            raise
        finally:
            self.counts[vendor, told.outcome] += 1


class _Told:
    """What is answered, and how it is counted."""

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.outcome = "failed"

    def ignored(self, why: str) -> web.Response:
        self.outcome = "ignored"
        return json_response({"ignored": why}, 202)

    def built(self, built: Sequence[PushedApp]) -> web.Response:
        """Answer 202 whatever became of it: GitLab sends nothing more to an address that answers with errors."""
        self.outcome = summary(built)
        builds = [{"app": each.app, "id": each.build, "known": each.known} for each in built if each.build]
        problems = [f"{each.app}: {each.problem.shown(in_terminal)}" for each in built if each.problem]
        return json_response({"builds": builds, "problems": problems}, 202)


def _set_up(secrets: Sequence[str], vendor: str, setting: str) -> Sequence[str]:
    if not secrets:
        raise NotFound(f"webhooks of {vendor} are not set up here", hint=f"{setting} is not set")
    return secrets


def _unsigned(vendor: str) -> Unsigned:
    return Unsigned(f"this is not signed by {vendor} with the secret that is set here")


def _gitlab_delivery(headers: Mapping[str, str], push: Push | None) -> str:
    """Return the id of a delivery, which stays with a retry (GitLab docs, "Delivery headers").

    Versions before 17.4 name the event alone, by an id that a push has in common with what its own webhooks have set off.
    """
    own = headers.get("Idempotency-Key") or headers.get("webhook-id")
    event = headers.get("X-Gitlab-Event-UUID", "")
    return own or (f"{event} {' '.join(push.identity)}" if event and push else "")
