"""Reminding those who can approve a promotion: asked for, by the policy, or put off; each time once."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.actor import BOT, Caller
from core.errors import Conflict, Forbidden, NotFound, Unavailable, Unreachable
from core.lifecycle.access import Access
from core.lifecycle.approvals import may_approve
from core.lifecycle.guards import current_rule
from core.lifecycle.principal import Principal
from core.lifecycle.reminding import asked_channel, reminder_of, request_of, whom_to_remind
from core.lifecycle.rights import explain_right
from core.ports.announcer import Announcer
from core.ports.store import Store, Transaction
from core.promotion import Phase, Promotion
from core.sentence import Sentence, TimeOfDay

log = logging.getLogger(__name__)

# Whoever was just reminded has read it, or is not there: once more in ten minutes is soon enough.
PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindResult:
    """What became of a request to remind.

    Attributes:
        whom: who is called, as the policy names them; empty where a channel is told, or it is put off.
        channel: the channel that is told in their place.
        due_at: when they are reminded, where it was put off.
    """

    promotion: Promotion
    whom: tuple[str, ...] = ()
    channel: str | None = None
    due_at: datetime | None = None


class Reminders:
    """Tells again what waits, to those alone who can do something about it (contract 9.4)."""

    def __init__(self, store: Store, access: Access, announcer: Announcer) -> None:
        self._store = store
        self._access = access
        self._announcer = announcer

    async def remind(
        self, caller: Caller, promotion_id: str, *, after: int | None = None, app: str | None = None
    ) -> RemindResult:
        """Remind them now, or after so many seconds in place of any other time that was fixed.

        Whoever sees it may: nobody but those who can act hears of it, and that once in ten minutes at most. Only they may put it off.

        Raises:
            Forbidden: they would put off a reminder that is for others.
            NotFound: there is no such promotion, or it is of another app.
            Unavailable: Slack does not say who is in a group.
            Conflict: it waits no longer, has no card, they were reminded just now, or nobody is left who could.
        """
        promotion = await self._store.read.promotion(promotion_id)
        if app is not None and app != promotion.app:
            raise NotFound(f"{promotion.id} is of {promotion.app}, not of {app}")
        principal = await self._access.require_principal(caller.actor, "view", promotion.app)
        actor = principal.actor
        try:
            groups = await self._access.groups()
        except Unreachable as error:
            raise Unavailable(
                f"nobody was reminded, since Slack does not say who could be: {error}"
            ) from error
        unable = await self._unable(promotion, groups)
        async with self._store.transaction(delivery=caller.delivery) as tx:
            promotion = await tx.promotion(promotion_id)
            _check_waits(promotion)
            if after is None:
                await self._check_pause(tx, promotion)
                made = await self._tell(tx, promotion, groups, unable)
                if not made.whom and made.channel is None:
                    raise Conflict(
                        f"nobody is left who could approve {promotion.id} and is named in the policy"
                    )
            else:
                await self._check_theirs(tx, principal, promotion)
                made = RemindResult(promotion=promotion, due_at=tx.now + timedelta(seconds=after))
                assert made.due_at is not None
                await tx.schedule_reminder(promotion.id, made.due_at)
            detail = {"app": promotion.app, "after": after}
            await tx.audit(actor, "promotion.remind", promotion.id, detail)
        self._announcer.wake()
        return made

    async def remind_due(self, now: datetime) -> None:
        """Send what is due; what waits no longer is forgotten. Nothing is sent twice: one transaction does both."""
        for promotion_id in await self._store.read.reminders_due(now):
            promotion = await self._store.read.promotion(promotion_id)
            try:
                groups = await self._access.groups()
                unable = await self._unable(promotion, groups)
            except Unreachable as error:
                log.warning("nobody is reminded of %s for now: %s", promotion_id, error)
                return
            async with self._store.transaction() as tx:
                due = await tx.reminder(promotion_id)
                if due is None or due.due_at is None or due.due_at > now:
                    continue
                promotion = await tx.promotion(promotion_id)
                if promotion.phase is Phase.AWAITING_APPROVAL and promotion.channel is not None:
                    await self._tell(tx, promotion, groups, unable)
                else:
                    await tx.reminded(promotion_id, None)
            self._announcer.wake()

    async def _unable(self, promotion: Promotion, groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """Return those of whom it is no use to ask: guests, strangers, whoever has left."""
        whom = await self._whom(promotion, groups)
        return await self._access.unable(whom, BOT, groups)

    async def _whom(self, promotion: Promotion, groups: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        read, policy = self._store.read, self._access.policy
        rule = await current_rule(read, policy, promotion)
        return whom_to_remind(promotion, policy, rule, await read.approvals(promotion.id), groups)

    async def _check_theirs(self, tx: Transaction, principal: Principal, promotion: Promotion) -> None:
        """Refuse whoever could not approve it, were nothing else in the way: the reminder is not for them."""
        policy, actor, groups = self._access.policy, principal.actor, principal.groups
        why = explain_right(policy, principal, "approve", promotion.app).why
        if not why:
            rule = await current_rule(tx, policy, promotion)
            why = may_approve(promotion, rule, await tx.approvals(promotion.id), actor, groups).why
        if why:
            raise Forbidden(Sentence.of("only who can approve it may put its reminder off; ", why))

    async def _check_pause(self, tx: Transaction, promotion: Promotion) -> None:
        before = await tx.reminder(promotion.id)
        if before and before.told_at and tx.now < before.told_at + PAUSE:
            at, again = TimeOfDay(before.told_at), TimeOfDay(before.told_at + PAUSE)
            raise Conflict(Sentence.of("they were reminded at ", at, " already; again from ", again, " on"))

    async def _tell(
        self,
        tx: Transaction,
        promotion: Promotion,
        groups: Mapping[str, frozenset[str]],
        unable: frozenset[str],
    ) -> RemindResult:
        """Write the message and that nothing more is due; where nobody can be reminded, only the latter."""
        policy = self._access.policy
        rule = await current_rule(tx, policy, promotion)
        approvals = await tx.approvals(promotion.id)
        channel = asked_channel(policy.rules(promotion.app), rule)
        whom = whom_to_remind(promotion, policy, rule, approvals, groups) if channel is None else ()
        made = RemindResult(
            promotion=promotion, whom=tuple(w for w in whom if w not in unable), channel=channel
        )
        if channel is not None:
            said = Sentence.of("reminder: ", request_of(promotion, len(approvals)))
            await tx.add_notice(channel, said, kind="ask", promotion=promotion.id)
        elif made.whom and promotion.channel is not None:
            said = reminder_of(promotion, approvals)
            await tx.add_notice(
                promotion.channel, said, kind="reminder", promotion=promotion.id, whom=made.whom
            )
        told = tx.now if made.whom or channel else None
        await tx.reminded(promotion.id, told)
        return made


def _check_waits(promotion: Promotion) -> None:
    if promotion.phase is not Phase.AWAITING_APPROVAL:
        raise Conflict(f"{promotion.id} waits for no approval: it is {promotion.phase}")
    if promotion.channel is None:
        raise Conflict(f"{promotion.id} has no card in Slack, under which somebody could be reminded")
