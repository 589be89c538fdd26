"""A build → the payloads that Slack shows of it: reads records, leaves the words to the views."""

from collections.abc import Sequence
from typing import Any

from bot.views import confirmations
from bot.views.build_card import BuildCardContext, build_card, build_ending, people_of
from bot.views.pings import quiet
from core.lifecycle.access import Access
from core.lifecycle.build_telling import active_build, builds_ahead
from core.ports.store import Store
from core.records.build import BuildStatus
from core.records.line import Line
from core.sentence import EMPTY_SENTENCE


class BuildRenderer:
    """Renders builds at the moment of sending."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    async def card(self, build_id: str) -> dict[str, Any]:
        """Return the payload of the card of a build."""
        read = self._store.read
        run = await read.build_run(build_id)
        here = await read.card(build_id)
        made = await read.build(run.app, run.id) if run.status is BuildStatus.COMPLETE else None
        closed = here and here.closed_channel
        context = BuildCardContext(
            run=run,
            ahead=await builds_ahead(read, run),
            images=made.images if made else {},
            old_build=await active_build(read, run.app),
            closed=confirmations.told_directly(here.closed_channel, here.closed_by)
            if here and closed
            else EMPTY_SENTENCE,
        )
        # A card calls nobody: its thread tells whoever asked how it ended.
        return quiet(build_card(context), people_of(run))

    async def ending(self, build_id: str) -> dict[str, Any]:
        """Return the payload of the last message of its thread; only a verbose channel hears it too."""
        read = self._store.read
        run = await read.build_run(build_id)
        card = await read.card(build_id)
        loud = self._access.policy.verbosity(run.app, card.channel if card else None) == "verbose"
        return build_ending(run, broadcast=loud)


def nothing_beside(lines: Sequence[Line]) -> bool:
    """Tell whether lines go into one message with the ending of a build: none do, so that its first line is how it ended."""
    return not lines
