"""A database as version 1 of the schema left it, row by row: what nobody may forget how to read."""

import json
import zlib
from contextlib import asynccontextmanager

from storage.database import open_database
from storage.keys import Keyring, Vault
from storage.migrate import MIGRATIONS
from tests.storage.making import ALICE, APP, NOW

MOMENT = NOW.isoformat(timespec="microseconds")
RELEASE = "RAAAAAAAAAA"
BOUND = "bundle=00ff active=RZZZZZZZZZZ prune=Deployment/worker,Service/worker namespace=ns-1"
WORDS = {"anyway": None, "cause": "", "reason": "", "approved_for": BOUND}
PROGRESS = {
    "watched": 0.0,
    "moved": 0.0,
    "marks": {},
    "stamps": {},
    "seen": {},
    "baseline_restarts": {},
    "suspects": {},
    "services": {},
    "waiting": "",
    "clearing": "",
}


def actor(given):
    return json.dumps({"kind": given.kind, "id": given.id, "name": given.name})


class Before:
    """Writes rows as version 1 did."""

    def __init__(self, connection, vault):
        self._connection = connection
        self._vault = vault

    async def add(self, table, **columns):
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        await self._connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", list(columns.values())
        )

    async def ground(self):
        await self.add("apps", name=APP, created_at=MOMENT, created_by=actor(ALICE), token=1)
        await self.release(RELEASE)

    async def release(self, release, sequence=1):
        await self.add(
            "releases",
            id=release,
            app=APP,
            sequence=sequence,
            environment=self._vault.seal([]),
            description="",
            created_at=MOMENT,
            created_by=actor(ALICE),
        )

    async def build(self, build, images):
        """Register a build; its release is the one that is there already."""
        await self.add(
            "builds",
            id=build,
            app=APP,
            manifest=self._vault.seal_bytes(zlib.compress(b"services: {}")),
            images=json.dumps(images),
            description="as it was",
            git_sha="",
            status="complete",
            release=RELEASE,
            started_at=MOMENT,
            ended_at=MOMENT,
            created_by=actor(ALICE),
        )

    async def active(self, release, **counts):
        """Make a release the active one, with a bundle of these services."""
        services = [{"name": name, "count": count, "settle": 20.0} for name, count in counts.items()]
        document = json.dumps({"objects": [], "services": services, "digest": "d"}).encode()
        sealed = self._vault.seal_bytes(zlib.compress(document))
        await self.add("bundles", release=release, app=APP, render_version=1, sealed=sealed)
        await self._connection.execute("UPDATE apps SET active = ?", [release])

    async def bundle(self, release, *refs):
        """Store the objects of a release."""
        objects = [{"kind": kind, "metadata": {"name": name}} for kind, name in refs]
        document = json.dumps({"objects": objects, "services": [], "digest": "d"}).encode()
        sealed = self._vault.seal_bytes(zlib.compress(document))
        await self.add("bundles", release=release, app=APP, render_version=1, sealed=sealed)

    async def intent(self, promotion, **replicas):
        """Store what a promotion found: Deployments of so many pods, and their Secrets."""
        found = [
            {
                "ref": {"kind": kind, "name": name},
                "existed": True,
                "replicas": count if kind == "Deployment" else None,
            }
            for name, count in replicas.items()
            for kind in ("Secret", "Deployment")
        ]
        await self.add("intents", promotion=promotion, sealed=self._vault.seal({"objects": found}))

    async def hold(self, release, why):
        await self.add("standings", release=release, held=self._vault.seal(why), withdrawn=0)

    async def verify(self, release):
        await self.add("standings", release=release, verified_at=MOMENT, withdrawn=0)

    async def promotion(self, promotion, phase, *, by=None, superseded_by=None, **words):
        await self.add(
            "promotions",
            id=promotion,
            app=APP,
            release=RELEASE,
            kind="promote",
            phase=phase,
            requested_by=actor(ALICE),
            requested_at=MOMENT,
            source="slack",
            force=0,
            limits="{}",
            approvals=1,
            token=1,
            acted_by=actor(by) if by else None,
            superseded_by=superseded_by,
            removed=0,
            nothing_ran=0,
            revision=1,
            words=self._vault.seal(WORDS | words),
            progress=self._vault.seal(PROGRESS),
        )


@asynccontextmanager
async def database_of_before(path, key):
    """Open a new database of version 1, with an app and a release, to write rows of then into it."""
    async with open_database(path, exclusive=True, migrations=MIGRATIONS[:1]) as database:
        vault = await Vault.open(database, Keyring([key]))
        async with database.transaction() as connection:
            before = Before(connection, vault)
            await before.ground()
            yield before
