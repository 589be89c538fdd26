"""The whole bot process between the emulated Slack and a cluster, and everything a scenario does to the three."""

import asyncio
import base64
import itertools
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from bot.main import Bot, new_key, run, wired
from bot.playground.slack import Message, SlackWorkspace
from bot.settings import Settings, read_settings
from core.progress import Line
from core.promotion import Promotion
from tests.scenarios.clusters import Cluster, Document
from tests.scenarios.transcript import Normal, rows_of

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
APP = "myapp"
CHANNEL = "C01DEPLOYS"
ALICE, BOB, CAROL = "U01ALICE", "U02BOB", "U03CAROL"
GUEST, STRANGER = "U04GITA", "U05SAM"
TOKEN = "ci"  # noqa: S105 - its name
GOLDEN = Path(__file__).parent / "golden"
# Slack waits three seconds for an acknowledgement. A scaled clock makes tenths of that, and whether a loaded machine
# keeps them says nothing about the bot; tests/ holds the listeners' own speed elsewhere.
ACK_SECONDS = 100.0
DEPLOYMENT = "/apis/apps/v1/namespaces/{}/deployments/{}"

# Short enough that a failure of every kind is over within seconds of real time.
LIMITS = {"deadline": "20s", "longest": "90s", "min_ready": "1s", "settle": "4s", "crashes": "1"}
POLICY = """
roles:
  developer: [view, build, env, promote, rollback, cancel, admin]
  approver: [view, approve]
members:
  - who: [{alice}, {bob}, "token:{token}"]
    roles: [developer]
  - who: [{alice}, {bob}, {carol}]
    roles: [approver]
apps:
  - match: ["*"]
"""
WEB = """
services:
  web:
    build: .
    port: 3000
    health: {path: /health, interval: 1, grace: 1, timeout: 1}
    scale: {count: 2, cpu: 10, memory: 16}
    termination: {grace: 5}
"""
WEB_AND_WORKER = (
    WEB
    + """
  worker:
    build: .
    scale: {count: 1, cpu: 10, memory: 16}
    termination: {grace: 5}
"""
)


def policy(**rules: str) -> str:
    """Return a policy file: alice and bob are developers, all three may approve, every app has these rules."""
    text = POLICY.format(alice=ALICE, bob=BOB, carol=CAROL, token=TOKEN)
    return text + "".join(f"    {key}: {value}\n" for key, value in {**LIMITS, **rules}.items())


