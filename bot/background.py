"""What the process does of its own accord beside sender and inbox: looking through approvals, greeting the cluster."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import chain, repeat

from bot.believed import Confirm
from core.building.supervisor import BuildSupervisor
from core.clock import Clock
from core.errors import Rejected, Unavailable, Unreachable
from core.policy.authorization import Policy
from core.ports.retention import AGING, Retention
from core.usecases.build_promoter import BuildPromoter
from core.usecases.decider import Decider
from core.usecases.freezer import Freezer
from core.usecases.push_receiver import PushReceiver
from core.usecases.reminders import Reminders
from core.usecases.scheduler import PromotionScheduler
from core.usecases.source_registrar import SourceRegistrar

log = logging.getLogger(__name__)

# How often approvals are looked through for those that nobody gave in time.
EXPIRY_SECONDS = 5.0
# How often what waits for a time, or for its turn, is looked through.
START_SECONDS = 2.0
# How often it is looked whether somebody is to be reminded or a freeze begins, which is fixed to the minute.
REMINDER_SECONDS = 10.0
# How often sources are looked through for those that are too old, by hours.
SOURCES_SECONDS = 600.0
# How often Jobs are looked for that no build waits for; Kubernetes removes them an hour after their end by itself.
ORPHANS_SECONDS = 600.0
# How often pushes are looked through for those that are too old, by days.
PUSHES_SECONDS = 3600.0
# How often the numbers of the last 30 days are worked out anew.
DELIVERIES_SECONDS = 300.0
# How often records are looked through for those that are too old, by days; and between two of the small writes that delete some.
RETENTION_SECONDS = 3600.0
BREATH_SECONDS = 0.1
# How often what Slack and others are to be told later is looked through for times that cannot be.
DELAYS_SECONDS = 60.0
# How often promotions are looked for that have ended, where they are traced.
TRACES_SECONDS = 5.0
# Between two tries to reach the cluster at a start.
CONTACT_SECONDS = (5.0, 15.0, 60.0)


async def expire(decider: Decider, clock: Clock) -> None:
    """End approvals that nobody gave in time, until cancelled."""
    await _repeat(decider.expire, EXPIRY_SECONDS, clock, "approvals could not be looked through")


async def start_due(scheduler: PromotionScheduler, clock: Clock) -> None:
    """Start what has waited for its time or its turn, until cancelled."""
    await _repeat(scheduler.start_due, START_SECONDS, clock, "what waits could not be looked through")


async def remind(reminders: Reminders, clock: Clock) -> None:
    """Remind those who can approve what waits, when that is due, until cancelled."""
    await _repeat(reminders.remind_due, REMINDER_SECONDS, clock, "nobody could be reminded")


async def tell_freezes(freezer: Freezer, clock: Clock) -> None:
    """Tell of freezes that begin, until cancelled."""
    await _repeat(freezer.tell_begun, REMINDER_SECONDS, clock, "nobody could be told of freezes")


async def age_out_sources(sources: SourceRegistrar, clock: Clock, confirmed: Confirm) -> None:
    """Delete sources that nobody went on with or has built from, by a clock that is confirmed, until cancelled."""

    async def delete(now: datetime) -> None:
        if not await confirmed():
            return
        if gone := await sources.age_out(now):
            log.info("deleted %d sources that were too old", gone)

    await _repeat(delete, SOURCES_SECONDS, clock, "old sources could not be deleted")


async def remove_orphans(builds: BuildSupervisor, clock: Clock) -> None:
    """Remove Jobs that no build waits for, at a start and then from time to time, until cancelled."""
    await _repeat(
        lambda _: builds.remove_orphans(), ORPHANS_SECONDS, clock, "Jobs left over could not be looked for"
    )


async def count_deliveries(look: Callable[[datetime], Awaitable[None]], clock: Clock) -> None:
    """Work out how each app is delivered, for the metrics, until cancelled."""
    await _repeat(look, DELIVERIES_SECONDS, clock, "how apps are delivered could not be worked out")


async def trace_settled(look: Callable[[datetime], Awaitable[None]], clock: Clock) -> None:
    """Tell the trace of each promotion that has ended, until cancelled."""
    await _repeat(look, TRACES_SECONDS, clock, "promotions could not be traced")


async def age_out_pushes(pushes: PushReceiver, clock: Clock, confirmed: Confirm) -> None:
    """Forget pushes that nobody can tell of any more, by a clock that is confirmed, until cancelled."""

    async def forget(now: datetime) -> None:
        if await confirmed():
            await pushes.age_out(now)

    await _repeat(forget, PUSHES_SECONDS, clock, "old pushes could not be forgotten")


async def age_records(
    retention: Retention, policy: Callable[[], Policy], clock: Clock, confirmed: Confirm
) -> None:
    """Delete what is not kept any more and give the room back, in small writes, until cancelled.

    A clock that has leapt ahead would delete what ended yesterday: somebody else must have the same time.
    """

    async def age(now: datetime) -> None:
        rules = policy().retention
        await retention.mend_marks(now)
        limits = {each: rules.ended_before("lines" if each == "notices" else each, now) for each in AGING}
        due = {k: before for k, before in limits.items() if before and await retention.due(k, before)}
        if due and await confirmed():
            for records, before in due.items():
                while await retention.age(records, before):
                    await clock.sleep(BREATH_SECONDS)
        while await retention.give_back():
            await clock.sleep(BREATH_SECONDS)

    await _repeat(age, RETENTION_SECONDS, clock, "old records could not be deleted")


async def forget_delays(forget: Callable[[datetime], Awaitable[int]], clock: Clock) -> None:
    """Try again at once what waits for a time that no delay leads to, until cancelled: the clock was ahead as it was put off."""

    async def look(now: datetime) -> None:
        if count := await forget(now):
            log.warning(
                "%d messages waited for a time far ahead of now: the clock has leapt; they are sent", count
            )

    await _repeat(look, DELAYS_SECONDS, clock, "what was put off could not be looked through")


async def promote_built(promoter: BuildPromoter, clock: Clock) -> None:
    """Ask for the releases of builds that are to be promoted, until cancelled."""
    await _repeat(
        lambda _: promoter.promote_due(), START_SECONDS, clock, "what was built could not be promoted"
    )


async def _repeat(
    work: Callable[[datetime], Awaitable[None]], seconds: float, clock: Clock, trouble: str
) -> None:
    """Do something again and again, until cancelled; a database or a disk in trouble is tried again."""
    while True:
        try:
            await work(clock.now())
        except Unavailable as error:
            log.warning("%s; trying again: %s", trouble, error)
        except Exception:
            log.exception("%s; trying again", trouble)
        await clock.sleep(seconds)


async def await_cluster(reach: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Say what keeps the cluster from answering, until it does: else a wrong kubeconfig shows at the first promotion."""
    for pause in chain(CONTACT_SECONDS, repeat(CONTACT_SECONDS[-1])):
        try:
            await reach()
        except (Rejected, Unreachable) as error:
            log.warning("the cluster does not answer: %s; trying again", error)
        except Exception:
            log.exception("the cluster cannot be asked; trying again")
        else:
            log.info("the cluster answers")
            return
        await clock.sleep(pause)
