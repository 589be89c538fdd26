"""The sentences of a card: who asked, what changes, how far it is, what went wrong and how to go on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.command.commands import (
    Approve,
    Cancel,
    CancelApp,
    Command,
    Decline,
    ListReleases,
    Promote,
    ReleaseInfo,
    Restart,
    Rollback,
    Snooze,
    Stop,
)
from bot.views.card_outlook import listed, outlook_lines
from bot.views.mrkdwn import approver, clip, date, inline, prose, time_of_day
from bot.views.times import spoken
from core.actor import Actor
from core.lifecycle.approvals import open_seats
from core.lifecycle.image_changes import image_changes
from core.lifecycle.outcome import idle_services, unproved
from core.lifecycle.outlook import NO_OUTLOOK, Outlook
from core.policy.authorization import ApprovalRule, Rules, named
from core.policy.rules import GROUP
from core.promotion import GOING_BACK, UNSUCCESSFUL, WAITING, Phase, Promotion
from core.records.approval import Approval
from core.records.build import Build, BuildEntry, is_pinned
from core.records.environment import difference
from core.records.release import Release, ReleaseEntry
from core.records.waits_for import WaitsFor
from core.sentence import EMPTY_SENTENCE, CommandLine, Sentence

# Below this a pause is no news.
QUIET = 30
# Notes, and ways from outside, that a card has room for; `releases info` tells all notes.
MOST_NOTES = 8
# Releases that were never promoted, of which each goes out with this one: what stands on a card must be read.
MOST_ALONG = 5
# Changes of images that a line names; services that change alike are one.
MOST_IMAGES = 6
ON_HOLD = frozenset({Phase.REVERTED, Phase.FAILURE, Phase.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardContext:
    """Everything that a card is told from.

    Attributes:
        previous: the release that was active when it was asked for, to name what changes; None if unknown.
        old_build: that release's build.
        source: of a rollback, the release that it goes back to.
        name: how people are shown.
        notes: of which keys of its manifest nothing comes.
        live: its app still runs its release, as far as the records know; `active`: the release that it runs.
        spares_build: what holds the release says nothing of its build.
        outlook: what promoting it will come to, of a card that waits.
        groups: group id → user ids, of those that the policy names.
        last_log: the row of the failed pod's log that tells most, "" where there is none.
    """

    promotion: Promotion
    release: Release
    build: Build | None
    previous: Release | None
    approvals: Sequence[Approval]
    rules: Rules
    now: datetime
    name: Callable[[Actor], str]
    old_build: BuildEntry | None = None
    source: ReleaseEntry | None = None
    notes: Sequence[str] = ()
    live: bool = False
    active: str | None = None
    outlook: Outlook = NO_OUTLOOK
    last_log: str = ""
    spares_build: bool = False
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)


def above(context: CardContext) -> list[str]:
    """Say what stands right under the first line: what became of it, what is awaited, who must act."""
    return [line for part in (_outcome, _waits, _awaited, _asked_seats) for line in part(context)]


def below(context: CardContext) -> list[str]:
    """Say everything else, most important first, one thought a line."""
    # What it changes is for whoever decides on it or watches it go out; once it goes back that is no news.
    going = context.promotion.phase in UNSUCCESSFUL
    changing = () if going else (_changes, _along, _outlook, _cautions, _notes)
    return [line for part in (_routes, _given, *changing, _after) for line in part(context)]


def cause(context: CardContext) -> Sentence:
    """Return why it failed, for a card that says so; nothing where it did not, or where a person has stopped it only."""
    p = context.promotion
    by_hand = p.phase is Phase.SUPERSEDED and not p.superseded_by
    return p.cause if p.phase in UNSUCCESSFUL or p.phase in ON_HOLD or by_hand else EMPTY_SENTENCE


def commands(context: CardContext) -> list[str]:
    """Say how to do without buttons what may be done next."""
    p = context.promotion
    if p.phase is Phase.AWAITING_APPROVAL:
        return [f"or type: {_typed(Approve(promotion=p.id))} or {_typed(Decline(promotion=p.id), ' REASON')}"]
    if p.phase in {Phase.SCHEDULED, Phase.COUNTDOWN} or (p.in_flight and p.phase not in UNSUCCESSFUL):
        return [_stopping(p)]
    if p.phase is Phase.RUNNING and (back := way_back(p)):
        return [back]
    if p.phase in {Phase.FAILURE, Phase.STOPPED} or (p.phase is Phase.SUPERSEDED and not p.superseded_by):
        return [any_way_back(p)]
    if p.phase in {Phase.REFUSED, Phase.DECLINED, Phase.EXPIRED}:
        return [f"to ask again: {_again(p)}"]
    return []


def _stopping(p: Promotion) -> str:
    """Say how to stop what waits, rolls out, or is about to go back."""
    if p.phase is Phase.COUNTDOWN:
        now, never, later = (_typed(each(promotion=p.id)) for each in (Cancel, Stop, Snooze))
        return f"or type: {now} (back now), {never} (stays as it is) or {later} (later)"
    return f"to stop it: {_typed(Cancel(promotion=p.id) if p.phase is Phase.SCHEDULED else CancelApp(app=p.app))}"


def _again(p: Promotion) -> str:
    return _typed(restart_of(p) if p.restarts else Promote(app=p.app, release=p.release))


def restart_of(p: Promotion) -> Restart:
    """Return how a restart is typed; where some of the services were meant, it is one of them."""
    return Restart(app=p.app, service=p.restarts[0] if len(p.restarts) == 1 else None)


def any_way_back(p: Promotion) -> str:
    """Say how to replace what runs, where nobody knows a release to go back to or somebody has rolled out something else."""
    if p.phase in {Phase.STOPPED, Phase.FAILURE} and p.kind == "promote" and p.back_to:
        return f"to go back: {_typed(Rollback(app=p.app, release=p.back_to))}"
    back = _line(f"releases rollback RELEASE -a {p.app}")
    if p.phase is Phase.SUPERSEDED and p.kind == "promote":
        again = _typed(Promote(app=p.app, release=p.release, overwrite=True))
        return f"to replace what somebody has set by hand: {again}, or {back}"
    why = (
        "to go back"
        if p.phase in {Phase.FAILURE, Phase.STOPPED}
        else "to replace what somebody has set by hand"
    )
    return f"{why}: {back}, with a RELEASE from {_typed(ListReleases(app=p.app))}"


def way_back(p: Promotion) -> str:
    """Say how to leave a release that is live; after a rollback there is no more to say, for that was going back."""
    if p.kind == "rollback" or p.restarts:
        return ""
    return f"to go back: {_typed(Rollback(app=p.app, release=p.back_to))}" if p.back_to else ""


def changes(context: CardContext) -> str:
    """Return one plain sentence of what approving changes, for a dialog."""
    p = context.promotion
    known = [f"{p.release} is rolled out to {p.app}"]
    if context.previous:
        keys = difference(context.previous.environment, context.release.environment)
        same = context.previous.build == context.release.build
        known += ["the same build as now" if same else f"build {context.release.build}"]
        images = len(_images(context))
        known += [f"{images} image{'s' if images != 1 else ''} changed"] if images else []
        known += [f"{len(keys)} variable{'s' if len(keys) != 1 else ''} changed"]
    return ", ".join(known) + "."


def _typed(command: Command, rest: str = "") -> str:
    return _line(f"{command.typed}{rest}")


def _line(words: str) -> str:
    return prose(Sentence.of(CommandLine(words)))


def _outcome(context: CardContext) -> Iterable[str]:
    """Say what went wrong, and what was or is being done about it."""
    p = context.promotion
    going = p.phase in UNSUCCESSFUL or p.phase in ON_HOLD
    if going and p.cancelled_by:
        yield f"cancelled by {context.name(p.cancelled_by)}"
    if p.phase in GOING_BACK:
        yield _going_back(p)
    yield from _counted_down(context)
    if p.phase is Phase.REVERTED and p.restarts:
        yield f"{p.app} runs as before the restart"
    elif p.phase is Phase.REVERTED and p.back_to and not p.removed:
        yield f"{p.app} runs {inline(p.back_to)} again"
    if p.phase is Phase.REVERTED and (p.removed or not p.back_to):
        yield "what it had created is removed: there was no release to go back to"
    if p.phase is Phase.RUNNING:
        yield from proof(p)
    if p.phase is Phase.FAILURE:
        yield "not rolled back: look at the app now, then roll back or promote a release that is good"
    yield from _said(context)


def _counted_down(context: CardContext) -> Iterable[str]:
    """Say when it goes back, or that somebody has stopped that."""
    p = context.promotion
    if p.phase is Phase.COUNTDOWN and p.countdown:
        yield f"{_would_go_back(p)} at {time_of_day(p.countdown.at)}, unless somebody stops that"
    if p.phase is Phase.STOPPED:
        by = context.name(p.stopped_by) if p.stopped_by else "somebody"
        yield f"stopped by {by}: nothing goes back by itself, {p.app} stays as it is now until a person goes on"


def _would_go_back(p: Promotion) -> str:
    if p.restarts:
        return "the processes of before the restart are brought back"
    return f"it goes back to {inline(p.back_to)}" if p.back_to else "what it created is removed"


def _waits(context: CardContext) -> Iterable[str]:
    """Say what it waits for, beside its approvals."""
    p = context.promotion
    if p.waits_for is None or p.phase not in WAITING:
        return
    match p.waits_for:
        case WaitsFor(what="time", at=datetime() as at):
            yield f"starts {date(at)}"
        case WaitsFor(what="window", at=datetime() as at):
            yield f"starts when the freeze ends, as far as is known {date(at)}"
        case WaitsFor(what="window"):
            yield "starts when the freeze ends"
        case _:
            yield f"starts when nothing else of {p.app} rolls out"
    if p.binding and p.binding.follows:
        active = p.binding.active
        shown = [inline(active) if active else "nothing", *map(inline, p.binding.follows)]
        yield f"goes out over whichever is active by then: {' or '.join(shown)}"


def proof(p: Promotion) -> Iterable[str]:
    """Say of a live release what nothing has proved, and what became of its first pods (engine rule 35)."""
    if p.progress.first_pods:
        yield clip(p.progress.first_pods, 500)
    elif idle := idle_services(p.progress):
        loud, _, rest = unproved(idle, p.release, nothing_ran=p.nothing_ran).partition(": ")
        yield f"*{loud}*: {clip(rest, 500)}"


def _going_back(p: Promotion) -> str:
    if p.removed:
        return "what it created is being removed: there is no release to go back to"
    if p.kind == "rollback":
        return "a rollback is not rolled back by itself"
    if p.restarts:
        return "the processes of before the restart are brought back"
    return f"going back to {inline(p.back_to)}" if p.back_to else "there is no release to go back to"


def _said(context: CardContext) -> Iterable[str]:
    """Say who ended it before or beside the rollout, and why."""
    p = context.promotion
    if p.phase is Phase.DECLINED:
        by = context.name(p.declined_by) if p.declined_by else "somebody"
        yield f"declined by {by}" + (f": “{clip(p.reason, 300)}”" if p.reason else "")
    if p.phase is Phase.REFUSED and p.cancelled_by:
        yield f"cancelled by {context.name(p.cancelled_by)}, nothing was changed"
    elif p.phase is Phase.REFUSED:
        yield f"nothing was changed: {clip(p.reason or p.cause or 'no reason is known', 500)}"
    if p.phase is Phase.SUPERSEDED and p.superseded_by:
        by = f", asked for by {context.name(p.taken_over_by)}" if p.taken_over_by else ""
        yield f"{inline(p.superseded_by)} took its place{by}"
    elif p.phase is Phase.SUPERSEDED:
        yield "nothing more was changed: what runs now is not what was promoted"
    if p.phase is Phase.EXPIRED:
        yield "nobody approved it in time"


def _awaited(context: CardContext) -> Iterable[str]:
    """Say what is awaited and for how long; a window that is watched ends at a time of day, which every reader sees in their zone."""
    p = context.promotion
    if not (p.in_flight and p.progress.waiting):
        return
    settling = p.progress.settling
    if settling and settling.until:
        yield f"{inline(settling.service)} is complete, watching until {time_of_day(settling.until)}"
        return
    quiet = 0 if settling else int(p.progress.watched - p.progress.moved) // QUIET * QUIET
    patience = p.progress.patience or p.limits.deadline
    limit = f" (no progress for {spoken(quiet)}, at most {spoken(patience)})" if quiet else ""
    yield f"{clip(p.progress.waiting, 300)}{limit}"


def _routes(context: CardContext) -> Iterable[str]:
    """Say where a live release is reached, and what has not been picked up by anybody."""
    if context.promotion.phase is not Phase.RUNNING:
        return
    told = (*context.promotion.progress.routes, *context.promotion.progress.unrouted)
    yield from (clip(each, 300) for each in told[:MOST_NOTES])
    if (more := len(told) - MOST_NOTES) > 0:
        yield f"and {more} more ways from outside"


def _asked_seats(context: CardContext) -> Iterable[str]:
    """Say who still must approve, and who has: while it waits, nothing is more urgent."""
    p = context.promotion
    if p.phase is not Phase.AWAITING_APPROVAL:
        return
    rule = _rule(context)
    ask = context.rules.ask or ""
    # A channel is told by a message of its own.
    asked = rule.people or ((ask,) if ask.startswith(GROUP) else ())
    people = [approver(named(who)) for who in asked[:10]]
    whom = f"one of {', '.join(people)}" if people else "somebody who may approve"
    # Without an answer of Slack who is in which group is not known, and no seat counts as filled by its people.
    left, seats = seats_left(context)
    if seats:
        shown = ["/".join(approver(named(who)) for who in seat) for seat in dict.fromkeys(seats)]
        whom = f"one of {', '.join(shown)}" if left == 1 else f"one each of {', '.join(shown)}"
    needs = f"{left} more approval{'s' if left > 1 else ''}"
    yield f"needs {needs}, by {whom}" + ("" if rule.requester else ", not by the person who asked")
    yield from _approved(context)


def seats_left(context: CardContext) -> tuple[int, list[tuple[str, ...]]]:
    """Return how many approvals are missing, and the seats of the policy that are empty."""
    return open_seats(context.promotion, _rule(context), context.approvals, context.groups)


def _given(context: CardContext) -> Iterable[str]:
    """Say who approved it, once that is past."""
    if context.promotion.phase is not Phase.AWAITING_APPROVAL:
        yield from _approved(context)


def _approved(context: CardContext) -> Iterable[str]:
    yes = [f"{context.name(a.actor)} {date(a.at)}" for a in context.approvals if a.decision == "approve"]
    if yes:
        yield f"approved by {', '.join(yes[:5])}" + (f" and {len(yes) - 5} more" if len(yes) > 5 else "")


def _rule(context: CardContext) -> ApprovalRule:
    """Return the rule whose seats are to be filled: a rollback may need promote's (engine rule 8)."""
    rollback = context.rules.rollback
    own = context.promotion.kind == "rollback" and rollback.count == context.promotion.approvals_needed
    return rollback if own else context.rules.promote


