"""How an app is delivered: the four numbers, for people and for machines."""

from bot.views.documents import Document
from bot.views.times import spoken, stamp
from core.lifecycle.delivery_stats import DeliveryStats

WIDTH = 21


def stats_text(app: str, stats: DeliveryStats) -> str:
    """Return the four numbers as rows, each with what it is made of."""
    if not stats.deployments:
        return f"{app} was not deployed in the last {_days(stats)}"
    rate = f"{stats.failed / stats.deployments:.0%} ({stats.failed} of {stats.deployments} failed or were rolled back)"
    rows = {
        "Deployments": f"{stats.deployments} in the last {_days(stats)}, {stats.per_week:.1f} a week",
        "Lead time": _median(stats.lead_seconds, "from a commit, or its build, to live", "nothing went live"),
        "Change failure rate": rate,
        "Time to restore": _median(
            stats.restore_seconds, f"of {stats.restored}", "nothing had to be restored"
        ),
    }
    if stats.failed > stats.restored:
        rows["Still broken"] = f"{stats.failed - stats.restored}, with nothing that runs after it"
    return "\n".join(f"{name.ljust(WIDTH)}{said}" for name, said in rows.items())


def stats_document(app: str, stats: DeliveryStats) -> Document:
    """Return the same for a program; times in seconds, null where there is nothing to measure."""
    return {
        "app": app,
        "since": stamp(stats.since),
        "until": stamp(stats.until),
        "deployments": stats.deployments,
        "failed": stats.failed,
        "failure-rate": stats.failure_rate,
        "lead-seconds": stats.lead_seconds,
        "restored": stats.restored,
        "restore-seconds": stats.restore_seconds,
    }


def _days(stats: DeliveryStats) -> str:
    seconds = (stats.until - stats.since).total_seconds()
    return f"{seconds / 86_400:g} days" if seconds % 86_400 == 0 else spoken(seconds)


def _median(seconds: float | None, of: str, nothing: str) -> str:
    return nothing if seconds is None else f"median {spoken(seconds)} {of}"
