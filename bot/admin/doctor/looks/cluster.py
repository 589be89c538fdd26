"""Looking at the cluster: that it answers, what the bot may do in each namespace, and what its anchors say."""

from collections.abc import Awaitable, Callable, Sequence

from bot.admin.audit import AppAuditHead
from bot.admin.doctor.bounded import Look, in_a_sentence, look_at_all
from bot.admin.doctor.check import HealthCheck
from bot.admin.doctor.judgements import cluster as judge
from bot.admin.doctor.judgements.database import judge_heads
from bot.admin.doctor.judgements.machine import judge_clock
from bot.admin.doctor.looks.database import DatabaseLook, look_for_heads
from bot.settings import Settings
from core.clock import Clock
from core.cluster.adoption import NamespaceAdopter
from core.cluster.api.client import KubeClient
from core.cluster.builds.adapter import PLACE
from core.cluster.inspection import ClusterInspector, rights_of_an_app
from core.cluster.labels import namespace_name
from core.errors import Rejected, Unreachable
from core.records.app import App
from core.records.claim import Claim

# An app takes some seventy small requests, and an API server answers about a thousand a second.
APPS_AT_ONCE, CLUSTER_SECONDS = 5, 60.0


class ClusterLooks:
    """Asks the API server with the bot's own rights."""

    def __init__(self, settings: Settings, client: KubeClient, clock: Clock) -> None:
        self._settings = settings
        self._rack = settings.convox_rack
        self._clock = clock
        self._inspector = ClusterInspector(client, rack=self._rack, router=settings.router)
        self._identity = ""
        self._adopter = NamespaceAdopter(client, rack=self._rack)

    async def all(self, database: DatabaseLook) -> list[HealthCheck]:
        """Look at everything; where it does not answer at all, that is all that is said."""
        try:
            theirs = await self._inspector.time()
        except (Rejected, Unreachable) as error:
            return [judge.judge_cluster(str(error))]
        answers = [judge.judge_cluster(""), judge_clock("the API server", theirs, self._clock.now())]
        heads: list[AppAuditHead] = []
        self._identity = await self._inspector.identity()
        looks = [
            Look(f"rights in {self._space(app.name)}", self._of_app(app, database, heads))
            for app in database.records
        ]
        looks.append(Look("router", self._router))
        if self._settings.convox_registry:
            looks.append(Look(f"rights in {self._space(PLACE)}", self._builds))
        found = await look_at_all(looks, at_once=APPS_AT_ONCE, seconds=CLUSTER_SECONDS)
        return [*answers, *found, *await self._audit(database, heads)]

    def _of_app(
        self, app: App, database: DatabaseLook, heads: list[AppAuditHead]
    ) -> Callable[[], Awaitable[Sequence[HealthCheck]]]:
        async def look() -> list[HealthCheck]:
            missing, exists = await self._inspector.missing(app.name), await self._inspector.exists(app.name)
            # That namespaces may be read is of another role on a rack that makes them itself (deploy/self-service.yaml).
            bound = [
                right for right in rights_of_an_app(self._settings.router) if right.resource != "namespaces"
            ]
            some = not set(bound) <= set(missing)
            found = [
                judge.judge_rights(self._rack, app.name, missing, exists, some=some, identity=self._identity)
            ]
            return found + ([] if missing or exists is False else [await self._anchor(app, database, heads)])

        return look

    async def _anchor(self, app: App, database: DatabaseLook, heads: list[AppAuditHead]) -> HealthCheck:
        """Look whether the next promotion of an app may write; note how far its anchor remembers the audit."""
        coming = Claim(installation=database.installation, token=app.token + 1, promotion="")
        refused, anchor = await self._adopter.refusal(app, coming)
        if anchor and (head := anchor.head_of(database.installation)):
            heads.append(AppAuditHead(app=app.name, head=head))
        owner = anchor.installation if anchor and anchor.installation != database.installation else ""
        return judge.judge_anchor(app.name, self._space(app.name), refused, owner)

    async def _audit(self, database: DatabaseLook, heads: list[AppAuditHead]) -> Sequence[HealthCheck]:
        """Look whether the audit is the one that the cluster remembers."""
        if not database.records:
            return []
        heads.sort(key=lambda each: each.app)

        async def look() -> list[HealthCheck]:
            return [judge_heads(heads, await look_for_heads(self._settings.convox_database, heads))]

        return await in_a_sentence(Look("audit against the cluster", look))

    async def _router(self) -> list[HealthCheck]:
        return [judge.judge_router(self._settings.convox_router, await self._inspector.router_parts())]

    async def _builds(self) -> list[HealthCheck]:
        missing = await self._inspector.missing_for_builds()
        return [judge.judge_build_rights(self._rack, PLACE, missing)]

    def _space(self, app: str) -> str:
        return namespace_name(self._rack, app)
