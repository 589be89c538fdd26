"""What somebody may do now and why not: for `why`, `whoami` and `waiting`, and for whoever draws a button or reminds somebody.

Each answer is made by what the use cases enforce, from the records as they are at this moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.actor import Actor, Caller
from core.clock import Clock
from core.errors import NotFound, UserError
from core.lifecycle.access import Access
from core.lifecycle.approvals import open_seats
from core.lifecycle.contexts import decision_context
from core.lifecycle.explain import Action, explain
from core.lifecycle.freezing import FrozenApp, frozen
from core.lifecycle.guards import current_rule
from core.lifecycle.holds import fork_point, rollback_candidate
from core.lifecycle.principal import Principal
from core.lifecycle.rights import Explanation, explain_right
from core.policy.authorization import VERBS, Verb
from core.ports.store import Store
from core.promotion import Promotion
from core.records.approval import Approval
from core.sentence import EMPTY_SENTENCE, Sentence
from core.usecases.asking import PromotionRequest, considered, what_comes

DecisionKind = Literal["approve", "decline", "cancel", "stop", "snooze"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Possibility:
    """One thing that somebody could do: to which release or promotion, and whether they may.

    Attributes:
        comes: what would come of it, beside what its name says; nothing where they may not.
    """

    action: str
    target: str
    explanation: Explanation
    comes: Sentence = EMPTY_SENTENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPromotion:
    """A promotion that waits for approval.

    Attributes:
        missing: how many must still approve; `seats`: the seats that are left for them, where the policy has some.
        explanation: whether whoever asks may be one of them.
    """

    promotion: Promotion
    approvals: Sequence[Approval]
    missing: int
    seats: Sequence[tuple[str, ...]]
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class AppExplanation:
    """What somebody may do to an app now.

    Attributes:
        freeze: why nothing new is promoted to it, None where nothing is in the way.
    """

    app: str
    freeze: FrozenApp | None
    possibilities: Sequence[Possibility]
    waiting: Sequence[WaitingPromotion]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalRights:
    """Who somebody is here, and which verbs they have of which app."""

    principal: Principal
    rights: Sequence[tuple[str, tuple[Verb, ...]]]


class Explainer:
    """Answers from the records, and changes nothing."""

    def __init__(
        self, store: Store, access: Access, clock: Clock, *, why_not_startable: Callable[[], str]
    ) -> None:
        """Take the records, who may do what, the time, and a function that says why nothing may start now, or ""."""
        self._store = store
        self._access = access
        self._clock = clock
        self._why_not_startable = why_not_startable

    async def whoami(self, caller: Caller) -> PrincipalRights:
        """Return who the caller is, and what they may; it needs no right, and names no app of which they have none."""
        principal = await self._access.principal(caller.actor)
        apps = [app.name for app in await self._store.read.apps()]
        rights = [(app, self._verbs(principal, app)) for app in apps]
        return PrincipalRights(principal=principal, rights=[each for each in rights if each[1]])

    def _verbs(self, principal: Principal, app: str) -> tuple[Verb, ...]:
        """Return the verbs that somebody can use; a right that is of no use to them, or not alone, would mislead."""
        policy = self._access.policy
        held = [verb for verb in VERBS if explain_right(policy, principal, verb, app).allowed]
        useless = set[Verb]() if principal.actor.kind == "slack" else {"approve", "break-glass"}
        if "promote" not in held:
            useless.add("break-glass")
        return tuple(verb for verb in held if verb not in useless)

    async def why(self, caller: Caller, app: str, release: str | None = None) -> AppExplanation:
        """Return what the caller may do now to an app, with a release; without one, promote the newest that is not on hold, and go back.

        Raises:
            Forbidden: they may not even look.
            NotFound: there is no such app or release.
        """
        await self._access.require(caller.actor, "view", app)
        read = self._store.read
        onward = back = release
        active = (await read.app(app)).active_release
        if release is None:
            newest, _ = await fork_point(read, app)
            onward = newest.id if newest else None
            back = await rollback_candidate(read, app, but={active} if active else set())
        else:
            await read.release_entry(app, release)
        principal = await self._access.principal(caller.actor)
        found: list[Possibility] = []
        if onward is not None:
            found.append(await self._possibility(principal, PromotionRequest(app=app, release=onward)))
        if back is not None:
            found.append(
                await self._possibility(principal, PromotionRequest(app=app, kind="rollback", release=back))
            )
        elif active is not None:
            nowhere = NotFound(f"no other release of {app} ran well, so there is none to go back to")
            found.append(Possibility(action="rollback", target="", explanation=Explanation(refusal=nowhere)))
        flying = await read.in_flight(app)
        if flying is not None:
            told = await self.decision(principal, "cancel", flying)
            found.append(Possibility(action="cancel", target=flying.id, explanation=told))
        return AppExplanation(
            app=app,
            freeze=frozen(self._access.policy, await read.freezes(), app, self._clock.now()),
            possibilities=found,
            waiting=[await self._waiting(principal, each) for each in await read.awaiting(app)],
        )

    async def waiting(self, caller: Caller) -> list[WaitingPromotion]:
        """Return what waits for approval in the apps that the caller may view, theirs to approve first."""
        principal = await self._access.principal(caller.actor)
        policy = self._access.policy
        seen = [
            await self._waiting(principal, promotion)
            for promotion in await self._store.read.all_awaiting()
            if explain_right(policy, principal, "view", promotion.app).allowed
        ]
        return sorted(seen, key=lambda each: not each.explanation.allowed)

    async def _waiting(self, principal: Principal, promotion: Promotion) -> WaitingPromotion:
        read = self._store.read
        approvals = await read.approvals(promotion.id)
        rule = await current_rule(read, self._access.policy, promotion)
        left, seats = open_seats(promotion, rule, approvals, principal.groups)
        return WaitingPromotion(
            promotion=promotion,
            approvals=approvals,
            missing=left,
            seats=seats,
            explanation=await self.decision(principal, "approve", promotion),
        )

    async def principal(self, actor: Actor) -> Principal:
        """Return who somebody is now, for the questions below."""
        return await self._access.principal(actor)

    async def request(self, principal: Principal, request: PromotionRequest) -> Explanation:
        """Say whether somebody could ask for a promotion, a rollback or a restart now, as `Promoter.request` would."""
        return (await self._possibility(principal, request)).explanation

    async def _possibility(self, principal: Principal, request: PromotionRequest) -> Possibility:
        """Return what `request` says, with what would come of it."""
        policy, now = self._access.policy, self._clock.now()
        action, target = request.action.kind, request.release or ""
        try:
            asked = await considered(
                self._store.read, policy, principal, request, now, self._why_not_startable()
            )
        except UserError as refusal:
            return Possibility(action=action, target=target, explanation=Explanation(refusal=refusal))
        return Possibility(
            action=action, target=target, explanation=Explanation(), comes=what_comes(request, asked)
        )

    async def decision(self, principal: Principal, kind: DecisionKind, promotion: Promotion) -> Explanation:
        """Say whether somebody could decide about or stop a promotion now, as `Decider` would."""
        meets = await decision_context(
            self._store.read,
            self._access.policy,
            promotion,
            self._clock.now(),
            not_startable=self._why_not_startable(),
        )
        return explain(Action(kind=kind, app=promotion.app), principal, meets)
