"""What can be chosen before somebody promotes, goes back or declines: which releases, and what each would change. It changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.actor import Caller
from core.clock import Clock
from core.errors import NotFound
from core.lifecycle.access import Access
from core.lifecycle.explain import Action, ActionContext, explain
from core.lifecycle.guards import current_rule, read_context
from core.lifecycle.holds import fork_point, rollback_candidate, why_held
from core.ports.store import Store
from core.promotion import Promotion, PromotionKind
from core.records.environment import Difference, difference
from core.records.release import ReleaseEntry
from core.sentence import EMPTY_SENTENCE, Sentence

ReleaseMark = Literal["active", "never promoted", "rolled back", "on hold", "ran before"]
# Slack shows so many options, and asks again with what is typed.
MOST_CHOICES = 100
# What is typed is looked for in so many of the newest releases; an older one is found by its id.
MOST_SEARCHED = 1000
# Reasons of holds that are read for one list; each is unsealed.
MOST_REASONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseChoice:
    """A release that can be chosen. Attributes: why: why it is on hold, or nothing."""

    release: ReleaseEntry
    mark: ReleaseMark
    why: Sentence = EMPTY_SENTENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseChange:
    """What a release would change.

    Attributes:
        active: what runs now, None where nothing does.
        variables: names of those that differ from what runs; no value.
    """

    choice: ReleaseChoice
    active: ReleaseEntry | None
    variables: Difference


class Chooser:
    """Offers releases to whoever may do something with them; each look asks for the right of what it is for."""

    def __init__(self, store: Store, access: Access, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._clock = clock

    async def choices(
        self, caller: Caller, app: str, choosing: PromotionKind, typed: str = ""
    ) -> list[ReleaseChoice]:
        """Return what can be chosen, what is probably meant first.

        Args:
            caller: who asks.
            app: whose releases.
            choosing: what for: to promote, those that were never promoted first; to go back, those that ran well.
            typed: what is looked for in ids, builds and descriptions.
        """
        await self._access.require(caller.actor, choosing, app)
        read = self._store.read
        active = (await read.app(app)).active_release
        runs = await read.release_entry(app, active) if active else None
        words = typed.casefold().split()
        found = await read.release_entries(app, MOST_SEARCHED if words else 2 * MOST_CHOICES)
        fitting = [each for each in found if _fits(each, words)]
        if not fitting and len(words) == 1:
            fitting = await self._by_id(app, words[0].upper())
        ranked = sorted(
            (each for each in fitting if _can_be_chosen(each, runs, choosing)),
            key=lambda each: (_rank(each, active, choosing), -each.sequence),
        )[:MOST_CHOICES]
        held = [each.id for each in ranked if each.on_hold][:MOST_REASONS]
        return [await self._choice(each, active, with_why=each.id in held) for each in ranked]

    async def change(
        self,
        caller: Caller,
        app: str,
        choosing: PromotionKind,
        release_id: str | None,
        *,
        force: bool = False,
    ) -> ReleaseChange | None:
        """Return what one release would change, or without an id the one that is probably meant; None where there is none.

        Raises:
            NotFound: there is no such release.
            UserError: nobody may do that now, or this person may not; why.
        """
        principal = await self._access.require_principal(caller.actor, choosing, app)
        read = self._store.read
        context = await read_context(read, app)
        active = context.app.active_release
        release = await self._meant(app, choosing, release_id, active)
        action = Action(kind=choosing, app=app, force=force)
        meets = ActionContext(
            policy=self._access.policy,
            now=self._clock.now(),
            in_flight=context.in_flight,
            active=context.active,
            release=release,
            # Why one on hold goes out all the same is asked for in the dialog; it is not gone back to.
            held=await why_held(read, release) if release and choosing == "rollback" else EMPTY_SENTENCE,
            freezes=await read.freezes(),
        )
        explain(action, principal, meets).enforce()
        if release is None:
            return None
        now = (await read.release(app, active)).environment if active else None
        then = (await read.release(app, release.id)).environment
        return ReleaseChange(
            choice=await self._choice(release, active, with_why=True),
            active=context.active,
            variables=difference(now, then) if now is not None else Difference(tuple(sorted(then)), (), ()),
        )

    async def declinable(self, caller: Caller, promotion_id: str, app: str | None) -> Promotion:
        """Return the promotion that somebody is asked why they decline it.

        Raises:
            NotFound: there is none, or it is another app's.
            Conflict: it no longer waits, or this person has decided.
        """
        read = self._store.read
        promotion = await read.promotion(promotion_id)
        if app and promotion.app != app:
            raise NotFound(f"{promotion.id} is of the app {promotion.app}, not of {app}")
        principal = await self._access.require_principal(caller.actor, "approve", promotion.app)
        meets = ActionContext(
            policy=self._access.policy,
            now=self._clock.now(),
            promotion=promotion,
            approvals=await read.approvals(promotion.id),
            rule=await current_rule(read, self._access.policy, promotion),
        )
        explain(Action(kind="decline", app=promotion.app), principal, meets).enforce()
        return promotion

    async def _by_id(self, app: str, release_id: str) -> list[ReleaseEntry]:
        try:
            return [await self._store.read.release_entry(app, release_id)]
        except NotFound:
            return []

    async def _meant(
        self, app: str, choosing: PromotionKind, release_id: str | None, active: str | None
    ) -> ReleaseEntry | None:
        read = self._store.read
        if release_id is not None:
            return await read.release_entry(app, release_id)
        if choosing == "rollback":
            back = await rollback_candidate(read, app, but={active} if active else set())
            return await read.release_entry(app, back) if back else None
        newest, _ = await fork_point(read, app)
        return newest if newest is not None and newest.build and newest.id != active else None

    async def _choice(self, release: ReleaseEntry, active: str | None, *, with_why: bool) -> ReleaseChoice:
        why = await why_held(self._store.read, release) if with_why else EMPTY_SENTENCE
        return ReleaseChoice(release=release, mark=mark_of(release, active), why=why)


def mark_of(release: ReleaseEntry, active: str | None) -> ReleaseMark:
    """Return what has become of a release so far, in a word."""
    if release.id == active:
        return "active"
    if release.on_hold:
        return "on hold"
    if release.withdrawn:
        return "rolled back"
    return "ran before" if release.verified else "never promoted"


def _fits(release: ReleaseEntry, words: Sequence[str]) -> bool:
    text = f"{release.id} {release.build or ''} {release.description}".casefold()
    return all(word in text for word in words)


def _can_be_chosen(release: ReleaseEntry, runs: ReleaseEntry | None, choosing: PromotionKind) -> bool:
    """Leave out what would be refused whatever else is said: without a build, older than what runs; what failed is not gone back to."""
    if release.build is None or release.in_vain:
        return False
    if choosing == "promote":
        return runs is None or release.sequence >= runs.sequence
    return (runs is None or release.id != runs.id) and (release.verified or not release.on_hold)


def _rank(release: ReleaseEntry, active: str | None, choosing: PromotionKind) -> int:
    mark = mark_of(release, active)
    if choosing == "promote":
        return 0 if mark == "never promoted" else 1
    return 0 if release.verified and mark == "ran before" else 1
