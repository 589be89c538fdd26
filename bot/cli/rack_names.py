"""Names and ids of a rack while somebody types: asked for in a moment, or not offered at all, and never with a word of what is wrong."""

import os
import threading
from collections.abc import Iterable, Mapping

from bot.cli.client import RackClient
from bot.cli.rack_url import CliError, RackUrl

# Whoever presses Tab goes on typing after that. A name that is looked up in vain takes longer by itself, so no limit of a socket is enough.
PATIENCE_SECONDS = 1.5
# By what is wanted: the command that lists it, and the field of each row. `{app}` is that of the line.
LISTS: Mapping[str, tuple[str, str]] = {
    "app": ("apps", "name"),
    "release": ("releases -a {app}", "id"),
    "build": ("builds -a {app}", "id"),
    "service": ("services -a {app}", "name"),
    "promotion": ("waiting", "promotion"),
    "promotion of an app": ("releases history -a {app}", "id"),
}


def rack_names(wanted: str, app: str | None) -> list[str]:
    """Return what the rack of RACK_URL has of that, newest first as it lists it; nothing where it is away or says no."""
    words, name = LISTS[wanted]
    if "{app}" in words and not app:
        return []
    rows: list[object] = []
    looking = threading.Thread(target=lambda: rows.extend(_rows(words.format(app=app))), daemon=True)
    looking.start()
    looking.join(PATIENCE_SECONDS)
    return [str(row[name]) for row in list(rows) if isinstance(row, Mapping) and name in row]


def _rows(words: str) -> Iterable[object]:
    try:
        rack = RackClient(RackUrl.read(os.environ.get("RACK_URL", "")))
        return list(rack.command(words, as_json=True).data or ())
    except CliError:
        # Nobody has asked for anything yet: what is wrong is said when the line is sent.
        return ()
