"""`convox-bot rekey`: everything sealed with the newest key of `CONVOX_KEYS`, so that the others can be taken out."""

from collections.abc import Sequence
from pathlib import Path

from bot.admin.operation_result import OperationResult
from bot.admin.operator import operator
from core.clock import Clock
from storage.keys import Keyring
from storage.rekeying import RekeyResult, open_for_rekeying, rekey


async def rekey_database(path: Path, keys: Sequence[str], clock: Clock) -> OperationResult:
    """Seal every value anew, and return what to print.

    Raises:
        StorageError: the keys do not fit, or the database cannot be used.
        Unavailable: its disk cannot; what was done stays done, and the next one goes on.
    """
    keyring = Keyring(keys)
    async with open_for_rekeying(path, keyring) as database:
        result = await rekey(database, keyring, clock.now(), by=operator())
    facts = {
        "key": keyring.fingerprints[0],
        "values": result.values,
        "kept": result.kept,
        "retired": list(result.retired),
    }
    return OperationResult(told(path, keyring.fingerprints[0], result), facts)


def told(path: Path, newest: str, result: RekeyResult) -> str:
    """Say what became of it, and what to do with the keys that nothing needs any more."""
    lines = [
        f"Rekeying {path}... OK",
        f"{result.values:,} values are sealed with key {newest} now, {result.kept:,} were before",
    ]
    if result.retired:
        keys = ", ".join(result.retired)
        lines.append(
            f"nothing needs {keys} any more: take it out of CONVOX_KEYS and start the bot again; backups from before need it still"
        )
    return "\n".join(lines)
