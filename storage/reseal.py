"""Upgrades of what is sealed, in order: SQL cannot read it, so code does, once, as soon as the keys are there.

`migrate.py` runs before, also where nobody has the keys (`convox-bot token`): what stands here meets the newest schema.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from core.records.binding import Binding
from core.records.bundle import Ref
from storage.database import Database
from storage.errors import SchemaTooNew
from storage.keys import Vault
from storage.promotions.rows import binding_document
from storage.session import Session

Upgrade = Callable[[Session, Vault], Awaitable[None]]


async def bindings_are_documents(session: Session, vault: Vault) -> None:
    """What approvals are bound to was one text, read back where it had changed."""
    for row in await session.all("sealed_words"):
        words = vault.unseal(row["words"])
        bound = words["approved_for"]
        words["approved_for"] = binding_document(binding_in(bound)) if bound else None
        await session.run("reseal_words", {"number": row["number"], "words": vault.seal(words)})


def binding_in(text: str) -> Binding:
    """Return what was written as `bundle=… active=… prune=Kind/name,… namespace=…`."""
    parts: dict[str, Any] = dict(part.partition("=")[::2] for part in text.split(" "))
    prune = [each.partition("/") for each in parts["prune"].split(",") if each]
    return Binding(
        bundle=parts["bundle"],
        active=parts["active"] or None,
        prune=tuple(Ref(kind, name) for kind, _, name in prune),
        namespace=parts["namespace"] or None,
    )


UPGRADES: Sequence[Upgrade] = (bindings_are_documents,)


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
