"""How the commands about releases and promotions are given."""

from dataclasses import replace
from typing import Any

from bot.command.arguments import MANY, Arguments
from bot.command.commands import (
    SNOOZE_SECONDS,
    STATS_SECONDS,
    Approve,
    Cancel,
    CheckRelease,
    Command,
    CreateReleaseFrom,
    Decline,
    DiffReleases,
    ListReleases,
    Promote,
    ReleaseHistory,
    ReleaseInfo,
    ReleaseManifest,
    Remind,
    Rollback,
    Snooze,
    Stats,
    Stop,
)
from bot.command.lexer import plain, shown
from bot.command.process_arguments import seconds_of
from bot.command.release_forms import DeclineForm, PromoteForm, RollbackForm
from core.ids import PREFIXES, normalise
from core.sentence import CommandLine, Sentence

SHORTEST_SNOOZE, LONGEST_SNOOZE = 60, 7 * 86_400  # seconds


def list_releases(given: Arguments) -> Command:
    given.count(0, 0)
    return ListReleases(app=given.app, limit=given.limit)


def release_info(given: Arguments) -> Command:
    given.count(1, 1)
    return ReleaseInfo(release=given.id("release"), app=given.app, reveal=given.switch("reveal"))


def release_manifest(given: Arguments) -> Command:
    given.count(1, 1)
    return ReleaseManifest(release=given.id("release"), app=given.app)


def check_release(given: Arguments) -> Command:
    given.count(0, 1)
    return CheckRelease(release=given.id("release") if given.words else None, app=given.app)


def diff_releases(given: Arguments) -> Command:
    """Take the release, or the one to compare with before it."""
    given.count(1, 2)
    *base, release = given.ids("release")
    return DiffReleases(release=release, base=base[0] if base else None, app=given.app)


def release_history(given: Arguments) -> Command:
    given.count(0, 0)
    return ReleaseHistory(app=given.app, limit=given.limit, at=given.at)


def stats(given: Arguments) -> Command:
    given.count(0, 0)
    return Stats(app=given.app, seconds=seconds_of(given, "since") or STATS_SECONDS)


def create_from(given: Arguments) -> Command:
    given.count(0, 0)
    for one, other in (("build-from", "use-active-release-build"), ("env-from", "use-active-release-env")):
        if (one in given.flags) == (
            other in given.flags
        ):  # Convox counts `--use-active-…=false` as given, too
            given.refuse(f"must specify either --{one} or --{other}")
    return CreateReleaseFrom(
        app=given.app,
        build_from=given.id_of("build-from", "release"),
        env_from=given.id_of("env-from", "release"),
        **promotion(given),
    )


def promote(given: Arguments) -> Command:
    at, given = _start(given)
    anyway = _reason(given, "anyway", "the registry is back")
    glass = _reason(given, "break-glass", "checkout is down")
    given.count(0, 1)
    release = given.id("release") if given.words else None
    queue = given.switch("queue")
    if glass is not None and (queue or at):
        given.refuse("--break-glass goes out now", "leave it out, or the time and --queue")
    if queue and (at or given.switch("force")):
        given.refuse("--queue waits for its turn", "leave --force and the time out, or --queue")
    options: dict[str, Any] = {"force": given.switch("force"), "overwrite": given.switch("overwrite")}
    said = anyway is not None or glass is not None or queue or at
    # Without a release it is the newest (contract 5), so a dialog is opened only where it is asked for.
    # In a terminal a release that is named leaves one question at most: why it goes out although it is on hold.
    if not said and _asks(given, in_terminal=release is not None):
        return PromoteForm(app=given.app, release=release, **options)
    return Promote(
        at=at,
        queue=queue,
        release=release,
        app=given.app,
        anyway=anyway,
        break_glass=glass,
        **options,
    )


def _reason(given: Arguments, flag: str, example: str) -> str | None:
    """Return what a flag gives as the reason, None where it is not given."""
    value = given.value(flag)
    if value is None:
        return None
    reason = " ".join(plain(value).split())
    if not reason:
        given.refuse(f"--{flag} needs a reason", f'as in: --{flag} "{example}"')
    if any(normalise("release", plain(word.text)) is None for word in given.words):
        given.refuse(
            f"only the first word after --{flag} was taken as the reason",
            f'put the whole reason in quotes: --{flag} "{example}"',
        )
    return reason


