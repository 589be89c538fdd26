"""Apps as Convox lists and shows them."""

from collections.abc import Mapping, Sequence

from bot.views.tables import facts, table
from core.promotion import GOING_BACK, Promotion
from core.records.app import App

# Convox answers this for every app on Kubernetes.
GENERATION = "3"


def app_status(in_flight: Promotion | None) -> str:
    """Return Convox's word: `running`, `updating`, or `rollback` while something goes back."""
    if in_flight is None:
        return "running"
    return "rollback" if in_flight.phase in GOING_BACK else "updating"


def app_list(apps: Sequence[App], in_flight: Mapping[str, Promotion]) -> str:
    """Return the table of `apps`; `in_flight` maps an app to what is rolling out there."""
    rows = [(app.name, app_status(in_flight.get(app.name)), app.active_release or "") for app in apps]
    return table(("APP", "STATUS", "RELEASE"), rows)


def app_info(app: App, in_flight: Promotion | None) -> str:
    """Return the facts of `apps info`; Release is the one that runs, never one that is still on its way."""
    return facts(
        [
            ("Name", app.name),
            ("Status", app_status(in_flight)),
            ("Generation", GENERATION),
            ("Locked", "false"),
            ("Release", app.active_release or ""),
        ]
    )
