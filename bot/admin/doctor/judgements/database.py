"""What the database says: whether it can be used, its keys and audit, and who does not take its events."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.admin.audit import AppAuditHead, agreed, head_sentence
from bot.admin.doctor.check import ANEW, MOST_NAMED, HealthCheck
from bot.prefixes import typed
from core.ports.retention import DatabasePages
from core.records.app import DEFAULT_RACK, adopt_command, namespace_command
from storage.errors import (
    DatabaseLost,
    DatabaseMissing,
    ForeignDatabase,
    InvalidKey,
    NetworkFileSystem,
    SchemaMigrationMissing,
    SchemaTooNew,
)

MEGABYTE = 1e6
RESTORE = "stop the bot and put the last backup in its place (docs/operations.md#after-a-restore)"
ANOTHER = f"set CONVOX_DATABASE to the file that `convox-bot serve` uses, {ANEW}"
# By what opening it raised; anything else is its disk.
REMEDIES: Mapping[type[Exception], str] = {
    DatabaseLost: RESTORE,
    DatabaseMissing: ANOTHER,
    ForeignDatabase: ANOTHER,
    NetworkFileSystem: f"move it to a local disk or a block volume, set CONVOX_DATABASE to it, {ANEW}",
    SchemaMigrationMissing: "start it: `convox-bot serve` copies the database first, and upgrades it",
    SchemaTooNew: "install the version that it names, or a newer one (docs/operations.md#upgrade)",
}
ITS_DISK = f"see to its disk (docs/operations.md#degraded); if the file itself is damaged, {RESTORE}"


class EventReceiver(NamedTuple):
    """Somebody who is told of events and has not taken the last one.

    Attributes:
        id: of a webhook its own, else `kubernetes` or `github`.
        name: as a person knows it.
        since: when it began to fail, in UTC, to the minute.
        answer: what it said last.
    """

    id: str
    name: str
    since: str
    answer: str


def size_note(pages: DatabasePages, aged: int) -> str:
    """Return how large a database is, what of it holds nothing, and how many rows were deleted for their age."""
    size, spare = pages.count * pages.size / MEGABYTE, pages.free * pages.size / MEGABYTE
    stays = "" if pages.shrinks else ", which it cannot give back before a start with room to write it anew"
    return f"{size:,.1f} MB, {spare:,.1f} MB of it spare{stays}; {aged:,} rows have aged"


def judge_database(error: str, size: str = "", cause: Exception | None = None) -> HealthCheck:
    """Judge whether the database can be opened and is whole.

    Args:
        error: what is wrong, "" where nothing is.
        size: what it says of its own.
        cause: what opening it raised; None where a page is damaged.
    """
    if not error:
        return HealthCheck(name="database", note=size)
    remedy = RESTORE if cause is None else REMEDIES.get(type(cause), ITS_DISK)
    return HealthCheck(name="database", problem=error, remedy=remedy)


def judge_keys(error: str, old: Sequence[str], cause: Exception | None = None) -> HealthCheck:
    """Judge whether the keys open what the database holds.

    Args:
        error: what is wrong, "" where nothing is.
        old: fingerprints of the keys that still open something and are not the newest.
        cause: what looking at them raised.
    """
    if not error:
        note = f"{', '.join(old)} must stay behind the newest until `convox-bot rekey` has run" if old else ""
        return HealthCheck(name="keys", note=note)
    keys = (
        "set CONVOX_KEYS to what `convox-bot keygen` printed when the database was made, every character of it"
        if isinstance(cause, InvalidKey)
        else "set CONVOX_KEYS to newest,…,oldest with every key that was used since the database was made"
    )
    return HealthCheck(name="keys", problem=error, remedy=f"{keys}, {ANEW}")


def judge_heads(heads: Sequence[AppAuditHead], unknown: Sequence[AppAuditHead]) -> HealthCheck:
    """Judge whether the audit is the one that the cluster remembers.

    Args:
        heads: what the anchors of the apps say.
        unknown: those of them that the database's audit never had.
    """
    name = "audit against the cluster"
    if not unknown:
        return HealthCheck(name=name, note=agreed(heads))
    adopt = ", ".join(f"`{adopt_command(each.app)}`" for each in unknown)
    return HealthCheck(
        name=name,
        problem="; ".join(map(head_sentence, unknown[:MOST_NAMED])),
        remedy=f"if a backup was restored: {adopt}; if none was, somebody has written to the file: {RESTORE}, the newest one to "
        "which `convox-bot audit verify --cluster` does not object",
    )


def judge_receivers(rack: str, failing: Sequence[EventReceiver], app: str = "") -> HealthCheck:
    """Judge whether those who are told of events take them.

    Args:
        rack: of the bot.
        failing: who does not.
        app: one of the rack, for a right that each may lack.
    """
    name = "events for others"
    if not failing:
        return HealthCheck(name=name)
    first = failing[0]
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return HealthCheck(
        name=name,
        problem=f"{first.name} has taken none since {first.since.replace('T', ' ')} UTC: {first.answer}{more}",
        remedy=_receiver_remedy(rack, first, app),
    )


def _receiver_remedy(rack: str, failing: EventReceiver, app: str) -> str:
    match failing.id:
        case "kubernetes":
            command = namespace_command(rack or DEFAULT_RACK, app or "myapp")
            return (
                f"where it says 403, give it the right to create events.events.k8s.io: `kubectl apply -f deploy/rbac.yaml`, then `{command}`; "
                "the next promotion is told again"
            )
        case "github":
            add = f"git add github.com -a {app or 'myapp'}"
            return (
                "where it says 401, 403 or 404, give the token of the app that it names the right to write deployments, or that app "
                f"another one, for github.com: `{typed(add, 'slack')}`; else docs/webhooks.md#github-deployments; "
                "the next promotion is told again"
            )
        case id_:
            return f"mend it there, then: `convox-bot webhooks test {id_}`; one that is gone for good: `convox-bot webhooks remove {id_}`"


def judge_audit(rows: int, broken: int | None) -> HealthCheck:
    """Judge whether the chain of the audit is whole."""
    if broken is None:
        return HealthCheck(name="audit", note=f"{rows:,} rows")
    return HealthCheck(
        name="audit",
        problem=f"row {broken} was changed, or one before it is missing",
        remedy=f"somebody has written to the file: {RESTORE}, the newest one that `CONVOX_DATABASE=FILE convox-bot audit verify` "
        "calls whole; keep this one, to find out who",
    )