def _changes(context: CardContext) -> Iterable[str]:
    """Say what is new against the release that runs: names, never values."""
    if context.previous is None or context.promotion.settled:
        return
    if images := _images(context):
        yield f"images: {clip(listed(images, MOST_IMAGES), 300)}"
    keys = difference(context.previous.environment, context.release.environment)
    if keys:
        yield f"variables: {clip(str(keys), 300)}"


def _images(context: CardContext) -> tuple[str, ...]:
    if context.old_build is None or context.build is None:
        return ()
    return image_changes(context.old_build.images, context.build.images)


def _outlook(context: CardContext) -> Iterable[str]:
    """Say what is to come of it, of a card that waits."""
    return outlook_lines(context.promotion, context.outlook)


def _along(context: CardContext) -> Iterable[str]:
    """Say what goes out although nobody asked for it."""
    along = () if context.promotion.settled else context.promotion.along
    yield from (clip(each, 300) for each in along[:MOST_ALONG])
    if len(along) > MOST_ALONG:
        yield f"and {len(along) - MOST_ALONG} more like this"


def _cautions(context: CardContext) -> Iterable[str]:
    """Say what makes this promotion riskier than others."""
    p = context.promotion
    loose = sorted(
        name
        for name, image in (context.build.images if context.build else {}).items()
        if not is_pinned(image)
    )
    if loose and not p.settled:
        yield f"*not pinned*: {clip(', '.join(loose), 200)} (an image by tag can change after it was approved)"
    if context.build and context.build.reused and not p.settled:
        yield f"*tag used before*: {clip(', '.join(context.build.reused), 200)} (each pod pulls it anew as it starts)"
    yield from asked_beside(p)


