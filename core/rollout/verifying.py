"""Watching until a verdict: lines into the thread, progress into the record, every look judged."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.errors import Rejected, Unreachable
from core.failpoints import failpoint
from core.lifecycle.transition import ATOM
from core.ports.cluster import Watch
from core.ports.store import Transaction
from core.promotion import Promotion, PromotionEvent
from core.records.desired_state import DesiredState
from core.records.line import Line
from core.records.observation import Diagnosis, Observation
from core.records.pod_sample import PodSample
from core.records.progress import Progress, Settling
from core.redaction import Redactor
from core.rollout.blindness import ask, asks, with_sight
from core.rollout.effects import Effects, RolloutPorts, StageTimeout, StalePromotion, ensure_current
from core.rollout.judging import Judging
from core.rollout.sampling import Sampler, counts_of, stage_of
from core.rollout.settling import NO_EARLIER_PODS, EarlierPods
from core.rollout.verdict import TAKEN, Verdict
from core.rollout.watched_time import WatchedTime

# How often watched time is saved without anything to tell; a crash loses no more than this of a window.
SAVE_SECONDS = 10.0
# What is seen is told at once after a pause, and at most so often while much happens: a card is not edited more often either
# (engine rule 39), and a transaction a look would cost a rollout of ten pods dozens.
TELL_SECONDS = 5.0
# What is awaited is kept on the card, and said as a line only after five minutes without one (contract 7).
QUIET_SECONDS = 300.0
# By so much the moment on the card may be wrong: what could not be watched puts a countdown off.
DRIFT_SECONDS = 5.0
# Looks come a moment late, and time that nobody watched does not count: by so much the end of a window may move unsaid.
MOVED = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutcome:
    """How a stage ended, with what the next one must know."""

    event: PromotionEvent
    cause: str
    diagnosis: Diagnosis | None
    nothing_ran: bool
    blameless: bool
    progress: Progress


class Verifier:
    """Follows one stage, forward or back, of one promotion."""

    def __init__(self, ports: RolloutPorts, effects: Effects, watch: Watch, redact: Redactor) -> None:
        self._ports = ports
        self._effects = effects
        self._watch = watch
        self._redact = redact
        # What was seen and is not stored yet; it outlives a stage that a cancel ends.
        self._lines: list[Line] = []
        self._samples = Sampler()
        self._said_at = self._saved_at = self._seen_at = ports.clock.monotonic()
        self._told_at = float("-inf")

    async def until_verdict(
        self,
        promotion: Promotion,
        target: DesiredState,
        *,
        earlier_pods: EarlierPods = NO_EARLIER_PODS,
        unchanged: bool = False,
    ) -> StageOutcome:
        """Watch until the stage has succeeded, failed or is overdue.

        Args:
            promotion: in Updating or Rollback, with the progress that an earlier life has saved.
            target: what must become ready.
            earlier_pods: pods of the target that had stood their settle window before the promotion.
            unchanged: the applies changed nothing.

        Raises:
            StalePromotion: a person cancelled it or took over.
        """
        judging = self._judging(promotion, target, earlier_pods, unchanged=unchanged)
        saved = progress = promotion.progress
        while True:
            verdict, seen = await judging.look(progress)
            verdict = self._shown(verdict, progress.settling, seen)
            progress = await self._asked(promotion, verdict.progress)
            verdict = replace(verdict, progress=progress)
            self._see(promotion, progress, seen)
            # What has succeeded is written by the transaction that says so.
            if verdict.event is not PromotionEvent.VERIFIED:
                saved = await self._record(promotion, saved, verdict)
            if verdict.event is not None:
                return _ended(verdict.event, verdict)

    async def taken(self, promotion: Promotion, target: DesiredState) -> str:
        """Look once, and return what somebody else has made of the target, "" where nothing.

        Raises:
            StalePromotion: a person cancelled it or took over.
        """

        async def look() -> Observation:
            await self._watch.wait_for_sync()
            seen = await self._watch.fresh()
            if not seen.synced:
                # It tells of no service, which must not be taken for nothing that has changed.
                raise Unreachable(seen.blind or "the cluster does not answer")
            return seen

        self._watch.aim(target)
        try:
            limit = promotion.progress.watched + promotion.limits.pending
            seen = await self._effects.retry(promotion, look, limit=limit)
        except (Rejected, StageTimeout):
            # What is sent next meets the same, and says so.
            return ""
        finally:
            self.rest()
        return next(
            (self._redact(d.sentence) for s in seen.services for d in s.diagnoses if d.kind in TAKEN), ""
        )

    async def until_due(self, promotion: Promotion, target: DesiredState) -> StageOutcome:
        """Watch until the countdown is over, or somebody rolls out something else.

        Args:
            promotion: in Countdown; whatever becomes of its pods, the verdict on them has been given.
            target: what of it was applied.

        Raises:
            StalePromotion: a person decided before.
        """
        judging = self._judging(promotion, target, NO_EARLIER_PODS)
        saved = progress = promotion.progress
        while True:
            verdict, seen = await judging.look(progress, only=(PromotionEvent.SUPERSEDED,))
            verdict = self._shown(verdict, progress.settling, seen)
            progress = await self._asked(promotion, verdict.progress)
            verdict = replace(verdict, progress=progress)
            self._see(promotion, progress, seen)
            saved = await self._record(promotion, saved, verdict)
            if verdict.event is not None:
                return _ended(verdict.event, verdict)
            if await self._is_due(promotion, progress):
                return _ended(PromotionEvent.DUE, verdict)

    async def _is_due(self, promotion: Promotion, progress: Progress) -> bool:
        """Tell whether the countdown is over, as it is by now; what its card says of when is kept true."""
        current = await self._ports.store.read.promotion(promotion.id)
        countdown = current.countdown
        assert countdown is not None, "it began with one"
        left = countdown.until - progress.watched
        if left <= 0:
            return True
        at = self._ports.clock.now() + timedelta(seconds=left)
        if abs((at - countdown.at).total_seconds()) >= DRIFT_SECONDS:
            async with self._ports.store.transaction() as tx:
                current = await ensure_current(tx, promotion)
                if current.countdown == countdown:
                    shown = replace(
                        current, countdown=replace(countdown, at=at), revision=current.revision + 1
                    )
                    await tx.save_promotion(shown, was=current.phase)
            self._ports.announcer.wake()
        return False

    def _judging(
        self,
        promotion: Promotion,
        target: DesiredState,
        earlier_pods: EarlierPods,
        *,
        unchanged: bool = False,
    ) -> Judging:
        self._watch.aim(target)
        return Judging(
            watch=self._watch,
            time=WatchedTime(self._ports.clock, self._ports.blind),
            target=target,
            limits=promotion.limits,
            earlier_pods=earlier_pods,
            unchanged=unchanged,
        )

    async def _asked(self, promotion: Promotion, progress: Progress) -> Progress:
        """Ask a person where it is time; that it was done is stored with the message, so no restart asks again."""
        looked = self._ports.clock.monotonic() - self._seen_at
        if not asks(progress, self._ports.clock.now(), looked):
            return progress
        asked = replace(progress, blind_asked=True)
        async with self._ports.store.transaction() as tx:
            current = await ensure_current(tx, promotion)
            await ask(tx, current)
            await tx.save_progress(current.id, asked, was=current.phase, revision=current.revision + 1)
        self._ports.announcer.wake()
        return asked

    def _shown(self, verdict: Verdict, before: Settling | None, seen: Observation) -> Verdict:
        """Make ready what is stored and shown of a verdict: no values of the environments (engine rule 17), and when a window ends."""
        judged, now = verdict.progress, self._ports.clock.now()
        if seen.synced:
            self._seen_at = self._ports.clock.monotonic()
        progress = judged.awaiting(self._redact(judged.waiting), timed(judged.settling, before, now))
        progress = with_sight(progress, seen=seen.synced, now=now)
        return replace(verdict, progress=progress, cause=self._redact(verdict.cause))

    def rest(self) -> None:
        """Judge nothing until the next stage: what is applied for it would look like somebody else's work."""
        self._watch.aim(None)

    async def drain(self) -> None:
        """Take in what has come up to now, so that a phase line stands after it: see `write_lines`."""
        seen = await self._watch.next(0.0)
        self._lines += self._clean(seen.lines)

    async def write_lines(self, tx: Transaction, promotion: Promotion) -> None:
        """Store the lines and samples that are not stored yet, in a transaction that has found the promotion current."""
        await tx.add_lines(promotion.id, self._lines)
        await tx.add_samples(promotion.id, self._samples.waiting)

    def end_stage(self) -> None:
        """A transaction moves the promotion on: the last look belongs to the samples, whatever has changed since."""
        self._samples.close()

    def told(self) -> None:
        """Forget what a transaction has stored, once it is committed."""
        self._lines.clear()
        self._samples.stored()

    def _see(self, promotion: Promotion, progress: Progress, seen: Observation) -> None:
        now = self._ports.clock.monotonic()
        stage = stage_of(promotion.phase)
        if seen.synced and (counts := counts_of(seen.services, stage)):
            self._samples.see(PodSample(at=self._ports.clock.now(), stage=stage, services=counts))
        lines = [*self._clean(seen.lines), *self._quiet_line(progress, bool(seen.lines), now)]
        self._said_at = now if lines else self._said_at
        self._lines += lines

    async def _record(self, promotion: Promotion, saved: Progress, verdict: Verdict) -> Progress:
        """Save what is new, where it is time; return what is saved. It notices that somebody has moved the promotion."""
        shown, now = verdict.progress, self._ports.clock.monotonic()
        news = _shown(shown) != _shown(saved)
        told = bool(self._lines) or news
        must = verdict.event is not None or _marks(shown) != _marks(saved)
        due = (told and now - self._told_at >= TELL_SECONDS) or now - self._saved_at >= SAVE_SECONDS
        if not (must or due):
            await self._check(promotion)
            return saved
        async with self._ports.store.transaction() as tx:
            current = await ensure_current(tx, promotion)
            await self.write_lines(tx, promotion)
            revision = current.revision + (1 if news else 0)
            await tx.save_progress(promotion.id, shown, was=promotion.phase, revision=revision)
        self.told()
        failpoint("verify.after_lines")
        self._saved_at = now
        if told:
            self._told_at = now
            self._ports.announcer.wake()
        return shown

    async def _check(self, promotion: Promotion) -> None:
        phase, token = await self._ports.store.read.phase_and_token(promotion.id)
        if phase is not promotion.phase or token != promotion.token:
            raise StalePromotion(f"{promotion.id} is {phase}")

    def _clean(self, lines: tuple[Line, ...]) -> list[Line]:
        return [replace(line, text=self._redact(line.text)) for line in lines]

    def _quiet_line(self, progress: Progress, others: bool, now: float) -> list[Line]:
        if others or not progress.waiting or now - self._said_at < QUIET_SECONDS:
            return []
        at: datetime = self._ports.clock.now()
        return [Line(at=at, object=ATOM, text=progress.waiting, key=f"waiting:{at.isoformat()}")]


