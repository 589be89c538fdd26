"""`convox-bot backup`: a copy of the database beside a running bot, opened again before anybody relies on it."""

import asyncio
from pathlib import Path

from bot.admin.operation_result import OperationResult
from core.errors import Unavailable
from storage.audit import follow
from storage.copies import copy_database
from storage.database import open_read_only
from storage.errors import SchemaMigrationMissing
from storage.session import Session


async def back_up(database: Path, target: Path) -> OperationResult:
    """Copy the database, follow the audit in the copy, and return what to print.

    Raises:
        StorageError: there is no database, or the file exists already.
        Unavailable: it cannot be copied, or what was copied is not whole; then there is no copy.
    """
    await asyncio.to_thread(copy_database, database, target)
    size = await asyncio.to_thread(lambda: target.stat().st_size)
    done = f"Backing up {database} to {target}... OK\n{size:,} bytes"
    facts = {"file": str(target), "bytes": size}
    try:
        async with open_read_only(target) as connection:
            chain = await follow(Session(connection))
    except SchemaMigrationMissing:
        # Before an upgrade, with the program that comes after it: no reason to be without a copy.
        older = "of an older convox-bot; only that one can follow their audit, and the values need the same CONVOX_KEYS"
        return OperationResult(f"{done} {older}", {**facts, "audit-rows": None})
    if chain.broken is not None:
        # Kept all the same: it is what there is, and somebody has to look at it.
        raise Unavailable(
            f"{target} is a copy of a database whose audit is broken at row {chain.broken}",
            hint="`convox-bot audit verify` says the same of the database; the copy was kept",
        )
    whole = f"an audit of {chain.rows:,} rows that is whole; its values need the same CONVOX_KEYS"
    return OperationResult(f"{done}, {whole}", {**facts, "audit-rows": chain.rows})
