"""Every state of a card side by side: without it nobody would see how the rare ones read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.playground.build_sheet import build_sheet
from bot.views.answers import Answer, slack_answer
from bot.views.card import card
from bot.views.digest import digest
from bot.views.releases import release_list
from core.actor import Actor
from core.lifecycle.outlook import NO_OUTLOOK, Outlook
from core.lifecycle.release_diff import ReleaseDiff
from core.policy.authorization import ApprovalRule, Rules
from core.promotion import Phase, Promotion
from core.records.app import App
from core.records.approval import Approval
from core.records.binding import Binding
from core.records.build import Build
from core.records.bundle import Ref
from core.records.countdown import Countdown
from core.records.environment import Difference, Environment
from core.records.progress import Completion, Progress, Settling
from core.records.release import Release
from core.records.waits_for import WaitsFor
from core.sentence import Sentence

ALICE, BOB = Actor("slack", "U01ALICE", "alice"), Actor("slack", "U02BOB", "bob")
CAUSE = "worker exits with code 1 right after its start, restarted twice"
LOG_ROW = "KeyError: 'STRIPE_KEY'"
RULES = Rules(promote=ApprovalRule(count=2, people=("U02BOB",)))


# What is known of it fills the card most.
APPROVER_KNOWS = "Waits, with all that is to come"
BINDING = Binding(bundle="", active="RZYXWVUTSRQ", prune=(Ref("Deployment", "mailer"),), namespace=None)


def card_sheet(now: datetime) -> list[dict[str, Any]]:
    """Return a title and the payload of each state, in the order in which a promotion may come to it."""
    return [
        *(
            {
                "title": title,
                **_card(promotion, now, _outlook(now) if title == APPROVER_KNOWS else NO_OUTLOOK),
            }
            for title, promotion in card_states(now)
        ),
        *build_sheet(now),
        {"title": "Very many at once", **_many(now)},
        {"title": "A list", **_list(now)},
    ]


def _many(now: datetime) -> dict[str, Any]:
    """Return the message that tells of all rollouts of a channel, two of each state after the start."""
    begun = [promotion for _, promotion in (*_on_the_way(now), *_ended(now))]
    named = [replace(promotion, app=f"app-{number:02}") for number, promotion in enumerate([*begun, *begun])]
    return digest([(promotion, "") for promotion in named])


def card_states(now: datetime) -> Iterator[tuple[str, Promotion]]:
    """Yield each state under its title."""
    yield from _before(now)
    yield from _on_the_way(now)
    yield from _ended(now)


def _before(now: datetime) -> Iterator[tuple[str, Promotion]]:
    waiting = _asked(now)
    yield "Waits for approval", waiting
    along = (Sentence.of("also: build BOTHERBUILD by ", BOB, ", never promoted"),)
    down = "db is down from when the rest is verified until its new process is ready"
    yield "Waits, with what an approver must know", replace(waiting, along=along, cautions=(down,))
    yield APPROVER_KNOWS, replace(waiting, binding=BINDING)
    yield "A rollback that waits", replace(waiting, kind="rollback")
    later = WaitsFor(what="time", at=now + timedelta(hours=3))
    yield "Scheduled", replace(waiting, phase=Phase.SCHEDULED, waits_for=later)
    yield "Queued", replace(waiting, phase=Phase.SCHEDULED, waits_for=WaitsFor(what="free"))
    frozen = WaitsFor(what="window", at=now + timedelta(hours=9))
    yield "Waits for the freeze to end", replace(waiting, phase=Phase.SCHEDULED, waits_for=frozen)
    said = Sentence.of("not before the campaign")
    yield "Declined", replace(waiting, phase=Phase.DECLINED, declined_by=BOB, reason=said, settled_at=now)
    yield "Expired", replace(waiting, phase=Phase.EXPIRED, settled_at=now)
    changed = Sentence.of("Deployment/web is paused: `kubectl rollout resume deployment/web` lets it go on")
    yield "Refused", replace(waiting, phase=Phase.REFUSED, reason=changed, settled_at=now)
    yield (
        "Cancelled before it began",
        replace(waiting, phase=Phase.REFUSED, cancelled_by=ALICE, settled_at=now),
    )
    newer = replace(waiting, superseded_by="RNEWERONEXX", taken_over_by=BOB)
    yield "Superseded by a newer one", replace(newer, phase=Phase.SUPERSEDED, settled_at=now)


def _on_the_way(now: datetime) -> Iterator[tuple[str, Promotion]]:
    rolling = _started(now)
    yield "Starting", replace(rolling, phase=Phase.PENDING, progress=Progress())
    yield "Rolling out", rolling
    settling = Settling(service="web", seconds=20.0, until=now + timedelta(seconds=18))
    complete = {name: Completion(at=1.0, pods=1) for name in ("web", "worker")}
    whole = Progress(services={"web": (2, 2), "worker": (1, 1)}, complete=complete)
    watched = whole.awaiting("web is complete, watching for 20 s", settling)
    yield "Watching", replace(rolling, progress=watched)
    rolling = replace(rolling, progress=replace(rolling.progress, waiting=""))
    failed = replace(rolling, cause=Sentence.of(CAUSE))
    counting = Countdown(until=120.0, at=now + timedelta(seconds=45))
    yield "Has failed, about to go back", replace(failed, phase=Phase.COUNTDOWN, countdown=counting)
    yield "Has failed, goes back", replace(failed, phase=Phase.ERROR)
    late = Sentence.of("no progress for 600 s: web: 1 of 2 new pods are ready")
    yield "Is overdue, goes back", replace(failed, phase=Phase.DEADLINE, cause=late)
    yield "Cancelled, goes back", replace(rolling, phase=Phase.CANCELLED, cancelled_by=BOB)
    yield "The way back is applied", replace(failed, phase=Phase.ROLLBACK)
    first = replace(failed, phase=Phase.ROLLBACK, back_to=None, removed=True)
    yield "A first release is removed", first


def _ended(now: datetime) -> Iterator[tuple[str, Promotion]]:
    whole = Progress(services={"web": (2, 2), "worker": (1, 1)}, routes=("web: https://web.store.example",))
    ended = replace(_started(now), settled_at=now, progress=whole)
    yield "Live", replace(ended, phase=Phase.RUNNING)
    idle = replace(ended, nothing_ran=True, progress=Progress(services={"web": (0, 0)}))
    yield "Live, and nothing of it ran", replace(idle, phase=Phase.RUNNING)
    failed = replace(
        ended, cause=Sentence.of(CAUSE), progress=Progress(services={"web": (2, 2), "worker": (0, 1)})
    )
    yield "Rolled back", replace(failed, phase=Phase.REVERTED)
    yield (
        "Cancelled, rolled back",
        replace(failed, phase=Phase.REVERTED, cancelled_by=BOB, cause=Sentence.of("")),
    )
    yield "Removed", replace(failed, phase=Phase.REVERTED, back_to=None, removed=True)
    by_hand = Sentence.of("somebody deleted Deployment/web")
    yield (
        "Rolled back, not by its fault",
        replace(failed, phase=Phase.REVERTED, blameless=True, cause=by_hand),
    )
    yield "Needs a person", replace(failed, phase=Phase.FAILURE)
    yield "Stopped on its way back", replace(failed, phase=Phase.STOPPED, stopped_by=BOB)
    other = Sentence.of("kubectl-set changed the image of web")
    yield "Superseded by hand", replace(ended, phase=Phase.SUPERSEDED, cause=other)


def _asked(now: datetime) -> Promotion:
    return Promotion(
        id="PABCDEFGHIJ",
        app="store",
        release="RABCDEFGHIJ",
        phase=Phase.AWAITING_APPROVAL,
        requested_by=ALICE,
        requested_at=now - timedelta(minutes=9),
        approvals_needed=2,
        expires_at=now + timedelta(minutes=51),
        back_to="RZYXWVUTSRQ",
    )


def _started(now: datetime) -> Promotion:
    waiting = "web: 1 of 2 new pods are ready"
    progress = Progress(services={"web": (1, 2), "worker": (1, 1)}, watched=95.0, moved=20.0, waiting=waiting)
    at = now - timedelta(minutes=2)
    return replace(_asked(now), phase=Phase.UPDATING, started_at=at, touched_at=at, progress=progress)


def _release(now: datetime, ident: str, build: str, what: str, **variables: str) -> Release:
    return Release(
        id=ident,
        app="store",
        sequence=1,
        build=build,
        environment=Environment(tuple(variables.items())),
        description=what,
        created_at=now - timedelta(hours=3),
        created_by=ALICE,
    )


def _releases(now: datetime) -> tuple[Release, Release]:
    old = _release(now, "RZYXWVUTSRQ", "BZYXWVUTSRQ", "build 4be1d20 list orders", LOG="info")
    new = _release(now, "RABCDEFGHIJ", "BABCDEFGHIJ", "build 9f3c2a1 fix the cart", LOG="debug", CARTS="2")
    return old, new


def _outlook(now: datetime) -> Outlook:
    """Return what is known of a release that has failed before."""
    failed = replace(_started(now), phase=Phase.REVERTED, cause=Sentence.of(CAUSE), settled_at=now)
    changed = {Ref("Deployment", name): ("spec",) for name in ("web", "worker")}
    nothing = Difference((), (), ())
    objects = ReleaseDiff(
        builds=(None, None), images={}, environment=nothing, manifest=(), added=(Ref("Ingress", "web"),), changed=changed
    )  # fmt: skip
    return Outlook(objects=objects, opened=("https://web.store.example",), earlier=failed)


def _card(promotion: Promotion, now: datetime, outlook: Outlook) -> dict[str, Any]:
    old, new = _releases(now)
    build = Build(
        id="BABCDEFGHIJ",
        app="store",
        manifest="services: {web: {image: web}}",
        images={"web": "registry.example/web:9f3c2a1"},
        git_sha="9f3c2a1" + "0" * 33,
        repository="https://github.com/example/store",
        release=new.id,
        started_at=now,
        ended_at=now,
        created_by=ALICE,
    )
    return card(
        promotion,
        app=App(name="store", created_at=now, created_by=ALICE, active_release=new.id if promotion.phase is Phase.RUNNING else old.id),
        release=new,
        build=build,
        previous=old,
        old_build=replace(build, id="BZYXWVUTSRQ", images={"web": "registry.example/web:4be1d20"}, git_sha="4be1d20" + "0" * 33),
        outlook=outlook,
        approvals=[Approval(promotion=promotion.id, actor=BOB, decision="approve", at=now - timedelta(minutes=3))],
        rules=RULES,
        now=now,
        last_log=LOG_ROW,
        plans=True,
    )  # fmt: skip


def _list(now: datetime) -> dict[str, Any]:
    old, new = _releases(now)
    return slack_answer(Answer(text=release_list([new, old], old.id, now)), tables=True)
