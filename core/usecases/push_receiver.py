"""What is built of a push, by the rules of the policy: each app once, however often the push is told."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.actor import Actor, Caller
from core.build_run import BuildRequest
from core.clock import Clock
from core.errors import Unavailable, UserError
from core.lifecycle.access import Access
from core.policy.build_rules import BuildRule
from core.ports.store import Store
from core.records.push import Push, PushedBuild
from core.sentence import Sentence
from core.usecases.build_starter import BuildStarter

log = logging.getLogger(__name__)

# GitHub docs, "Redelivering webhooks": for three days; a day for clocks and doubt.
LATEST = timedelta(days=4)
# Longer than a push is taken, so that none is forgotten that could still be told again.
REMEMBERED = timedelta(days=7)
# Whoever waits to write waits for no more than this.
FORGOTTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedApp:
    """What became of a push in one app.

    Attributes:
        build: the build of it, "" where there is none.
        known: it was started before.
        problem: why there is none.
    """

    app: str
    build: str = ""
    known: bool = False
    problem: Sentence | None = None


class PushReceiver:
    """Has built what is pushed, where a rule says so; nobody asks for a right, since the rule is it."""

    def __init__(self, store: Store, access: Access, starter: BuildStarter, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._starter = starter
        self._clock = clock

    async def receive(self, push: Push, *, vendor: str, delivery: str) -> tuple[PushedApp, ...]:
        """Start what the rules have built of a push; () where no rule takes it.

        A push that is told a second time, under the same delivery or another, also after a restart, starts nothing a second time.

        Args:
            push: what was pushed.
            vendor: who tells of it (`github`).
            delivery: by which name they tell.

        Raises:
            Unavailable: nothing can be started or written now; those apps that were not reached are, if it is told again.
        """
        rules = self._access.policy.build_rules(push.repository, push.ref)
        if not rules:
            log.info("no rule has %s of %s built", push.name, push.repository)
        return tuple([await self._build(push, rule, vendor, delivery) for rule in rules])

    async def _build(self, push: Push, rule: BuildRule, vendor: str, delivery: str) -> PushedApp:
        if push.pushed_at is not None and self._clock.now() - push.pushed_at > LATEST:
            why = Sentence.of(f"it was pushed more than {LATEST.days} days ago, and may be a replay")
            return _refused(push, rule, why)
        caller = Caller(actor=Actor("webhook", push.repository.lower()), source="http")
        pushed = PushedBuild(
            push=push, marks=push.marks(vendor, delivery, rule.app), rule=str(rule), promote=rule.promote
        )
        try:
            asked = BuildRequest(
                git_url=push.clone_url, git_ref=push.name, git_sha=push.commit, author=push.author
            )
            queued = await self._starter.start(caller, rule.app, asked, pushed=pushed)
        except Unavailable:
            raise
        except UserError as error:
            return _refused(push, rule, error.sentence)
        log.info("build %s of %s: %s of %s was pushed", queued.run.id, rule.app, push.name, push.repository)
        return PushedApp(app=rule.app, build=queued.run.id, known=queued.known)

    async def age_out(self, now: datetime) -> int:
        """Forget pushes that are refused by their age if they are told again; return how many marks of them."""
        forgotten, last = 0, FORGOTTEN_AT_ONCE
        while last == FORGOTTEN_AT_ONCE:
            async with self._store.transaction() as tx:
                last = await tx.forget_pushes(now - REMEMBERED, FORGOTTEN_AT_ONCE)
            forgotten += last
        return forgotten


def summary(built: Sequence[PushedApp]) -> str:
    """Return what became of a push, for the metrics: `started`, `known`, `refused`, or `ignored` where no rule takes it."""
    if any(each.build and not each.known for each in built):
        return "started"
    if any(each.problem for each in built):
        return "refused"
    return "known" if built else "ignored"


def _refused(push: Push, rule: BuildRule, why: Sentence) -> PushedApp:
    log.warning("%s of %s is not built in %s: %s", push.name, push.repository, rule.app, why)
    return PushedApp(app=rule.app, problem=why)
