"""From a promotion's id to the payload that Slack shows: reads records, leaves the words to the views."""

from functools import partial
from typing import Any

from bot.views import confirmations
from bot.views.card import card
from bot.views.thread import fits_beside_ending, message, terminal
from core.clock import Clock
from core.lifecycle.access import Access
from core.lifecycle.history import copied_from
from core.lifecycle.manifest_notes import notes_on
from core.ports.cluster import Cluster
from core.ports.outbox import Fits, Post
from core.ports.store import Store
from core.promotion import Phase
from core.sentence import EMPTY_SENTENCE


class MessageRenderer:
    """Renders at the moment of sending, so that a card is always at its newest state."""

    def __init__(self, store: Store, cluster: Cluster, access: Access, clock: Clock) -> None:
        self._store = store
        self._cluster = cluster
        self._access = access
        self._clock = clock

    async def card(self, promotion_id: str) -> dict[str, Any]:
        """Return the payload of a card."""
        read = self._store.read
        promotion = await read.promotion(promotion_id)
        app = await read.any_app(promotion.app)
        release = await read.release(promotion.app, promotion.release)
        # Once it is over the active release is no longer what it was compared with.
        compare = app.active_release and app.active_release != release.id and not promotion.settled
        here = await read.card(promotion_id)
        build = await read.build(promotion.app, release.build) if release.build else None
        # What will not come of it is told to whoever approves it; afterwards it is no news.
        waits = promotion.phase is Phase.AWAITING_APPROVAL
        return card(
            promotion,
            closed=confirmations.told_directly(here.closed_channel, here.closed_by)
            if here and here.closed_channel
            else EMPTY_SENTENCE,
            app=app,
            release=release,
            previous=await read.release(app.name, app.active_release)
            if compare and app.active_release
            else None,
            source=await copied_from(read, release),
            build=build,
            notes=await notes_on(self._cluster, build, release.environment) if waits else (),
            approvals=await read.approvals(promotion_id),
            rules=self._access.policy.rules(promotion.app),
            now=self._clock.now(),
        )

    async def post(self, post: Post) -> dict[str, Any]:
        """Return the payload of a message in a thread."""
        if post.kind == "lines":
            return message([line for _, line in post.lines])
        return terminal(await self._store.read.promotion(post.promotion), [line for _, line in post.lines])

    async def beside_ending(self, promotion_id: str) -> Fits:
        """Return what tells whether lines go into one message with the ending of a promotion."""
        return partial(fits_beside_ending, await self._store.read.promotion(promotion_id))
