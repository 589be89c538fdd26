"""Posting and editing cards: always the newest state, at most one message each."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.slack.lookups import FIRST_LOOK, surely_absent
from bot.slack.pacing import Pacing
from bot.slack.web_api import GONE, INACTIVE, CallResult, WebApi
from bot.slack.workspace_blocks import WorkspaceBlocks
from core.build_run import ENDED
from core.clock import Clock
from core.failpoints import failpoint
from core.lifecycle.visibility import ELSEWHERE
from core.ports.outbox import CardDue, Outbox
from core.promotion import IN_FLIGHT, SETTLED, Phase
from core.records.build import BuildStatus

log = logging.getLogger(__name__)

AFTER_TROUBLE = 5.0
# Longer than any card waits for its next edit, except where hundreds are live.
LONGEST_INTERVAL = 600.0
# Of a card that was not edited yet.
NEVER: tuple[float, Phase | BuildStatus | None] = (float("-inf"), None)
# What goes on by itself.
UNATTENDED = IN_FLIGHT - {Phase.COUNTDOWN}
# What people decide by, or look for later.
DECISIVE = SETTLED | ENDED | {Phase.AWAITING_APPROVAL, Phase.COUNTDOWN}
DELETED = "message_not_found"


class CardSender:
    """Brings cards to Slack, one call at a time."""

    def __init__(
        self,
        outbox: Outbox,
        calls: WebApi,
        pacing: Pacing,
        clock: Clock,
        *,
        render: Callable[[str, Collection[str]], Awaitable[dict[str, Any]]],
        support: WorkspaceBlocks,
        outcome_known: Callable[[str], None],
    ) -> None:
        """Take what it works with.

        Args:
            outbox: which cards are due, and what became of them.
            calls: Slack.
            pacing: is told of a Retry-After.
            clock: for look-ups and delays.
            render: promotion or build → payload at its newest state, without some kinds of blocks.
            support: knows which kinds the workspace takes.
            outcome_known: is told when a card is posted, or never will be.
        """
        self._outbox = outbox
        self._calls = calls
        self._pacing = pacing
        self._clock = clock
        self._render = render
        self._support = support
        self._outcome_known = outcome_known
        # When a card was edited last, and the phase that it shows since then.
        self._edited: dict[str, tuple[float, Phase | BuildStatus]] = {}

    async def post(self, due: CardDue) -> None:
        """Post a card that is not in Slack yet; one that may be is looked for first."""
        card = due.card
        if due.nonce and not await self._surely_absent(due):
            return
        nonce = secrets.token_hex(16)

        async def send(payload: dict[str, Any]) -> CallResult:
            await self._outbox.card_sending(card.subject, nonce)
            failpoint("outbox.after_sending")
            return await self._calls.post(card.channel, payload, nonce)

        said = await self._support.sent(partial(self._render, card.subject), send)
        failpoint("outbox.after_post")
        if said.ts:
            self._edited[card.subject] = self._clock.monotonic(), due.phase
            where = str(said.data.get("channel") or "") or None
            await self._outbox.card_posted(card.subject, said.ts, due.wanted, where)
        elif said.later:
            pause(self._pacing, card.channel, said)
            await self._outbox.card_again(card.subject, self._later(said.retry_after))
        elif said.unknown:
            await self._outbox.postpone_card(card.subject, self._later(FIRST_LOOK))
        else:
            log.error("Slack will not show the card of %s: %s", card.subject, said.error)
            # Of one that takes the place of another people have seen something: who asked gets the rest.
            give_up = self._outbox.channel_closed if card.closed_by else self._outbox.card_failed
            await give_up(card.subject, said.error)
        self._outcome_known(card.subject)

    def due_in(self, subject: str, interval: float) -> float:
        """Return the seconds until a card may be edited that is edited once in so many seconds."""
        at, _ = self._edited.get(subject, NEVER)
        return at + interval - self._clock.monotonic()

    def held_back(self, due: CardDue) -> bool:
        """Tell whether a card waits for its next phase, since a digest tells the rest (engine rule 39).

        What a card showed before a restart nobody knows: it is edited once more. A countdown has buttons that follow its end.
        """
        _, shown = self._edited.get(due.card.subject, NEVER)
        return due.digested and due.card.ts is not None and due.phase is shown and shown in UNATTENDED

    def forget(self) -> None:
        """Forget edits that are so old that they hold nothing up, those of cards that have ended among them."""
        since = self._clock.monotonic() - LONGEST_INTERVAL
        self._edited = {key: (at, shown) for key, (at, shown) in self._edited.items() if at > since}

    async def _surely_absent(self, due: CardDue) -> bool:
        """Look for a card whose post had no outcome; True once it may be posted anew."""
        card = due.card

        async def found(ts: str) -> None:
            await self._outbox.card_posted(card.subject, ts, card.shown)
            self._outcome_known(card.subject)

        return await surely_absent(
            self._clock,
            due.tried_at,
            find=lambda since: self._calls.find(due.nonce, channel=card.channel, thread=None, since=since),
            found=found,
            postpone=partial(self._outbox.postpone_card, card.subject),
        )

    async def edit(self, due: CardDue) -> None:
        """Show the newest state; an edit may be repeated, so nothing is looked up."""
        card = due.card
        ts = card.ts
        assert ts is not None, "only a posted card is edited"
        said = await self._support.sent(
            partial(self._render, card.subject),
            lambda payload: self._calls.edit(card.channel, ts, payload),
        )
        self._edited[card.subject] = self._clock.monotonic(), due.phase
        if said.ts:
            await self._outbox.card_shown(card.subject, due.wanted)
        elif said.later:
            # Slack counts edits for the workspace, whatever we keep of them for whom.
            self._pacing.close(self._pacing.update(), said.retry_after)
            self._pacing.close(self._pacing.urgent(), said.retry_after)
        elif said.unknown:
            await self._outbox.postpone_card(card.subject, self._later(AFTER_TROUBLE))
        else:
            await self._not_edited(due, ts, said.error)

    async def _not_edited(self, due: CardDue, ts: str, error: str) -> None:
        """Go on elsewhere: a card that somebody has deleted, or that Slack lets nobody edit any more, is posted anew, once."""
        subject = due.card.subject
        if error in ELSEWHERE:
            await self._outbox.channel_closed(subject, error)
            return
        # One that only grows old, since the workspace lets nobody edit what is older, is worth a message where it matters.
        matters = error == DELETED or due.phase in DECISIVE
        anew = error in GONE and matters and await self._outbox.card_gone(subject, ts, error)
        level = logging.WARNING if error in GONE | {INACTIVE} else logging.ERROR
        then = "it is posted anew" if anew else "it stays as it is"
        log.log(level, "the card of %s can no longer be edited: %s; %s", subject, error, then)
        if not anew:
            await self._outbox.card_shown(subject, due.wanted)

    def _later(self, seconds: float) -> datetime:
        return self._clock.now() + timedelta(seconds=max(0.0, seconds))


def pause(pacing: Pacing, channel: str, said: CallResult) -> None:
    """Wait before the next post, where Slack limits us perhaps in every channel."""
    if said.limited:
        pacing.refused(channel, said.retry_after)
    else:
        pacing.close(pacing.post(channel), said.retry_after)
