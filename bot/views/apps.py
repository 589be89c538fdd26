"""Apps as Convox lists and shows them."""

from collections.abc import Mapping, Sequence

from bot.views.releases import NO_RELEASE
from bot.views.tables import Table, facts, table
from core.policy.rules import ApprovalRule, Rules
from core.promotion import GOING_BACK, Promotion
from core.records.app import App

# Convox answers this for every app on Kubernetes.
GENERATION = "3"


def app_status(in_flight: Promotion | None) -> str:
    """Return Convox's word: `running`, `updating`, or `rollback` while something goes back."""
    if in_flight is None:
        return "running"
    return "rollback" if in_flight.phase in GOING_BACK else "updating"


def app_list(apps: Sequence[App], in_flight: Mapping[str, Promotion]) -> Table:
    """Return the table of `apps`; `in_flight` maps an app to what is rolling out there."""
    rows = [(app.name, app_status(in_flight.get(app.name)), app.active_release or NO_RELEASE) for app in apps]
    return table(("APP", "STATUS", "RELEASE"), rows)


def app_info(app: App, in_flight: Promotion | None) -> str:
    """Return the facts of `apps info`; Release is the one that runs, never one that is still on its way."""
    return facts(
        [
            ("Name", app.name),
            ("Status", app_status(in_flight)),
            ("Generation", GENERATION),
            ("Locked", "true" if app.locked else "false"),
            ("Release", app.active_release or NO_RELEASE),
        ]
    )


def app_params(rules: Rules) -> str:
    """Return what rules an app, under the names that the policy file has for it."""
    return facts(params(rules))


def params(rules: Rules) -> list[tuple[str, str]]:
    """Return what rules an app as names and values, as Convox has parameters."""
    return [
        *_approvals("promote", rules.promote),
        *_approvals("rollback", rules.rollback),
        ("deadline", f"{rules.deadline:g}s"),
        ("longest", f"{rules.longest:g}s"),
        ("min_ready", _or_auto(rules.min_ready)),
        ("settle", _or_auto(rules.settle)),
        ("crashes", "2, 3 for a first release" if rules.crashes is None else str(rules.crashes)),
        ("restarts", str(rules.restarts)),
        ("rollback_after", f"{rules.rollback_after:g}s"),
        ("unpinned", _yes(rules.unpinned)),
        ("channel", rules.channel or ""),
    ]


def _approvals(kind: str, rule: ApprovalRule) -> list[tuple[str, str]]:
    name = f"approvals.{kind}"
    if not rule.count:
        return [(f"{name}.count", "0")]
    return [
        (f"{name}.count", str(rule.count)),
        (f"{name}.from", ", ".join(rule.people) or "whoever may approve"),
        (f"{name}.requester", _yes(rule.requester)),
        (f"{name}.expires", f"{rule.expires:g}s"),
    ]


def _or_auto(seconds: float | None) -> str:
    return "auto" if seconds is None else f"{seconds:g}s"


def _yes(given: bool) -> str:
    return "true" if given else "false"
