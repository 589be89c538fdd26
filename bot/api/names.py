"""Names instead of Slack's markup: outside Slack `<@U01ALICE>` says nothing to whoever reads it (contract 7)."""

import asyncio
import logging
import re

from core.errors import Unreachable
from core.ports.people import Directory

log = logging.getLogger(__name__)

# An answer is worth more than a name in it.
PATIENCE_SECONDS = 2.0
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_MENTION = re.compile(r"<([@#])([A-Z0-9]+)(?:\|[^<>]*)?>")


def plain_names(text: str) -> str:
    """Return a sentence without Slack's markup for people and channels: `@U01ALICE`, `#C0123`."""
    return _MENTION.sub(r"\1\2", text)


class Names:
    """Knows what the people are called who are mentioned in a sentence."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def plain(self, text: str) -> str:
        """Return the sentence with names for people; whom Slack does not name in time stays an id."""
        people = dict.fromkeys(_PERSON.findall(text))
        names = dict(zip(people, await asyncio.gather(*map(self._name, people)), strict=True))
        return plain_names(_PERSON.sub(lambda found: names[found[1]], text))

    async def _name(self, user_id: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                name = (await self._directory.person(user_id)).name
        except (Unreachable, TimeoutError):
            return f"@{user_id}"
        except Exception:
            log.exception("nobody knows the name of %s", user_id)
            return f"@{user_id}"
        # People choose their names, and a terminal obeys what it is shown.
        return "@" + "".join(each for each in name if each.isprintable())
