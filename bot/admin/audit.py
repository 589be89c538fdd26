"""`convox-bot audit`: whether the chain is whole, and its rows for whoever keeps them elsewhere."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import orjson

from bot.admin.cluster_source import cluster_source
from bot.admin.operation_result import OperationResult
from bot.admin.settings import ClusterSettings
from core.clock import Clock
from core.cluster.adoption import NamespaceAdopter
from core.cluster.api.client import KubeClient
from core.errors import Invalid, Rejected, Unavailable, Unreachable
from core.records.anchor import AuditHead
from core.records.app import adopt_command
from storage.audit import AuditChain, follow, has, read_rows
from storage.codec import timestamp
from storage.database import open_read_only
from storage.session import Session

NOT_COMPARED = "it was not compared with what the cluster remembers: --cluster does that"
COLUMNS = (
    "seq",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "subject",
    "detail",
    "hash",
    "prev_hash",
)
# What a spreadsheet takes for a formula (OWASP, CSV injection); names and subjects are other people's words.
FORMULA = re.compile(r"^[=+\-@\t\r]")
SPAN = re.compile(r"^([1-9][0-9]{0,4})([mhd])$")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAuditHead:
    """How far the audit was, as the anchor of an app has it."""

    app: str
    head: AuditHead


async def verify(
    database: Path,
    cluster: ClusterSettings | None,
    clock: Clock,
    *,
    kubeconfig: Mapping[str, Any] | None = None,
) -> OperationResult:
    """Return what to print of the chain of a database, or of a copy of one; good where it is whole.

    Args:
        database: its file.
        cluster: where the anchors of its apps are asked how far the audit was; None asks nobody, since a copy is often looked
            at where the cluster is out of reach.
        clock: this machine's.
        kubeconfig: a parsed one; by default the cluster is found as every Kubernetes client does.

    Raises:
        StorageError, Unavailable: the database cannot be read, or a cluster that was to be asked not be reached.
    """
    async with open_read_only(database) as connection:
        session = Session(connection)
        chain = await follow(session)
        facts: dict[str, object] = {"rows": chain.rows, "head": chain.head, "broken": chain.broken}
        if cluster is None:
            whole = chain.broken is None
            text = f"{chain_sentence(chain)}\n{NOT_COMPARED}"
            return OperationResult(
                text, {"whole": whole, **facts, "compared": False, "missing": []}, good=whole
            )
        apps = [row["name"] for row in await session.all("apps")]
        meta = {row["name"]: row["value"] for row in await session.all("meta")}
        heads = await _remembered(apps, str(meta.get("installation", "")), cluster, clock, kubeconfig)
        missing = await unknown_heads(session, heads)
    said = [chain_sentence(chain), *(map(head_sentence, missing)), *([] if missing else [agreed(heads)])]
    whole = chain.broken is None and not missing
    facts |= {"compared": True, "missing": [each.app for each in missing]}
    return OperationResult("\n".join(said), {"whole": whole, **facts}, good=whole)


async def _remembered(
    apps: Sequence[str],
    installation: str,
    cluster: ClusterSettings,
    clock: Clock,
    kubeconfig: Mapping[str, Any] | None,
) -> list[AppAuditHead]:
    found = []
    async with KubeClient(cluster_source(cluster.kubeconfig, kubeconfig), clock=clock) as client:
        adopter = NamespaceAdopter(client, rack=cluster.convox_rack)
        try:
            for app in apps:
                anchor = await adopter.anchor(app)
                if anchor is not None and (head := anchor.head_of(installation)) is not None:
                    found.append(AppAuditHead(app=app, head=head))
        except (Rejected, Unreachable) as error:
            raise Unavailable(
                f"the anchors of the apps cannot be read: {error}",
                hint="without --cluster the database alone is looked at",
            ) from error
    return found


async def unknown_heads(session: Session, heads: Iterable[AppAuditHead]) -> list[AppAuditHead]:
    """Return those of the heads that this audit never had."""
    return [each for each in heads if not await has(session, each.head)]


def head_sentence(each: AppAuditHead) -> str:
    """Say that the audit is not the one which the cluster remembers, and what to do."""
    return (
        f"the audit was cut back or rewritten: when a promotion of {each.app} ended last it had {each.head.rows:,} rows, the last"
        f" of them {each.head.hash}, and here that row is another or missing; compare with a backup, or, if one was restored:"
        f" `{adopt_command(each.app)}`"
    )


def agreed(heads: Sequence[AppAuditHead]) -> str:
    """Say what the cluster remembers, where all of it is there."""
    if not heads:
        return "the cluster remembers nothing of it yet: no promotion has ended since it does"
    furthest = max(each.head.rows for each in heads)
    many = f"{len(heads)} apps" if len(heads) > 1 else heads[0].app
    return f"the cluster agrees: the anchor of {many} remembers it up to row {furthest:,}"


def chain_sentence(chain: AuditChain) -> str:
    """Say what following the chain has found."""
    if chain.broken is None:
        return f"the audit is whole: {chain.rows:,} rows, head {chain.head}"
    return (
        f"the audit is broken at row {chain.broken}: it was changed, or a row before it is missing; the {chain.rows:,} rows"
        f" before it hold together, up to {chain.head}; compare with a backup"
    )


async def export(database: Path, *, as_csv: bool, since: datetime | None, out: TextIO) -> int:
    """Write the rows from a moment on, as JSON objects or as CSV, a line each; return how many.

    Raises:
        StorageError, Unavailable: the database cannot be read.
    """
    write, rows = _writer(out, as_csv=as_csv), 0
    async with open_read_only(database) as connection:
        async for row in read_rows(Session(connection), timestamp(since) if since else ""):
            write(entry(dict(row)))
            rows += 1
    return rows


def entry(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as it is exported: who acted in three columns, what is a document as one."""
    actor = orjson.loads(row["actor"])
    told = {**row} | {f"actor_{part}": actor[part] for part in ("kind", "id", "name")}
    return {name: told[name] for name in COLUMNS} | {"detail": orjson.loads(row["detail"])}


def _writer(out: TextIO, *, as_csv: bool) -> Callable[[Mapping[str, Any]], object]:
    if not as_csv:
        return lambda row: out.write(orjson.dumps(row).decode() + "\n")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    return lambda row: table.writerow([cell(row[name]) for name in COLUMNS])


def cell(value: Any) -> Any:
    """Return a value as a cell that no spreadsheet computes."""
    text = orjson.dumps(value).decode() if isinstance(value, dict) else value
    return f"'{text}" if isinstance(text, str) and FORMULA.match(text) else text


def since(text: str, now: datetime) -> datetime:
    """Return the moment that `--since` means: `90m`, `12h` or `30d` ago, a day, or a time; without a zone in UTC.

    Raises:
        Invalid: it is none of these.
    """
    if span := SPAN.fullmatch(text):
        return now - int(span[1]) * UNITS[span[2]]
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text[:40]!r} says no time", hint="write it as 30d, 12h, 90m, 2027-01-31 or 2027-01-31T08:00"
        ) from None
