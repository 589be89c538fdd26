"""An app with a long history, made by the store's own writes: honest rows, sealed as the bot seals them, without the waiting.

Every release has its build, its bundle and its status; every one was promoted, told in Slack and found good; the newest
is the active one. A hundred thousand take minutes and most of a gigabyte, so they are kept in the
user's cache, under a name that changes with the schema and with this file.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.admin.commands import new_key
from bot.clock import SystemClock
from core.actor import Actor
from core.cluster.bundling import render_bundle
from core.ids import new_id
from core.manifest.convox_yml import Manifest, parse_manifest
from core.policy.rules import Rules
from core.promotion import Phase, Promotion
from core.records.app import App
from core.records.build import Build
from core.records.environment import Environment
from core.records.line import Line
from core.records.release import Release, ReleaseStatus
from storage.keys import Keyring
from storage.migrate import MIGRATIONS
from storage.store import SqliteStore, SqliteTransaction, open_store
from tests.bench.arena import MANIFEST

APP, CHANNEL = "myapp", "C02HISTORY"
OPERATOR = Actor("slack", "U01ALICE", "alice")
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
# Releases in one transaction.
BATCH = 500
LINES = ("Created pod: web-745f845dc-rzl2q", "Started container main")
TEXT = MANIFEST.format(pods=2)
ENVIRONMENT = Environment(tuple((f"SETTING_{n}", f"value {n} of a usual length") for n in range(8)))
# What sender and inbox would have written, had they been there.
TOLD = """
UPDATE cards SET ts = created_at, shown = wanted, ended = 1 WHERE ended = 0;
UPDATE outbox SET state = 'sent', ts = created_at WHERE state = 'pending';
UPDATE lines SET post = (SELECT id FROM outbox WHERE kind = 'terminal' AND subject = lines.subject) WHERE post IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """A database with a history, and the key that fits it."""

    database: Path
    key: str


def cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder in the user's cache for histories of this schema."""
    home = environ.get("XDG_CACHE_HOME") or environ.get("HOME", "~") + "/.cache"
    made_of = "".join(migration.script for migration in MIGRATIONS) + Path(__file__).read_text()
    name = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    return Path(home).expanduser() / "convox-bot" / "history" / name


async def aged(releases: int, folder: Path) -> Aged:
    """Return a database with so many releases, made now if there is none; it is not to be changed.

    Args:
        releases: how many; what is made goes on from the largest smaller one that is there.
        folder: where it is kept.
    """
    made = Aged(database=folder / f"{releases}.db", key=_key(folder))
    if not made.database.exists():
        half, begin = _begin(folder, releases)
        async with open_store(half, Keyring([made.key]), SystemClock()) as store:
            await _grow(store, begin, releases)
        half.rename(made.database)
        half.with_name(f"{half.name}.lock").unlink(missing_ok=True)
    return made


def _key(folder: Path) -> str:
    """Return the key of all histories of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "key"
    if not secret.exists():
        secret.write_text(new_key())
    return secret.read_text()


def _begin(folder: Path, releases: int) -> tuple[Path, int]:
    """Return the file to grow, and how many releases it has: none, or those of the largest smaller history."""
    half = folder / f"{releases}.half"
    half.unlink(missing_ok=True)
    smaller = max((size for path in folder.glob("*.db") if (size := int(path.stem)) < releases), default=0)
    if smaller:
        shutil.copy(folder / f"{smaller}.db", half)
    return half, smaller


async def _grow(store: SqliteStore, begin: int, end: int) -> None:
    """Add the releases number `begin` + 1 to `end`."""
    manifest = parse_manifest(TEXT, ENVIRONMENT)
    if begin == 0:
        async with store.transaction() as tx:
            await tx.add_app(App(name=APP, created_at=BEGAN, created_by=OPERATOR, channel=CHANNEL))
    app = await store.read.app(APP)
    for first in range(begin, end, BATCH):
        async with store.transaction() as tx:
            for number in range(first, min(first + BATCH, end)):
                last = await _add(tx, app, manifest, number + 1)
            await tx.save_app(replace(app, active_release=last, token=number + 1))
            for statement in TOLD.split(";"):
                await tx._session.connection.execute(statement)


async def _add(tx: SqliteTransaction, app: App, manifest: Manifest, sequence: int) -> str:
    """Add one release with everything that ever happened to it; return its id."""
    at = BEGAN + timedelta(seconds=sequence)
    release = Release(
        id=new_id("release"),
        app=APP,
        sequence=sequence,
        build=new_id("build"),
        environment=ENVIRONMENT,
        description=f"build {sequence:010} A change of the kind that is made every day",
        created_at=at,
        created_by=OPERATOR,
    )
    assert release.build is not None
    build = Build(
        id=release.build,
        app=APP,
        manifest=TEXT,
        images={"web": f"registry.example/myapp/web@sha256:{sequence:064x}"},
        description=release.description,
        git_sha=f"{sequence:040x}",
        release=release.id,
        started_at=at,
        ended_at=at,
        created_by=OPERATOR,
    )
    await tx.add_build(build)
    await tx.add_release(release)
    await tx.save_bundle(render_bundle(release, build, manifest, app, Rules(), {}, rack="convox"))
    await tx.save_release_status(ReleaseStatus(release=release.id, verified_at=at))
    await _promoted(tx, release, at)
    return release.id


async def _promoted(tx: SqliteTransaction, release: Release, at: datetime) -> None:
    """Add a promotion that ended well and was told."""
    promotion = Promotion(
        id=new_id("promotion"),
        app=APP,
        release=release.id,
        phase=Phase.RUNNING,
        requested_by=OPERATOR,
        requested_at=at,
        channel=CHANNEL,
        token=release.sequence,
        started_at=at,
        touched_at=at,
        stage_at=at,
        settled_at=at,
        revision=7,
    )
    await tx.add_promotion(promotion)
    lines = [Line(at=at, object="web-745f845dc-rzl2q", text=text, key=text) for text in LINES]
    await tx.add_lines(promotion.id, lines)
    await tx.add_card(promotion.id, CHANNEL)
    await tx.add_terminal(promotion.id)
    await tx.audit(OPERATOR, "promote.request", promotion.id, {"app": APP, "release": release.id})
