"""The adapter on the simulated cluster, with one app and a way to make releases of it."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.clock import ScaledClock
from bot.playground.cluster.simulated import SimulatedCluster
from core.actor import BOT
from core.clock import Clock
from core.cluster.adapter import KubernetesCluster
from core.cluster.api.client import KubeClient
from core.cluster.api.credentials import from_document
from core.cluster.fencing import AppNamespace
from core.manifest.convox_yml import parse_manifest
from core.policy.authorization import Rules
from core.records.app import App
from core.records.build import Build
from core.records.bundle import Bundle, Ref
from core.records.claim import Claim
from core.records.environment import Environment
from core.records.intent import Applied
from core.records.release import Release
from core.records.router import NO_ROUTER, Router

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOME = AppNamespace("convox", "myapp")
WEB = Ref("Deployment", "web")
MANIFEST = """
services:
  web:
    image: registry.example/web:latest
    port: 3000
    scale:
      count: 2
"""


@dataclass(kw_only=True)
class Bench:
    """One cluster, as the bot and as its administrator see it, with one app."""

    clock: Clock
    admin: KubeClient
    cluster: KubernetesCluster
    home: AppNamespace = HOME
    sequence: int = 0

    def bundle(
        self, image: str = "web:1", *, environment: Mapping[str, str] | None = None, manifest: str = MANIFEST
    ) -> Bundle:
        """Render the next release, with this image for every service."""
        self.sequence += 1
        release = Release(
            id=f"RAAAAAAAA{self.sequence:02d}",
            app=self.home.app,
            sequence=self.sequence,
            build="BAAAAAAAAAA",
            environment=Environment(tuple((environment or {"COLOUR": "blue"}).items())),
            description="",
            created_at=NOW,
            created_by=BOT,
        )
        loaded = parse_manifest(manifest, release.environment)
        build = Build(
            id="BAAAAAAAAAA",
            app=self.home.app,
            manifest=manifest,
            images={s.name: f"registry.example/{image}" for s in loaded.services},
            release=release.id,
            started_at=NOW,
            ended_at=NOW,
            created_by=BOT,
        )
        passwords = {each.name: f"password-of-{each.name}" for each in loaded.made}
        return self.cluster.render(release, build, loaded, self.app(), Rules(), passwords)

    async def apply(self, bundle: Bundle, *, token: int = 1, force: bool = False) -> tuple[Applied, ...]:
        """Apply a whole bundle in order."""
        return tuple(
            [
                await self.cluster.apply(self.home.app, bundle, r, token=token, force=force)
                for r in bundle.refs
            ]
        )

    async def get(self, ref: Ref) -> dict[str, Any]:
        found = await self.admin.get(self.home.at(ref.kind, ref.name))
        assert found is not None, ref
        return found

    async def make(self, body: dict[str, Any], *, manager: str = "kubectl") -> dict[str, Any]:
        """Apply an object as somebody else."""
        at = self.home.at(body["kind"], body["metadata"]["name"])
        return await self.admin.apply(at, body, manager=manager, force=True)

    def app(self, **changes: Any) -> App:
        return app(**{"name": self.home.app, **changes})


@dataclass(kw_only=True)
class Live(Bench):
    """The simulated cluster."""

    simulated: SimulatedCluster


def counted(bundle: Bundle, replicas: int) -> dict[str, Any]:
    """Return the Deployment of a bundle with a count, which a bundle never has."""
    body: dict[str, Any] = deepcopy(next(dict(o) for o in bundle.objects if o["kind"] == WEB.kind))
    body["spec"]["replicas"] = replicas
    return body


def claim(installation: str, token: int, promotion: str = "", **more: Any) -> Claim:
    """Return the claim of a promotion, by default of the one that has this number."""
    return Claim(installation=installation, token=token, promotion=promotion or f"P{token}", **more)


def app(**changes: Any) -> App:
    return App(**{"name": "myapp", "created_at": NOW, "created_by": BOT, **changes})


@asynccontextmanager
async def live(
    *,
    speed: float = 20.0,
    namespace: bool = True,
    router: Router = NO_ROUTER,
    extensions: Collection[str] = (),
) -> AsyncIterator[Live]:
    clock = ScaledClock(speed)
    async with SimulatedCluster(clock, extensions=extensions) as simulated:
        client = KubeClient(from_document(simulated.kubeconfig()), clock=clock)
        admin = KubeClient(from_document(simulated.kubeconfig("admin")), clock=clock)
        async with client, admin:
            cluster = KubernetesCluster(client, rack="convox", router=router, clock=clock)
            if namespace:
                assert await cluster.create_namespace("myapp") is None
            yield Live(simulated=simulated, clock=clock, admin=admin, cluster=cluster)
