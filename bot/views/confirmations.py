"""What is said when something was done, in Convox's words."""

from collections.abc import Iterable

from bot.prefixes import typed
from bot.views.times import spoken
from core.lifecycle.freezing import FrozenApp
from core.lifecycle.visibility import MAY_NOT_POST, UNSEEN
from core.policy.authorization import named
from core.promotion import Phase, Promotion
from core.sentence import Channel, CommandLine, Hyperlink, Sentence, TimeOfDay
from core.usecases.build_queue import QueuedBuild
from core.usecases.environment_registrar import ComposedRelease
from core.usecases.reminders import RemindResult
from core.usecases.scaler import ScaleResult


def setting(keys: Iterable[str], release: str) -> str:
    return f"Setting {_names(keys)}... OK\nRelease: {release}"


def unsetting(keys: Iterable[str], release: str) -> str:
    return f"Unsetting {_names(keys)}... OK\nRelease: {release}"


def building(build: str, release: str) -> str:
    return f"Build: {build}\nRelease: {release}"


def editing(keys: Iterable[str], release: str) -> str:
    """Say that all variables were written anew, and which of them have another value."""
    return f"Editing {_names(keys) or 'variables'}... OK\nRelease: {release}"


NO_CHANGES = "No changes"


def nothing_to_promote(app: str) -> Sentence:
    newest = CommandLine(f"releases promote -a {app}")
    return Sentence.of("no release was made, so nothing is promoted: ", newest, " takes the newest")


def to_be_entered(typed: str) -> str:
    """Say to whoever shows no form that nothing was done yet, and what takes one."""
    return f"nothing was done yet: `convox-bot do {typed}` reads what is still to be entered"


def composing(made: ComposedRelease) -> str:
    """Say what a release was made of, as Convox's `releases create-from` does."""
    return (
        f"Using build from release: {made.build_from}\nUsing env from release: {made.env_from}\n"
        f"Created release: {made.release.id}"
    )


def _names(keys: Iterable[str]) -> str:
    return ", ".join(sorted(set(keys)))


def promoting(release: str) -> str:
    return f"Promoting {release}..."


def scheduled(promotion: Promotion) -> Sentence | None:
    """Say when something starts that waits for more than its approvals; None where it does not."""
    waits = promotion.waits_for
    if waits is None:
        return None
    if waits.at is None:
        return Sentence.of(
            f"Queued {promotion.release}: it starts when nothing else of {promotion.app} rolls out"
        )
    return Sentence.of(f"Scheduled {promotion.release}: it starts at ", TimeOfDay(waits.at))


def restarting(promotion: Promotion) -> str:
    return f"Restarting {', '.join(promotion.restarts)}..."


def rolling_back(target: str, release: str) -> str:
    """Say that `release` was made from `target` and is on its way."""
    return f"Rolling back to {target}... OK, {release}"


def scaling(made: ScaleResult) -> str:
    return f"Scaling {made.service}... OK"


def scaled(made: ScaleResult) -> str:
    """Say what has become of a count: nobody waits for the processes, and no verdict is given on them."""
    if made.before == made.count:
        return f"{made.service} was to have {made.count} already: nothing was changed"
    return f"{made.service} was to have {made.before} and is to have {made.count} now; `ps` shows them come and go"


def cancelling(app: str) -> str:
    return f"Cancelling deployment of {app}... OK"


def starting_build(queued: QueuedBuild) -> Sentence:
    """Say that a build was asked for, and how it is followed."""
    build, app = queued.run.id, queued.run.app
    waits = f"\n{queued.ahead} of {app}'s builds come before it" if queued.ahead else ""
    then = "\nIts release is promoted once it is built" if queued.run.request.promote else ""
    show = CommandLine(f"builds logs {build} -a {app}")
    return Sentence.of(f"Starting build... OK\nBuild: {build}{waits}{then}\nIts log: ", show)


def keeping_token(host: str) -> str:
    return f"Keeping the token for {host}... OK"


def forgetting_token(host: str) -> str:
    return f"Forgetting the token for {host}... OK"


def cancelling_build(build: str) -> str:
    return f"Cancelling build {build}... OK"


def retrying_build(earlier: str, build: str, ahead: int) -> str:
    """Say that a build was asked for once more, and how many of its app come before it."""
    waits = f", {ahead} ahead of it" if ahead else ""
    return f"Retrying build {earlier}... OK, {build}{waits}"


def stopping(promotion: Promotion) -> str:
    return f"Stopping {promotion.id}... OK\nNothing of {promotion.app} goes back by itself: it stays as it is until a person goes on"


def snoozing(promotion: Promotion, seconds: float) -> str:
    return f"Snoozing {promotion.id} for {spoken(seconds)}... OK"


def creating(app: str, administrator: str | None = None) -> str:
    """Say that an app was created, with the command for an administrator where the bot may not make its namespace."""
    text = f"Creating {app}... OK"
    if administrator is None:
        return text
    return f"{text}\nIts namespace is not mine to create. An administrator runs:\n{administrator}"