def _start(given: Arguments) -> tuple[str | None, Arguments]:
    """Take `at TIME` off the end of the words; which moment that is depends on who asks."""
    words = [plain(word.text) for word in given.words]
    place = next((n for n, word in enumerate(words[:2]) if word.lower() == "at"), None)
    if place is None:
        return None, given
    time = " ".join(words[place + 1 :])
    if not time:
        given.refuse("at needs a time", "as in: at 18:00, at tomorrow 9:00, at 2026-12-01T18:00Z")
    return time, replace(given, words=given.words[:place])


def rollback(given: Arguments) -> Command:
    given.count(0 if given.slack else 1, 1)
    release = given.id("release") if given.words else None
    if _asks(given) or release is None:
        return RollbackForm(app=given.app, release=release)
    variables = plain(given.value("env") or "then").lower()
    if variables not in {"then", "now"}:
        given.refuse(
            f"not then or now: {shown(variables)}",
            "`then` takes the variables of the release that it goes back to, `now` keeps those that run",
        )
    forced = given.switch("force")
    warnings = ("--force is not needed: a rollback always takes over what is running",) if forced else ()
    return Rollback(
        release=release,
        app=given.app,
        variables="now" if variables == "now" else "then",
        warnings=warnings,
    )


def _asks(given: Arguments, *, in_terminal: bool = False) -> bool:
    """Tell whether the rest is to be asked for: in a dialog, which only Slack has, or by a question where that is enough."""
    if given.switch("ask") and not (given.slack or in_terminal):
        given.refuse("--ask opens a dialog, and a terminal has none", "say it all in the command")
    return given.switch("ask")


def approve(given: Arguments) -> Command:
    given.count(1, 1)
    return Approve(promotion=given.id("promotion"), app=given.named_app)


def decline(given: Arguments) -> Command:
    given.count(1, MANY)
    rest = given.words[1:]
    if _asks(given) and not rest:
        return DeclineForm(promotion=given.id("promotion"), app=given.named_app)
    # One word is taken without its quotes, several as they were typed: "no" and 'do not say "no"'.
    reason = rest[0].text if len(rest) == 1 else " ".join(word.raw for word in rest)
    return Decline(promotion=given.id("promotion"), reason=" ".join(reason.split()), app=given.named_app)


def remind(given: Arguments) -> Command:
    given.count(1, 1)
    after = seconds_of(given, "in")
    if after is not None and not SHORTEST_SNOOZE <= after <= LONGEST_SNOOZE:
        given.refuse(
            f"not in {after} s", "a reminder can wait for a minute at least and for a week at most: --in 1h"
        )
    return Remind(promotion=given.id("promotion"), after=after, app=given.named_app)


def cancel(given: Arguments) -> Command:
    word = plain(given.words[0].text) if given.words else ""
    if len(given.words) < 2 and not any(normalise(kind, word) for kind in PREFIXES):
        # Typed in a hurry: what is meant is whatever the app rolls out.
        sentence = f"not a promotion id: {shown(word)}" if word else "1 arg required"
        given.refuse(
            sentence, Sentence.of(CommandLine("apps cancel [APP]"), " stops whatever is rolling out")
        )
    given.count(1, 1)
    return Cancel(promotion=given.id("promotion"), app=given.named_app)


def stop(given: Arguments) -> Command:
    given.count(1, 1)
    return Stop(promotion=given.id("promotion"), app=given.named_app)


def snooze(given: Arguments) -> Command:
    given.count(1, 2)
    promotion = given.id("promotion")
    seconds = given.seconds(given.words[1].text) if len(given.words) > 1 else SNOOZE_SECONDS
    return Snooze(promotion=promotion, seconds=seconds, app=given.named_app)


def promotion(given: Arguments) -> dict[str, Any]:
    """Return how a release that is just made goes out, if it does."""
    promote, overwrite = given.switch("promote"), given.switch("overwrite")
    if overwrite and not promote:
        given.refuse("--overwrite is of a promotion", "add --promote")
    return {"promote": promote, "overwrite": overwrite}
