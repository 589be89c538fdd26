"""Upgrades of what is sealed, in order: SQL cannot read it, so code does, once, as soon as the keys are there.

`migrate.py` runs before, also where nobody has the keys (`convox-bot token`): what stands here meets the newest schema.
"""

import asyncio
import logging
import re
import zlib
from collections.abc import Awaitable, Callable, Sequence
from sqlite3 import Row
from typing import Any

import orjson

from storage.database import Database
from storage.errors import SchemaTooNew
from storage.keys import Vault
from storage.session import Session

log = logging.getLogger(__name__)

# Rows that are held in memory at once, and after how many an operator is told.
AT_ONCE, TOLD_EACH = 200, 2000
Upgrade = Callable[[Session, Vault], Awaitable[None]]
# How Slack has people and channels named.
_NAMED = re.compile(r"<(@[UW][A-Z0-9]+|#[CG][A-Z0-9]+)>")

# What an upgrade writes is spelled out in it: what the rest of the code writes changes with the next one.


async def bindings_are_documents(session: Session, vault: Vault) -> None:
    """What approvals are bound to was a text, taken to pieces again where it had changed."""
    for row in await session.all("sealed_words"):
        words = vault.unseal(row["words"])
        bound = words["approved_for"]
        words["approved_for"] = binding_in(bound) if bound else None
        await session.run("reseal_words", {"number": row["number"], "words": vault.seal(words)})


def binding_in(text: str) -> dict[str, Any]:
    """Return the document of what was written as `bundle=… active=… prune=Kind/name,… namespace=…`."""
    parts = dict(part.partition("=")[::2] for part in text.split(" "))
    return {
        "bundle": parts["bundle"],
        "active": parts["active"] or None,
        "prune": [each.split("/") for each in parts["prune"].split(",") if each],
        "namespace": parts["namespace"] or None,
    }


async def sentences_have_parts(session: Session, vault: Vault) -> None:
    """Why a promotion failed and a release is on hold was a text that had people in it as Slack writes them."""
    for row in await session.all("sealed_words"):
        words = vault.unseal(row["words"])
        # What somebody has said to a decline is no sentence of ours: whatever stands in it is meant as it stands.
        said = row["phase"] == "Declined"
        words["reason"] = [words["reason"]] if said else sentence_in(words["reason"])
        words["cause"] = sentence_in(words["cause"])
        await session.run("reseal_words", {"number": row["number"], "words": vault.seal(words)})
    for row in await session.all("sealed_holds"):
        held = vault.seal(sentence_in(vault.unseal(row["held"])))
        await session.run("reseal_hold", {"release": row["release"], "held": held})


def sentence_in(text: str) -> list[Any]:
    """Return the document of a text in which each person and channel was an id in angle brackets."""
    # Texts and names by turns.
    return [_named(each) if at % 2 else each for at, each in enumerate(_NAMED.split(text))]


def _named(name: str) -> dict[str, Any]:
    sign, found = name[0], name[1:]
    return {"channel": found} if sign == "#" else {"actor": {"kind": "slack", "id": found, "name": ""}}


async def counts_are_recorded(session: Session, vault: Vault) -> None:
    """The counts of manifests were read out of bundles, and what had been there out of intents."""
    for row in await session.all("sealed_active_bundles"):
        document = orjson.loads(zlib.decompress(vault.unseal_bytes(row["sealed"])))
        objects = vault.unseal(row["found"])["objects"] if row["found"] else []
        had = {each["ref"]["name"]: each["replicas"] for each in objects if each["replicas"] is not None}
        for service in document["services"]:
            # What ran a service was a Deployment of the same name.
            name = service["name"]
            counted = {"count": service["count"], "replicas": had.get(name)}
            await session.run(
                "record_count", {"app": row["app"], "kind": "Deployment", "name": name, **counted}
            )


async def refs_are_recorded(session: Session, vault: Vault) -> None:
    """What earlier bundles of an app had was read out of all of them with each request."""
    progress = _Progress("bundles", (await session.all("count_bundles"))[0]["bundles"])
    last = 0
    while rows := await session.all("sealed_bundles", after=last, limit=AT_ONCE):
        last = rows[-1]["number"]
        # Whoever waits for the start is told how far it is, and the loop goes on meanwhile.
        refs = await asyncio.to_thread(_refs_in, rows, vault)
        await session.many(
            "record_ref", [{"app": app, "kind": kind, "name": name} for app, kind, name in refs]
        )
        progress.add(len(rows))


def _refs_in(rows: Sequence[Row], vault: Vault) -> set[tuple[str, str, str]]:
    found = set()
    for row in rows:
        document = orjson.loads(zlib.decompress(vault.unseal_bytes(row["sealed"])))
        found |= {(row["app"], each["kind"], each["metadata"]["name"]) for each in document["objects"]}
    return found


class _Progress:
    """Tells an operator how far an upgrade is that takes its time; a database that is small is upgraded in silence."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0

    def add(self, count: int) -> None:
        """Note that so many more are done."""
        told = self._done // TOLD_EACH
        self._done += count
        if self._done // TOLD_EACH > told:
            log.info("upgrading the database: %d of %d %s read", self._done, self._total, self._what)


UPGRADES: Sequence[Upgrade] = (
    bindings_are_documents,
    sentences_have_parts,
    counts_are_recorded,
    refs_are_recorded,
)


async def reseal(database: Database, vault: Vault, upgrades: Sequence[Upgrade] = UPGRADES) -> None:
    """Bring what is sealed up to date, wholly or not at all.

    Args:
        database: migrated, and held by this process alone or new.
        vault: its keys.
        upgrades: all that there are; others than the default in tests only.

    Raises:
        SchemaTooNew: a newer convox-bot has written it.
    """
    async with database.transaction() as connection:
        session = Session(connection)
        row = await session.one("resealed")
        done = int(row["value"]) if row else 0
        if done > len(upgrades):
            raise SchemaTooNew(
                f"what the database seals has format {done}, this convox-bot knows {len(upgrades)}: use a newer one"
            )
        for number, upgrade in enumerate(upgrades[done:], start=done + 1):
            await upgrade(session, vault)
            await session.run("save_resealed", {"value": number})
