"""From a promotion's id to the payload that Slack shows: reads records, leaves the words to the views."""

from typing import Any

from bot.views.card import card
from bot.views.thread import message, terminal
from core.access import Access
from core.outgoing import Post
from core.ports import Clock, Store


class Messages:
    """Renders at the moment of sending, so that a card is always at its newest state."""

    def __init__(self, store: Store, access: Access, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._clock = clock

    async def card(self, promotion_id: str) -> dict[str, Any]:
        """Return the payload of a card."""
        read = self._store.read
        promotion = await read.promotion(promotion_id)
        release = await read.release(promotion.app, promotion.release)
        return card(
            promotion,
            app=await read.app(promotion.app),
            release=release,
            build=await read.build(promotion.app, release.build) if release.build else None,
            approvals=await read.approvals(promotion_id),
            rules=self._access.policy.rules(promotion.app),
            now=self._clock.now(),
        )

    async def post(self, post: Post) -> dict[str, Any]:
        """Return the payload of a message in a thread."""
        if post.kind == "lines":
            return message([line for _, line in post.lines])
        return terminal(await self._store.read.promotion(post.promotion))
