"""From a promotion's id to the payload that Slack shows: reads records, leaves the words to the views."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from bot.slack.render_builds import BuildRenderer, nothing_beside
from bot.views import confirmations
from bot.views.card import card
from bot.views.digest import digest
from bot.views.last_log import last_log_row
from bot.views.notices import notice
from bot.views.pings import called, known, quiet
from bot.views.racks import on_rack
from bot.views.thread import fits_beside_ending, is_shown, message, terminal
from core.clock import Clock
from core.errors import Unreachable
from core.ids import is_build
from core.lifecycle.access import Access
from core.lifecycle.history import copied_from
from core.lifecycle.manifest_notes import notes_on
from core.lifecycle.outlook import NO_OUTLOOK, Outlook, read_outlook
from core.policy.rules import Verbosity
from core.ports.cluster import Cluster
from core.ports.digests import Digest
from core.ports.notices import Notice
from core.ports.outbox import Fits, Post, Shown, ThreadDue
from core.ports.store import Store
from core.promotion import WAITING, Phase, Promotion
from core.records.app import DEFAULT_RACK
from core.records.build import Build
from core.records.release import Release
from core.sentence import EMPTY_SENTENCE


class MessageRenderer:
    """Renders at the moment of sending, so that a card is always at its newest state."""

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        access: Access,
        clock: Clock,
        link: Callable[[str, str], str],
        rack: str = DEFAULT_RACK,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._access = access
        self._clock = clock
        self._link = link
        self._rack = rack
        self._builds = BuildRenderer(store, access)
        # Of the promotions whose cards wait for approval.
        self._notes: dict[str, tuple[str, ...]] = {}
        # Of those that wait at all, with the release that each was compared with.
        self._outlooks: dict[str, tuple[str | None, Outlook]] = {}

    async def card(self, subject: str, without: Collection[str] = ()) -> dict[str, Any]:
        """Return the payload of the card of a promotion or a build, without these kinds of blocks."""
        if is_build(subject):
            return on_rack(await self._builds.card(subject), self._rack)
        return await self._promotion(subject, without)

    async def _promotion(self, promotion_id: str, without: Collection[str]) -> dict[str, Any]:
        read = self._store.read
        promotion = await read.promotion(promotion_id)
        app = await read.any_app(promotion.app)
        release = await read.release(promotion.app, promotion.release)
        # Once it is over the active release is no longer what it was compared with.
        before = promotion.back_to if promotion.settled else app.active_release
        here = await read.card(promotion_id)
        build = await read.build(promotion.app, release.build) if release.build else None
        previous = await read.release(app.name, before) if before and before != release.id else None
        failed = bool(promotion.cause)
        evidence = await read.evidence(promotion_id) if failed else None
        approvals = await read.approvals(promotion_id)
        rules = self._access.policy.rules(promotion.app)
        shown = card(
            promotion,
            closed=confirmations.told_directly(here.closed_channel, here.closed_by)
            if here and here.closed_channel
            else EMPTY_SENTENCE,
            app=app,
            release=release,
            previous=previous,
            old_build=await read.build_entry(app.name, previous.build)
            if previous and previous.build
            else None,
            source=await copied_from(read, release),
            build=build,
            notes=await self._notes_on(promotion, build, release),
            outlook=await self._outlook(promotion, release, previous),
            last_log=last_log_row(evidence) if evidence else "",
            plans="plan" not in without,
            spares_build=await self._spares_build(promotion),
            approvals=approvals,
            rules=rules,
            groups=await self._groups(promotion),
            now=self._clock.now(),
        )
        return on_rack(quiet(shown, known(promotion, approvals), called(promotion, rules)), self._rack)

    async def post(self, post: Post) -> dict[str, Any]:
        """Return the payload of a message in a thread."""
        if post.kind == "lines":
            return message([line for _, line in post.lines])
        if is_build(post.subject):
            return await self._builds.ending(post.subject)
        promotion = await self._store.read.promotion(post.subject)
        lines = [line for _, line in post.lines]
        return terminal(
            promotion,
            lines,
            spares_build=await self._spares_build(promotion),
            verbosity=await self._verbosity(promotion),
        )

    def shown(self, due: ThreadDue) -> Shown | None:
        """Return what tells which lines stand in a thread, None where all do."""
        verbosity = self._access.policy.verbosity(due.app, due.channel)
        if verbosity != "quiet" and not due.digested:
            return None
        return partial(is_shown, verbosity=verbosity, digested=due.digested)

    async def digest(self, due: Digest) -> dict[str, Any]:
        """Return the payload of the one message that tells of many promotions."""
        read = self._store.read
        cards = await read.digest_cards(due.id)
        told = [
            (await read.promotion(card.subject), self._link(card.channel, card.ts) if card.ts else "")
            for card in cards
        ]
        return on_rack(digest(told), self._rack)

    def notice(self, due: Notice) -> dict[str, Any]:
        """Return the payload of what is told beside cards and threads."""
        return notice(due, self._link)

    async def beside_ending(self, subject: str) -> Fits:
        """Return what tells whether lines go into one message with the ending of a promotion or a build."""
        if is_build(subject):
            return nothing_beside
        promotion = await self._store.read.promotion(subject)
        return partial(
            fits_beside_ending,
            promotion,
            spares_build=await self._spares_build(promotion),
            verbosity=await self._verbosity(promotion),
        )

    async def _verbosity(self, promotion: Promotion) -> Verbosity:
        """Return how much the channel of its card hears."""
        card = await self._store.read.card(promotion.id)
        return self._access.policy.verbosity(promotion.app, card.channel if card else None)

    async def _groups(self, promotion: Promotion) -> Mapping[str, frozenset[str]]:
        """Return who is in the groups that could approve it; nobody where Slack does not say, or nothing is asked."""
        if promotion.phase is not Phase.AWAITING_APPROVAL:
            return {}
        try:
            return await self._access.groups()
        except Unreachable:
            return {}

    async def _spares_build(self, promotion: Promotion) -> bool:
        """Return whether what holds its release says nothing of the build: see `ReleaseStatus`."""
        if promotion.cancelled_by is None:
            return False
        return (await self._store.read.release_status(promotion.release)).spares_build

    async def _notes_on(self, promotion: Promotion, build: Build | None, release: Release) -> tuple[str, ...]:
        """Return what will not come of it, for whoever approves it; afterwards it is no news.

        A manifest takes long to read and neither it nor the rack ever changes, so it is read once for a card that waits.
        """
        if promotion.phase is not Phase.AWAITING_APPROVAL:
            self._notes.pop(promotion.id, None)
            return ()
        if promotion.id not in self._notes:
            self._notes[promotion.id] = await notes_on(self._cluster, build, release.environment)
        return self._notes[promotion.id]

    async def _outlook(self, promotion: Promotion, release: Release, active: Release | None) -> Outlook:
        """Return what promoting it will come to, while it waits; looked up again only once something else runs."""
        if promotion.phase not in WAITING or promotion.restarts:
            self._outlooks.pop(promotion.id, None)
            return NO_OUTLOOK
        against = active.id if active else None
        known = self._outlooks.get(promotion.id)
        if known is None or known[0] != against:
            found = await read_outlook(self._store.read, self._cluster, promotion, release, active)
            known = self._outlooks[promotion.id] = against, found
        return known[1]