def timed(settling: Settling | None, before: Settling | None, now: datetime) -> Settling | None:
    """Say of a window when it ends; a moment that has hardly moved since the last look is no news.

    Args:
        settling: the window, with what is left of it.
        before: what the last look said.
        now: of this look.
    """
    if settling is None:
        return None
    until = now + timedelta(seconds=settling.left)
    earlier = before.until if before and before.service == settling.service else None
    moved = earlier is None or abs(until - earlier) >= MOVED
    return replace(settling, until=until if moved else earlier)


def _ended(event: PromotionEvent, verdict: Verdict) -> StageOutcome:
    return StageOutcome(
        event=event,
        cause=verdict.cause,
        diagnosis=verdict.diagnosis,
        nothing_ran=verdict.nothing_ran,
        blameless=verdict.blameless,
        progress=verdict.progress,
    )


def _shown(progress: Progress) -> tuple[object, ...]:
    """Return what the card tells of it."""
    return progress.services, progress.waiting, progress.settling


def _marks(progress: Progress) -> tuple[object, ...]:
    """Return what a restart must find: what restarts are counted from, what was complete once, first sights of trouble.

    Since when a pod has run and been ready may be saved later: what is lost of it makes a window longer, never shorter.
    """
    baselines = {uid: pod.baseline for uid, pod in progress.pods.items() if pod.baseline is not None}
    excused = {uid: pod.excused for uid, pod in progress.pods.items() if pod.excused}
    return baselines, excused, progress.complete.keys(), progress.suspects.keys()


def evidence_line(text: str, at: datetime, diagnosis: Diagnosis) -> Line:
    """Return the block of log lines that proves a cause, as it stands in the thread and in a terminal."""
    block = f"last log lines of {diagnosis.pod}:\n" + "\n".join(f"  {row}" for row in text.splitlines())
    return Line(at=at, object=diagnosis.pod, text=block, key=f"evidence:{diagnosis.pod_uid}", kind="evidence")