def locking(app: str, *, locked: bool) -> str:
    return f"{'Locking' if locked else 'Unlocking'} {app}... OK"


def freezing(made: FrozenApp) -> Sentence:
    return Sentence.of(f"Freezing {made.app}... OK\n", made.sentence)


def unfreezing(app: str) -> str:
    return f"Unfreezing {app}... OK"


def deleting(app: str) -> str:
    return f"Deleting {app}... OK"


LEFT_OF_AN_APP = (
    "what it ran is being removed; its namespace, with Secrets and volumes, is left to an administrator. "
    "Its records stay: `apps create` with the same name brings them back"
)


def logging_in(host: str) -> str:
    return f"Logging in at {host}... OK"


def logging_out(host: str) -> str:
    return f"Logging out of {host}... OK"


def linking(app: str) -> str:
    return f"Linking {app} to this channel... OK"


def unlinking(app: str) -> str:
    return f"Unlinking {app}... OK"


def approving(promotion: Promotion, missing: int) -> str:
    """Say that an approval was counted, and how many more are needed."""
    text = f"Approving {promotion.id}... OK"
    if missing > 0:
        return f"{text}\n{missing} more approval{'s are' if missing > 1 else ' is'} needed"
    return f"{text}\nPromoting {promotion.release}..."


def reminding(done: RemindResult) -> Sentence:
    """Say who was reminded, or when they will be."""
    text = f"Reminding {done.promotion.id}... OK\n"
    if done.due_at is not None:
        return Sentence.of(text, "they are reminded at ", TimeOfDay(done.due_at), ", if it still waits then")
    if done.channel is not None:
        return Sentence.of(text, Channel(done.channel), " is told again")
    return Sentence.of(text, "reminded: ", Sentence.join(", ", map(named, done.whom)))


def declining(promotion: Promotion) -> str:
    return f"Declining {promotion.id}... OK"


def waiting(promotion: Promotion) -> Sentence:
    """Say that a promotion does not start before it is approved, where that is done, and how without buttons."""
    many = f"{promotion.approvals_needed} approval{'s' if promotion.approvals_needed > 1 else ''}"
    where = Sentence.of(Channel(promotion.channel), ", or ") if promotion.channel else ""
    return Sentence.of(f"Waiting for {many}: ", where, CommandLine(f"approve {promotion.id}"))


def already_waiting(promotion: Promotion) -> Sentence:
    """Say that the release waits already, and where."""
    where = Sentence.of(" in ", Channel(promotion.channel)) if promotion.channel else ""
    for_what = "its approval"
    if promotion.phase is Phase.SCHEDULED and promotion.waits_for:
        for_what = _AWAITED[promotion.waits_for.what]
    return Sentence.of(
        f"{promotion.release} already waits: {promotion.id}", where, f", for {for_what}; asked for by ",
        promotion.requested_by,
    )  # fmt: skip


_AWAITED = {"time": "its time", "free": "its turn", "window": "the end of the freeze"}


CAME_TOO_LATE = "it waits as it was asked for first, without --force, --overwrite or the reason: somebody has approved it so"


def card_elsewhere(channel: str, url: str) -> Sentence:
    """Say where a promotion is followed that was asked for somewhere else; without an address while it is not posted."""
    where = Sentence.of("its card is in ", Channel(channel))
    return Sentence.of(where, ": ", Hyperlink(url, "open it")) if url else where


def card_undelivered(app: str, channel: str, why: str) -> Sentence:
    """Say that the card of a promotion will hardly be seen, and what to do."""
    said = f" did not take the last card of {app} ({why}): invite me there, or link another channel"
    return Sentence.of(Channel(channel), said)


# What has become of a channel, by Slack's error.
_CLOSED = {
    "is_archived": "is archived",
    "not_in_channel": "is closed to me, since I was taken out of it",
    "channel_not_found": "is gone, or closed to me",
    "message_not_found": "has lost its card twice",
    **{word: "takes no message of mine any more" for word, why in UNSEEN.items() if why == MAY_NOT_POST},
}


def told_directly(channel: str, why: str) -> Sentence:
    """Say to the requester why the rest of a promotion is told to them."""
    return Sentence.of(Channel(channel), f" {_closed(why)}, so the rest is told to you here")


def thread_ended(promotion: str, channel: str, why: str) -> Sentence:
    """Say elsewhere that people saw only a part of the app's last promotion, and what to do."""
    mended = ": link another channel, or let me in again" if why in UNSEEN else ""
    return Sentence.of(
        Channel(channel), f" {_closed(why)}, so the thread of {promotion} ended early there{mended}"
    )


def _closed(why: str) -> str:
    return _CLOSED.get(why, f"takes no more of it ({why})")


def no_card(app: str) -> str:
    """Say to somebody at a terminal why nothing will be seen in Slack of a promotion, and what is typed there."""
    return f"No card in Slack: {app} has no channel. Link one there: {typed(f'link {app}', 'slack')}"