def asked_beside(p: Promotion) -> Iterable[str]:
    """Say what a promotion does beside what its release changes, and what it goes through: what approvers have to know."""
    if p.force and not p.settled:
        yield "takes over whatever is rolling out (--force)"
    if p.overwrite and not p.settled:
        yield "takes away what others have set by hand (--overwrite)"
    for caution in p.cautions:
        if not p.settled:
            yield clip(caution, 300)
    if p.break_glass:
        yield f"*broke the glass*: “{clip(p.break_glass, 200)}”"
    for passed in p.through:
        yield f"although {clip(passed, 300)}"
    if p.anyway:
        yield f"was on hold, promoted anyway: “{clip(p.anyway, 200)}”"


def _notes(context: CardContext) -> Iterable[str]:
    """Say what approvers would not expect of the manifest: keys of which nothing comes, and data that lasts."""
    for note in context.notes[:MOST_NOTES]:
        yield f"note: {clip(note, 300)}"
    if len(context.notes) > MOST_NOTES:
        yield f"more on the manifest: {_typed(ReleaseInfo(app=context.promotion.app, release=context.promotion.release))}"


def _after(context: CardContext) -> Iterable[str]:
    for remark in context.promotion.progress.remarks:
        yield clip(remark, 300)
    if context.promotion.progress.clearing:
        yield clip(context.promotion.progress.clearing, 500)
    yield from after(context.promotion, spares_build=context.spares_build)


def after(p: Promotion, *, spares_build: bool) -> Iterable[str]:
    """Say what a failed promotion leaves behind: what is on hold, and what nobody undid."""
    if p.phase not in ON_HOLD:
        return
    if p.restarts:
        yield f"{inline(p.release)} is not on hold: a restart changes no release; to restart it again: {_again(p)}"
        return
    if p.blameless:
        yield f"{inline(p.release)} did nothing wrong and is not on hold; to promote it again: {_typed(Promote(app=p.app, release=p.release))}"
    else:
        # Its button asks for the reason; the flag is for whoever knows what it does, and is taught by no card (contract 9.4).
        again = "" if p.kind == "rollback" else "; Promote again… on its card asks why"
        build = "its build is not" if spares_build else "its build with it unless that was good before"
        yield f"{inline(p.release)} is on hold, and {build}{again}"
    yield "not undone: what it did outside the cluster, such as migrations"