class Stage:
    """One workspace, one cluster, one database, and a bot that may be stopped and started between them.

    Attributes:
        slack: the emulated workspace.
        cluster: where releases run.
        bot: the wired bot of the present life.
    """

    bot: Bot

    def __init__(self, slack: SlackWorkspace, cluster: Cluster, settings: Settings) -> None:
        self.slack = slack
        self.cluster = cluster
        self.settings = settings
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))
        self._life: AsyncExitStack | None = None
        self._running: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._token = ""

    # -- the bot's life ------------------------------------------------------------------------------------

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
            self._token = await self.bot.store.tokens.create(TOKEN)
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
        try:
            if self._running is not None:
                await self.stop()
        finally:
            await self._session.close()

    # -- waiting -------------------------------------------------------------------------------------------

    async def until(self, look: Callable[[], T | Awaitable[T]], *, within: float = 0.0) -> T:
        """Return what `look` finds once it is true; fail at the deadline, or as soon as the bot has died."""
        try:
            async with asyncio.timeout(within or self.cluster.patience):
                while True:
                    found = look()
                    value: Any = await found if isinstance(found, Awaitable) else found
                    if value:
                        return value  # type: ignore[no-any-return]
                    if self._running is not None and self._running.done() and not self._stop.is_set():
                        self._running.result()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            told = self.slack.transcript()
            raise AssertionError(f"it did not become so in time; the workspace shows:\n{told}") from None

    async def ended(self, promotion: str) -> Promotion:
        """Return the promotion once it has ended and, where it has a card, all of Slack says so."""

        async def told() -> Promotion | None:
            found = await self.bot.store.read.promotion(promotion)
            if not found.settled:
                return None
            card = await self.bot.store.read.card(promotion)
            if card is None or card.failed:
                return found
            return found if card.shown >= found.revision and self.ending_of(card.ts) else None

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
            lines = await self.lines(promotion)
            return next((line for line in lines if text in line.text), None)

        return await self.until(there)

    async def quiet(self) -> None:
        """Wait until Slack has been told everything."""

        async def empty() -> bool:
            left = await self.bot.store.outbox.backlog()
            return not (left.cards or left.lines or left.posts)

        await self.until(empty)

    # -- Slack ---------------------------------------------------------------------------------------------

    async def command(self, text: str, *, user: str = ALICE, channel: str = CHANNEL) -> str:
        """Type `/convox …` and return the answer, which only that person sees."""
        before = len(self.slack.ephemerals(user))
        delivery = await self.slack.command(user, channel, text)
        assert delivery.ok, delivery.error
        return (await self.answers(user, before))[0]

    async def click(self, promotion: str, button: str, *, user: str) -> str:
        """Press a button of a card and return the answer."""
        before = len(self.slack.ephemerals(user))
        card = await self.card(promotion)
        delivery = await self.slack.click(user, card.channel, card.ts, f"promotion.{button}")
        assert delivery.ok, delivery.error
        return (await self.answers(user, before))[0]

    async def answers(self, user: str, before: int, *, count: int = 1) -> list[str]:
        """Return the texts that a person was shown since they had `before` of them."""

        def shown() -> list[Message]:
            new = self.slack.ephemerals(user)[before:]
            return new if len(new) >= count else []

        return [message.text for message in await self.until(shown)]

    async def promote(self, release: str = "", *words: str, user: str = ALICE, app: str = APP) -> str:
        """Ask for a promotion in Slack and return its id."""
        answer = await self.command(" ".join(["releases promote", release, "-a", app, *words]), user=user)
        assert "Promoting R" in answer, answer
        return (await self.bot.store.read.promotions(app, 1))[0].id

    async def promoted(self, release: str = "", *words: str, app: str = APP) -> Promotion:
        """Promote and wait for the end."""
        return await self.ended(await self.promote(release, *words, app=app))

    async def card(self, promotion: str) -> Message:
        """Return the card as it is shown now, once it is posted."""

        async def posted() -> Message | None:
            card = await self.bot.store.read.card(promotion)
            return self.slack.store.find(card.channel, card.ts) if card and card.ts else None

        return await self.until(posted)

    async def thread(self, promotion: str) -> list[str]:
        """Return the texts under a card, oldest first."""
        card = await self.card(promotion)
        return [message.text for message in self.slack.thread(card.channel, card.ts)]

    def ending_of(self, ts: str | None) -> str:
        """Return the terminal message of a thread, or ""."""
        texts = [message.text for message in self.slack.thread(CHANNEL, ts)] if ts else []
        return next((text for text in texts if text.startswith(("OK", "ERROR:"))), "")

    # -- HTTP ----------------------------------------------------------------------------------------------

    @property
    def authorization(self) -> dict[str, str]:
        basic = base64.b64encode(f"convox:{self._token}".encode()).decode()
        return {"Authorization": f"Basic {basic}"}

    async def http(self, method: str, path: str, **how: Any) -> tuple[int, str]:
        """Ask the bot's API as the token and return status and body."""
        url = f"http://{LOOPBACK}:{self.settings.api_port}{path}"
        async with self._session.request(method, url, headers=self.authorization, **how) as response:
            return response.status, await response.text()

    async def do(self, text: str) -> tuple[int, dict[str, Any]]:
        """Carry a command out as `convox-bot do` does."""
        url = f"http://{LOOPBACK}:{self.settings.api_port}/commands"
        async with self._session.post(url, json={"text": text}, headers=self.authorization) as response:
            return response.status, await response.json()

    async def build(self, *, manifest: str = WEB, app: str = APP, **images: str) -> str:
        """Register a build as CI does and return the id of its release; `web="v2"` is a tag."""
        refs = {name: f"registry.example/{APP}/{name}:{tag}" for name, tag in images.items()}
        body = {"manifest": manifest, "images": refs, "description": "build " + " ".join(images.values())}
        status, answer = await self.http("POST", f"/apps/{app}/builds", json=body)
        assert status == 201, answer
        made: dict[str, str] = (await self.bot.store.read.builds(app, 1))[0].__dict__ if False else {}
        del made
        return str(__import__("orjson").loads(answer)["release"])

    # -- records -------------------------------------------------------------------------------------------

    async def create_app(self, app: str = APP) -> None:
        """Make an app that is linked to the channel."""
        await self.cluster.prepare(app)
        answer = await self.command(f"apps create {app}")
        assert answer == f"```\nCreating {app}... OK\n```", answer

    async def lines(self, promotion: str) -> list[Line]:
        return [line for _, line in await self.bot.store.read.lines(promotion)]

    # -- the cluster, as an administrator ------------------------------------------------------------------

    def namespace(self, app: str = APP) -> str:
        return f"{self.cluster.rack}-{app}"

    async def deployment(self, service: str = "web", *, app: str = APP) -> Document:
        """Return a Deployment as it is now."""
        return await self.cluster.admin.call("GET", DEPLOYMENT.format(self.namespace(app), service))

    async def items(self, plural: str, *, app: str = APP) -> list[Document]:
        """Return the objects of a core or apps resource in the app's namespace."""
        root = "/apis/apps/v1" if plural in {"deployments", "replicasets"} else "/api/v1"
        listed = await self.cluster.admin.call("GET", f"{root}/namespaces/{self.namespace(app)}/{plural}")
        found: list[Document] = listed["items"]
        return found

    async def runs(self, service: str = "web", *, app: str = APP) -> str:
        """Return the release of which every pod of a service is, once the ones of others are going."""

        async def one() -> str:
            deployment = await self.deployment(service, app=app)
            labels = deployment["spec"]["selector"]["matchLabels"]
            staying = [
                pod["metadata"]["labels"]
                for pod in await self.items("pods", app=app)
                if "deletionTimestamp" not in pod["metadata"]
                and labels.items() <= pod["metadata"]["labels"].items()
            ]
            releases = {found["release"] for found in staying}
            return releases.pop() if len(releases) == 1 else ""

        return await self.until(one)

    # -- transcripts ---------------------------------------------------------------------------------------

    async def transcript(self, promotion: str) -> str:
        """Return what people were told of a promotion: its thread by object, its ending, its card."""
        normal = Normal(await self._names())
        *messages, ending = await self.thread(promotion)
        card = await self.card(promotion)
        return "\n".join(
            [normal.by_object(rows_of(messages)), "", normal.text(ending), "", normal.card(card.text), ""]
        )

    async def _names(self) -> Mapping[str, str]:
        apps = [app.name for app in await self.bot.store.read.apps()]
        listed = [(app, await self.bot.store.read.releases(app, 100)) for app in apps]
        names = {release.id: f"R{release.sequence}" for _, releases in listed for release in releases}
        builds = [await self.bot.store.read.builds(app, 100) for app in apps]
        names |= {b.id: f"B{n}" for b, n in zip(itertools.chain(*map(reversed, builds)), itertools.count(1))}
        return names | {self.namespace(app): f"convox-{app}" for app in apps}

    async def tells(self, name: str, promotion: str) -> None:
        """Compare a transcript with the golden one; `GOLDEN=write` in the environment writes it anew."""
        told, path = await self.transcript(promotion), GOLDEN / f"{name}.txt"
        if os.environ.get("GOLDEN") == "write":
            path.write_text(told, encoding="utf-8")
        assert told == path.read_text(encoding="utf-8")


def free_ports(count: int) -> Sequence[int]:
    """Return ports of loopback that nobody has."""
    with _probes(count) as probes:
        return [probe.getsockname()[1] for probe in probes]
