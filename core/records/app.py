"""An app: a name, a namespace and the releases that were made for it."""

import re
from dataclasses import dataclass
from datetime import datetime

from core.actor import Actor
from core.errors import Invalid

# RFC 1123 label with room for `<rack>-` in a namespace name of 63 characters (contract: app names).
NAME = re.compile(r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$")
DEFAULT_RACK = "convox"
RESERVED = frozenset({"builds", "rack", "system"})


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """One application on the rack.

    Attributes:
        name: unique; see `NAME`.
        channel: the linked Slack channel id, one app per channel and one channel per app.
        active_release: the release that the app runs, as far as we made it run; None before the first.
        token: fencing number, raised whenever somebody else may start to write to the namespace.
        namespace_uid: uid of the Kubernetes namespace when it was first written to; None before.
        locked: it may not be deleted; nothing else is kept from it, as in Convox.
    """

    name: str
    created_at: datetime
    created_by: Actor
    channel: str | None = None
    active_release: str | None = None
    token: int = 0
    namespace_uid: str | None = None
    locked: bool = False


def check_name(name: str) -> str:
    """Return the name, or raise Invalid with what a name may be."""
    if name in RESERVED:
        raise Invalid("app name is reserved", hint=f"{name} is a word of the rack itself; take another name")
    if not NAME.fullmatch(name):
        raise Invalid(
            f"app name {name!r} is not valid",
            hint="a name has up to 30 lower-case letters, digits and dashes, begins with a letter and does not end with a dash",
        )
    return name


def namespace_command(rack: str, app: str, flags: str = "") -> str:
    """Return what an administrator runs to give the bot an app's namespace and its rights in it.

    Their shell knows nothing of the bot's settings, so a rack of another name is part of the command; `flags` name a bot that is not the
    ServiceAccount of deploy/.
    """
    setting = "" if rack == DEFAULT_RACK else f"CONVOX_RACK={rack} "
    return f"{setting}convox-bot app-manifest {app}{flags} | kubectl apply -f -"


def adopt_command(app: str, owner: str = "") -> str:
    """Return what an operator runs, with the settings of the bot, where the cluster and the database do not fit (engine rule 14).

    Args:
        app: its name.
        owner: the foreign installation that the namespace belongs to, "" where it is the database's own.
    """
    return f"convox-bot adopt {app}" + (f" --from {owner}" if owner else "")
