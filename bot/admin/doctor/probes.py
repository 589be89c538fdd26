"""The looks that doctor takes: thin, without a judgement, and nothing is changed by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot.admin.audit import AppAuditHead, unknown_heads
from bot.admin.doctor.judgements import SILENCE, size_note
from core.errors import Unavailable
from core.records.app import App
from storage.audit import AuditChain, follow
from storage.database import open_read_only, pages_of
from storage.errors import DatabaseMissing, StorageError
from storage.keys import Keyring, check
from storage.records.rows import app_of
from storage.session import Session

SLACK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackAnswer:
    """What Slack says to a call.

    Attributes:
        error: its word, or that it does not answer; "" for a yes.
        scopes: what the token may do.
        at: when it answered, by its own clock.
        retry_after: seconds after which it wants to be asked again, where it was asked too much; 0 otherwise.
    """

    error: str = ""
    scopes: frozenset[str] = frozenset()
    at: datetime | None = None
    retry_after: float = 0.0


async def ask_slack(
    session: aiohttp.ClientSession, url: str, token: str, method: str, **form: str
) -> SlackAnswer:
    """Call a method of Slack's Web API once."""
    headers = {"Authorization": f"Bearer {token}"}
    limit = aiohttp.ClientTimeout(total=SLACK_SECONDS)
    try:
        async with session.post(url + method, headers=headers, data=form, timeout=limit) as response:
            said: Any = await response.json(content_type=None)
            given = response.headers
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        return SlackAnswer(error=f"{SILENCE}: {type(error).__name__}")
    if not isinstance(said, dict):
        return SlackAnswer(error=f"{SILENCE}: something else does")
    scopes = frozenset(filter(None, (each.strip() for each in given.get("x-oauth-scopes", "").split(","))))
    word = "" if said.get("ok") else str(said.get("error", "no"))
    return SlackAnswer(error=word, scopes=scopes, at=_date(given), retry_after=_seconds(given))


def _seconds(headers: Mapping[str, str]) -> float:
    said = headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() else 0.0


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLook:
    """What the database says.

    Attributes:
        missing: there is none yet.
        error: why it cannot be used, "" where it can.
        key_error: why its values cannot be read; `old_keys`: fingerprints of keys that still open something beside the newest.
        apps: name → the channel that it is linked to, None without one; `records`: all that is known of each.
        installation: its own id, "" where it has none yet.
        size: what it says of its own size.
        receivers: of those who are told of events and have not taken the last one: whom, since when, and what they said.
    """

    missing: bool = False
    error: str = ""
    key_error: str = ""
    old_keys: tuple[str, ...] = ()
    apps: Mapping[str, str | None]
    records: tuple[App, ...] = ()
    installation: str = ""
    chain: AuditChain
    size: str = ""
    receivers: tuple[tuple[str, str, str], ...] = ()


NOTHING = AuditChain(rows=0, head="")


async def look_at_database(path: Path, keys: Sequence[str], *, whole: bool) -> DatabaseLook:
    """Read the database, whoever uses it meanwhile; nothing is made or upgraded.

    Args:
        path: its file.
        keys: those of `CONVOX_KEYS`.
        whole: every page and the whole audit are read, which takes a while where there are gigabytes.
    """
    try:
        async with open_read_only(path) as connection:
            session = Session(connection)
            found = await connection.execute_fetchall("PRAGMA quick_check(1)") if whole else ()
            if [row[0] for row in found] not in ([], ["ok"]):
                # SQLite writes a heading before what it has found.
                said = str(next(iter(found))[0]).splitlines()[-1]
                return DatabaseLook(error=f"{path} is damaged: {said}", apps={}, chain=NOTHING)
            canaries = {row["name"]: row["value"] for row in await session.all("canaries")}
            key_error, old = _keys(keys, canaries)
            aged = sum(row["rows"] for row in await session.all("retention_marks"))
            records = tuple(app_of(row) for row in await session.all("apps"))
            meta = {row["name"]: row["value"] for row in await session.all("meta")}
            told = [row for row in await session.all("subscriptions") if row["failing_since"]]
            return DatabaseLook(
                key_error=key_error,
                old_keys=old,
                apps={app.name: app.channel for app in records},
                records=records,
                installation=str(meta.get("installation", "")),
                chain=await follow(session) if whole else NOTHING,
                size=size_note(await pages_of(connection), aged),
                receivers=tuple((r["host"] or r["kind"], r["failing_since"][:16], r["answer"]) for r in told),
            )
    except DatabaseMissing:
        return DatabaseLook(missing=True, key_error=_keys(keys, {})[0], apps={}, chain=NOTHING)
    except (StorageError, Unavailable) as error:
        return DatabaseLook(error=str(error), key_error=_keys(keys, {})[0], apps={}, chain=NOTHING)


def _keys(keys: Sequence[str], canaries: Mapping[str, bytes]) -> tuple[str, tuple[str, ...]]:
    """Return what is wrong with the keys, and the fingerprints of those that are old and in use."""
    try:
        keyring = Keyring(keys)
        check(keyring, dict(canaries))
    except StorageError as error:
        return str(error), ()
    used = {name.partition(":")[2] for name in canaries}
    return "", tuple(each for each in keyring.fingerprints[1:] if each in used)


async def look_for_heads(path: Path, heads: Sequence[AppAuditHead]) -> list[AppAuditHead]:
    """Return those of the heads that the audit of a database never had; raise as `open_read_only`."""
    async with open_read_only(path) as connection:
        return await unknown_heads(Session(connection), heads)
