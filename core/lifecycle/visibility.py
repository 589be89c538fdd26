"""Whether anybody in Slack can see a promotion: without a card in sight nothing starts (contract 5)."""

from core.ports.outbox import Card
from core.promotion import Promotion

# A promotion from Slack starts when its card is posted, or after this without an answer from Slack.
CARD_PATIENCE = 10.0
# Slack's errors that mean nobody would see the thread: refused.
UNSEEN = frozenset({"not_in_channel", "channel_not_found"})
NOT_IN_CHANNEL = "I am not in this channel: /invite @convox"


def is_unseen(promotion: Promotion, card: Card | None) -> bool:
    """Tell whether nobody in Slack can see a promotion that was asked for there: it is refused."""
    return promotion.source == "slack" and card is not None and card.failed in UNSEEN
