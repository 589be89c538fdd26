"""Whether anybody in Slack can see a promotion: without a card in sight nothing starts (contract 5)."""

from core.ports.outbox import Card
from core.ports.store import StoreReader
from core.promotion import Promotion

# A promotion from Slack starts when its card is posted, or after this without an answer from Slack.
CARD_PATIENCE = 10.0
NOT_IN_CHANNEL = "I am not in this channel: /invite @convox"
MAY_NOT_POST = "I may not post in this channel: ask whoever manages it or the workspace, or link another one"
# Slack's errors that mean nobody would see the thread, and what is said then: refused, from a terminal too (engine rule 60).
UNSEEN = {
    "not_in_channel": NOT_IN_CHANNEL,
    "channel_not_found": NOT_IN_CHANNEL,
    "is_archived": "this channel is archived, so nobody would see it: unarchive it, or link another one",
    "no_permission": MAY_NOT_POST,
    "restricted_action": MAY_NOT_POST,
    "restricted_action_read_only_channel": MAY_NOT_POST,
    "restricted_action_thread_only_channel": MAY_NOT_POST,
    "restricted_action_non_threadable_channel": MAY_NOT_POST,
    "restricted_action_thread_locked": MAY_NOT_POST,
}
# Of a card that no channel has refused: Slack never got it, and what it told of is long over (`storage/sql/queries/retention.sql`).
GIVEN_UP = "too old"
# The whole workspace is closed to us, not a channel: another one would not help, so nothing is refused for it (engine rule 38).
CLOSED_WORKSPACE = frozenset({"ekm_access_denied", "team_access_not_granted"})
# Slack's errors after which what is left is told elsewhere: the requester may be in another workspace of the organisation.
ELSEWHERE = CLOSED_WORKSPACE.union(UNSEEN)


def why_unseen(card: Card | None) -> str:
    """Return why nobody in Slack can see a promotion, so that it is refused; "" where they can, or that is not known."""
    return UNSEEN.get(card.failed, "") if card is not None else ""


async def undelivered_card(read: StoreReader, promotion: Promotion) -> Card | None:
    """Return the card of the app's promotion before, where the channel of this one did not take it to its end."""
    for earlier in (await read.promotions(promotion.app, 2))[1:]:
        card = await read.card(earlier.id)
        if card and promotion.channel in closed_channels(card):
            return card
    return None


def refused_by(card: Card) -> tuple[str, str] | None:
    """Return the channel where a card could not be, or not to its end, and Slack's error; None where it was seen to its end."""
    if card.closed_channel:
        return card.closed_channel, card.closed_by
    return (card.channel, card.failed) if card.failed and card.failed != GIVEN_UP else None


def closed_channels(card: Card) -> set[str]:
    """Return where a card could not be, or not to its end."""
    refused = refused_by(card)
    return {refused[0]} if refused else set()
