"""Records for the tests of the storage, complete and a little unusual."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from core.actor import Actor
from core.ids import new_id
from core.promotion import Phase, Promotion
from core.records.app import App
from core.records.build import Build
from core.records.bundle import Bundle, BundleService, Ref
from core.records.environment import Environment
from core.records.intent import BaselineObject, Intent
from core.records.line import Line
from core.records.release import Release

NOW = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
ALICE = Actor("slack", "U01ALICE", "alice")
CI = Actor("token", "ci", "ci")
APP = "myapp"


class HandClock:
    """Time that only a test moves."""

    def __init__(self, now=NOW):
        self.time = now

    def now(self):
        return self.time

    def monotonic(self):
        return self.time.timestamp()

    async def sleep(self, seconds):
        self.jump(seconds)

    def jump(self, seconds):
        self.time += timedelta(seconds=seconds)


def make_app(name=APP, **changes):
    return App(name=name, created_at=NOW, created_by=ALICE, **changes)


def make_release(release_id=None, *, app=APP, sequence=1, build=None, pairs=(), **changes):
    return Release(
        id=release_id or new_id("release"),
        app=app,
        sequence=sequence,
        build=build,
        environment=Environment(tuple(pairs)),
        description="env add:FOO",
        created_at=NOW,
        created_by=ALICE,
        **changes,
    )


def make_build(build_id, release, *, app=APP, **changes):
    values: dict[str, Any] = {
        "manifest": "services:\n  web:\n    build: .\n",
        "images": {"web": "registry.host/myapp@sha256:0"},
        "description": "build 0123456789 Fix naïve „quotes“",
        "git_sha": "0123456789abcdef",
        "repository": "https://github.com/shop/myapp",
        "started_at": NOW,
        "ended_at": NOW + timedelta(seconds=3),
        "created_by": CI,
    }
    return Build(id=build_id, app=app, release=release, **(values | changes))


def make_promotion(release, promotion_id=None, *, phase=Phase.PENDING, app=APP, **changes):
    return Promotion(
        id=promotion_id or new_id("promotion"),
        app=app,
        release=release,
        phase=phase,
        requested_by=ALICE,
        requested_at=NOW,
        **changes,
    )


def make_bundle(release, *, app=APP, value="1"):
    objects = (
        {"kind": "Secret", "metadata": {"name": f"env-web-{release.lower()}"}, "stringData": {"FOO": value}},
        {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {}}}},
    )
    services = (BundleService(name="web", workload=Ref("Deployment", "web"), count=2, settle=20.0),)
    return Bundle(
        release=release, app=app, objects=objects, services=services, digest="d" * 64, render_version=1
    )


def make_intent():
    web = BaselineObject(
        ref=Ref("Deployment", "web"),
        existed=True,
        uid="u-1",
        generation=7,
        replicas=3,
    )
    gone = BaselineObject(ref=Ref("Service", "web"), existed=False)
    return Intent(
        namespace_uid="ns-1",
        objects=(web, gone),
        replica_sets={"rs-1": (2, 3)},
        pods={"p1": 0, "p2": 3},
        terminating=frozenset({"p1"}),
    )


def make_line(number, text="Created container main", *, key=None, kind="line"):
    return Line(
        at=NOW + timedelta(seconds=number),
        object="web-745f845dc-rzl2q",
        text=text,
        key=key or f"key {number}",
        kind=kind,
    )


async def seed(store, *, app=APP, release="RAAAAAAAAAA", promotion=None, **changes):
    """Store an app with one release and, where asked for, one promotion of it."""
    async with store.transaction() as tx:
        await tx.add_app(make_app(app))
        await tx.add_release(make_release(release, app=app))
        if promotion:
            await tx.add_promotion(make_promotion(release, promotion, app=app, **changes))


async def carded(store, promotion="PAAAAAAAAAA", channel="C01", *, ts="1.0", **changes):
    """Store an app, a release and a promotion whose card is posted."""
    await seed(store, promotion=promotion, **changes)
    async with store.transaction() as tx:
        await tx.add_card(promotion, channel)
    if ts:
        await store.outbox.card_posted(promotion, ts, 0)


def moved(promotion, phase, **changes):
    return replace(promotion, phase=phase, revision=promotion.revision + 1, **changes)
