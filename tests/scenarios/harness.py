"""The whole bot process between the emulated Slack and a cluster, and everything that a scenario does to the three."""

import asyncio
import base64
import difflib
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from bot.main import run, wired
from bot.playground.kubelet.api import ApiClientError
from bot.playground.slack import Message, SlackWorkspace
from bot.settings import Settings
from bot.views.thread import LAST_LINES
from bot.wiring.doors import Bot
from core.cluster.kinds import MANAGED
from core.cluster.kinds.secret import SECRET
from core.cluster.labels import FIELD_MANAGER, MANAGED_LABEL
from core.promotion import Promotion
from core.records.line import Line
from tests.scenarios.arrangement import ALICE, APP, CHANNEL, LOOPBACK, TOKEN_NAME, WEB, policy
from tests.scenarios.clusters import Cluster, Document
from tests.scenarios.transcript import Normal, rows_of

GOLDEN = Path(__file__).parent / "golden"
# What the server adds to what an object asks for.
NOT_ASKED = frozenset({"apiVersion", "kind", "metadata", "status"})
VERDICTS = ("OK", "ERROR:")
APPS = frozenset({"daemonsets", "deployments", "replicasets", "statefulsets"})


class Stage:
    """One workspace, one cluster, one database, and a bot that may be stopped and started between them.

    Attributes:
        slack: the emulated workspace.
        cluster: where releases run.
        bot: the wired bot of its present life.
    """

    bot: Bot

    def __init__(self, slack: SlackWorkspace, cluster: Cluster, settings: Settings) -> None:
        self.slack = slack
        self.cluster = cluster
        self.settings = settings
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        self._life: AsyncExitStack | None = None
        self._running: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._token = ""

    # The bot's life

    async def start(self, *, connected: bool = True) -> None:
        """Start the bot on what its database holds, and wait until Slack can reach it."""
        life, started = AsyncExitStack(), asyncio.Event()
        self._stop = asyncio.Event()
        self.bot = await life.enter_async_context(
            wired(self.settings, clock=self.cluster.clock, kubeconfig=self.cluster.kubeconfig())
        )
        self._life = life
        self._running = asyncio.create_task(run(self.bot, self._stop, started=started.set), name="the bot")
        if not self._token:
            self._token = await self.bot.store.tokens.create(TOKEN_NAME)
        await self.until(lambda: started.is_set() and (self.bot.slack.connected or not connected))

    async def stop(self) -> None:
        """Stop the bot as SIGTERM does."""
        assert self._running is not None
        assert self._life is not None
        self._stop.set()
        try:
            async with asyncio.timeout(self.cluster.patience):
                await self._running
        finally:
            await self._life.aclose()
            self._running = self._life = None

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def close(self) -> None:
        """Stop the bot, if it runs, and let go of its API."""
        try:
            if self._running is not None:
                await self.stop()
        finally:
            await self._session.close()

    def rule(self, **rules: str) -> None:
        """Change the policy file for everything that is asked for from now on, as an editor and SIGHUP do."""
        assert self.settings.convox_policy is not None
        self.settings.convox_policy.write_text(policy(**rules), encoding="utf-8")
        self.bot.policy.reload()

    # Waiting

    async def until(self, look: Callable[[], Any]) -> Any:
        """Return what `look` finds once it is true; fail at the deadline, or as soon as the bot has died."""
        try:
            async with asyncio.timeout(self.cluster.patience):
                while True:
                    found = look()
                    value: Any = await found if isinstance(found, Awaitable) else found
                    if value:
                        return value
                    if self._running is not None and self._running.done():
                        self._running.result()
                        raise AssertionError("the bot has stopped")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            transcript = self.slack.transcript()
            raise AssertionError(
                f"it did not become so in time; the workspace shows:\n{transcript}"
            ) from None

    async def ended(self, promotion: str) -> Promotion:
        """Return the promotion once it has ended and all of its card and thread says so."""

        async def told() -> Promotion | None:
            found = await self.bot.store.read.promotion(promotion)
            card = await self.bot.store.read.card(promotion)
            if not found.settled or card is None or card.failed:
                return found if found.settled else None
            shown = card.ts and card.shown >= found.revision and self.ending(card.ts)
            return found if shown else None

        return await self.until(told)

    async def phase(self, promotion: str, *phases: str) -> Promotion:
        """Return the promotion once it is in one of these phases."""

        async def there() -> Promotion | None:
            found = await self.bot.store.read.promotion(promotion)
            return found if found.phase in phases else None

        return await self.until(there)

    async def line(self, promotion: str, text: str) -> Line:
        """Return the first line of a promotion that contains the text, once there is one."""

        async def there() -> Line | None:
            return next((line for line in await self.lines(promotion) if text in line.text), None)

        return await self.until(there)

    async def quiet(self) -> None:
        """Wait until Slack has been told everything."""

        async def empty() -> bool:
            left = await self.bot.store.outbox.backlog()
            return not (left.cards or left.lines or left.posts)

        await self.until(empty)

    # Slack

    async def command(self, text: str, *, user: str = ALICE, channel: str = CHANNEL) -> str:
        """Type `/convox …` and return the answer, which only that person sees."""
        before = len(self.slack.ephemerals(user))
        delivery = await self.slack.command(user, channel, text)
        assert delivery.ok, delivery.error
        return await self.answer(user, before)

    async def click(self, promotion: str, button: str, *, user: str) -> str:
        """Press a button of a card, once it is there, and return the answer: a card is edited a little after its promotion moves on."""
        before = len(self.slack.ephemerals(user))
        action = f"promotion.{button}"

        async def offered() -> Message | None:
            card = await self.card(promotion)
            return card if action in _actions(card) else None

        card = await self.until(offered)
        delivery = await self.slack.click(user, card.channel, card.ts, action)
        assert delivery.ok, delivery.error
        return await self.answer(user, before)

    async def answer(self, user: str, before: int) -> str:
        """Return the next thing that only this person is shown, after so many before it."""
        shown = await self.until(lambda: self.slack.ephemerals(user)[before:])
        return self._anywhere(shown[0].text)

    def _anywhere(self, text: str) -> str:
        """Return a text as it is on a rack with the usual name, which goes without saying; on a shared control plane each test has its own."""
        return text.replace(f"\nrack `{self.cluster.rack}`", "")

    async def promote(self, release: str = "", *words: str, user: str = ALICE, app: str = APP) -> str:
        """Ask for a promotion in Slack, without a release for that of the newest, and return its id."""
        release = release or (await self.bot.store.read.releases(app, 1))[0].id
        answer = await self.command(" ".join(["releases promote", release, "-a", app, *words]), user=user)
        assert "Promoting R" in answer, answer
        return (await self.newest(app)).id

    async def newest(self, app: str = APP) -> Promotion:
        """Return the promotion that was asked for last."""
        return (await self.bot.store.read.promotions(app, 1))[0]

    async def promoted(self, release: str = "", *words: str, app: str = APP) -> Promotion:
        """Promote and wait for the end."""
        return await self.ended(await self.promote(release, *words, app=app))

    async def running(self, **images: str) -> str:
        """Promote a build that works, and return its release once it is verified."""
        release = await self.build(**images)
        promotion = await self.promoted(release)
        assert promotion.phase == "Running", "\n".join(await self.thread(promotion.id))
        return release

    async def card(self, promotion: str) -> Message:
        """Return the card as it stands now, once it is posted."""

        async def posted() -> Message | None:
            card = await self.bot.store.read.card(promotion)
            return self.slack.store.find(card.channel, card.ts) if card and card.ts else None

        return await self.until(posted)

    async def thread(self, promotion: str) -> list[str]:
        """Return the texts under a card, oldest first."""
        card = await self.card(promotion)
        return [message.text for message in self.slack.thread(card.channel, card.ts)]

    def ending(self, ts: str) -> str:
        """Return the terminal message of a thread, or ""."""
        texts = (message.text for message in self.slack.thread(CHANNEL, ts))
        return next((text for text in texts if text.startswith(VERDICTS)), "")

    # HTTP

    @property
    def authorization(self) -> dict[str, str]:
        basic = base64.b64encode(f"convox:{self._token}".encode()).decode()
        return {"Authorization": f"Basic {basic}"}

    async def http(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Ask the bot's API as the token; return status and body."""
        url = f"http://{LOOPBACK}:{self.settings.api_port}{path}"
        async with self._session.request(method, url, json=body, headers=self.authorization) as response:
            return response.status, await response.text()

    async def do(self, text: str) -> tuple[int, dict[str, Any]]:
        """Carry a command out as `convox-bot do` does."""
        status, answer = await self.http("POST", "/commands", {"text": text})
        return status, orjson.loads(answer)

    async def build(self, *, manifest: str = WEB, app: str = APP, **images: str) -> str:
        """Register a build as CI does and return the id of its release; `web="v2"` is a service and its tag."""
        refs = {service: f"registry.example/{APP}/{service}:{tag}" for service, tag in images.items()}
        body = {
            "manifest": manifest,
            "images": refs,
            "description": f"build of {', '.join(images.values())}",
        }
        status, answer = await self.http("POST", f"/apps/{app}/builds", body)
        assert status == 201, answer
        return str(orjson.loads(answer)["release"])

    # Registrar

    async def create_app(self, app: str = APP) -> None:
        """Make an app that is linked to the channel."""
        await self.cluster.prepare(app)
        answer = await self.command(f"apps create {app}")
        assert answer == f"```\nCreating {app}... OK\n```", answer

    async def lines(self, promotion: str) -> list[Line]:
        return [line for _, line in await self.bot.store.read.lines(promotion)]

    # The cluster, as an administrator sees it

    def namespace(self, app: str = APP) -> str:
        return f"{self.cluster.rack}-{app}"

    async def items(self, plural: str, *, app: str = APP) -> list[Document]:
        """Return the objects of a resource in the app's namespace."""
        root = "/apis/apps/v1" if plural in APPS else "/api/v1"
        listed = await self.cluster.admin.call("GET", f"{root}/namespaces/{self.namespace(app)}/{plural}")
        found: list[Document] = listed["items"]
        return found

    async def everything(self, *, app: str = APP) -> dict[str, Document]:
        """Return what each object of the app asks for, by kind and name; Secrets stay for old replica sets and are left out."""
        found: dict[str, Document] = {}
        for kind in MANAGED.values():
            if kind is SECRET:
                continue
            path = f"{kind.resource.root}/namespaces/{self.namespace(app)}/{kind.resource.plural}"
            try:
                listed = await self.cluster.admin.call("GET", path)
            except ApiClientError as error:
                if error.code == 404 and kind.optional:
                    continue
                raise
            for each in listed["items"]:
                if each["metadata"].get("labels", {}).get(MANAGED_LABEL) == FIELD_MANAGER:
                    asked = {key: each[key] for key in each if key not in NOT_ASKED}
                    found[f"{kind}/{each['metadata']['name']}"] = asked
        return found

    async def deployment(self, service: str = "web", *, app: str = APP) -> Document | None:
        """Return a Deployment as it is now, None where there is none."""
        found = await self.items("deployments", app=app)
        return next((each for each in found if each["metadata"]["name"] == service), None)

    async def pods(self, service: str = "web", *, app: str = APP) -> list[Document]:
        """Return the pods of a service that are not going."""
        return [
            pod
            for pod in await self.items("pods", app=app)
            if pod["metadata"]["name"].startswith(f"{service}-")
            and "deletionTimestamp" not in pod["metadata"]
        ]

    async def runs(self, release: str, service: str = "web", *, count: int = 2, app: str = APP) -> None:
        """Wait until a service runs that many pods of this release and no others."""

        async def only() -> bool:
            pods = await self.pods(service, app=app)
            return len(pods) == count and {p["metadata"]["labels"]["release"] for p in pods} == {release}

        await self.until(only)

    async def runs_nothing(self, service: str = "web", *, app: str = APP) -> None:
        """Wait until a service has no pod that is not going."""

        async def none() -> bool:
            return not await self.pods(service, app=app)

        await self.until(none)

    # Transcripts

    async def transcript(self, promotion: str) -> str:
        """Return what people were told of a promotion: its thread by object, its ending, its card."""
        normal = Normal(await self._names())
        *messages, last = await self.thread(promotion)
        # How many of the lines the ending takes along depends on how busy Slack is.
        ending, _, lines = last.partition(f"\n{LAST_LINES}\n")
        card = await self.card(promotion)
        told = rows_of([*messages, lines] if lines else messages)
        return "\n\n".join(
            [normal.by_object(told), normal.text(ending), normal.card(self._anywhere(card.text))]
        )

    async def _names(self) -> Mapping[str, str]:
        names: dict[str, str] = {}
        for app in await self.bot.store.read.apps():
            names[self.namespace(app.name)] = f"convox-{app.name}"
            builds = reversed(await self.bot.store.read.builds(app.name, 100))
            names |= {build.id: f"B{number}" for number, build in enumerate(builds, start=1)}
            releases = await self.bot.store.read.releases(app.name, 100)
            names |= {release.id: f"R{release.sequence}" for release in releases}
        return names

    async def tells(self, name: str, promotion: str) -> None:
        """Compare a transcript with the golden one; `GOLDEN=write` in the environment writes it anew."""
        transcript, path = f"{await self.transcript(promotion)}\n", GOLDEN / f"{name}.txt"
        if os.environ.get("GOLDEN") == "write":
            path.write_text(transcript, encoding="utf-8")
        golden = path.read_text(encoding="utf-8")
        difference = difflib.unified_diff(
            golden.splitlines(), transcript.splitlines(), "golden", "told", lineterm=""
        )
        assert transcript == golden, "\n".join(difference)


def _actions(message: Message) -> set[str]:
    """Return what its buttons are called."""
    return {str(each.get("action_id")) for block in message.blocks for each in block.get("elements", ())}
