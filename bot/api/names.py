"""Names of people for whoever is not in Slack, where an id says nothing (contract 7)."""

import asyncio
import logging

from bot.prefixes import in_terminal
from core.actor import Actor
from core.errors import Unreachable
from core.ports.people import Directory
from core.sentence import Part, Sentence

log = logging.getLogger(__name__)

# An answer is worth more than a name in it.
PATIENCE_SECONDS = 2.0


class Names:
    """Knows what the people are called whom a sentence names."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def plain(self, said: str | Sentence) -> str:
        """Return it as a terminal shows it; whom Slack does not name in time is called as they were, or by their id."""
        sentence = Sentence.of(said)
        people = dict.fromkeys(
            each for each in sentence.parts if isinstance(each, Actor) and each.kind == "slack"
        )
        names: dict[Part, str] = dict(
            zip(people, await asyncio.gather(*map(self._name, people)), strict=True)
        )
        return sentence.shown(lambda part: names.get(part) or in_terminal(part))

    async def _name(self, person: Actor) -> str:
        # People choose their names, and a terminal obeys what it is shown.
        return "".join(each for each in await self._called(person) if each.isprintable())

    async def _called(self, person: Actor) -> str:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return f"@{(await self._directory.person(person.id)).name}"
        except (Unreachable, TimeoutError):
            return person.plain
        except Exception:
            log.exception("nobody knows the name of %s", person.id)
            return person.plain
