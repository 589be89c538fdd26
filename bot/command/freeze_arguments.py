"""How freezes and questions about rights are given: `freeze [APP|*] [from TIME] [until TIME] "reason"`."""

from itertools import takewhile

from bot.command.arguments import Arguments
from bot.command.commands import Command, FreezeApp, ListWaiting, UnfreezeApp, WhoAmI, Why
from bot.command.freeze_forms import FreezeForm
from bot.command.lexer import Word, plain, shown
from core.policy.calendar import ZonedTime, is_zone, parse_time
from core.records.freeze import EVERY_APP

MANY = 10_000
FORMS = "write it as 18:00, Mon 08:00 or 2026-01-31 14:00, with a zone such as Europe/Berlin if it is not yours (in a terminal: if it is not UTC)"


def freeze(given: Arguments) -> Command:
    if given.slack and not given.words:
        return FreezeForm(app=given.app)
    given.count(1, MANY)
    words = list(given.words)
    # The reason is what is left, so a single word is that; an app may be left out where the channel has one.
    named = len(words) > 1 and _keyword(words[0]) not in {"from", "until"} and not words[0].literal
    app = _app(given, words.pop(0)) if named else given.app
    times: dict[str, ZonedTime] = {}
    for word in ("from", "until"):
        if words and _keyword(words[0]) == word:
            times[word], words = _time(given, words[1:])
    reason = words[0].text if len(words) == 1 else " ".join(word.raw for word in words)
    reason = " ".join(reason.split())
    if not reason:
        given.refuse("a freeze needs a reason", 'as in: freeze myapp until Mon 08:00 "the launch"')
    return FreezeApp(app=app, reason=reason, begins=times.get("from"), until=times.get("until"))


def _app(given: Arguments, word: Word) -> str:
    # To the lexer a star is a mark around a word.
    name = word.text.strip() if word.text.strip() == EVERY_APP else given.checked_app(word.text).lower()
    if given.named_app and given.named_app != name:
        given.refuse(
            f"two different apps: {shown(name)} and {shown(given.named_app)}", "leave one of them out"
        )
    return name


def _keyword(word: Word) -> str:
    """Return a word that may begin a time; what stands behind `--` is a reason."""
    return "" if word.literal else plain(word.text).lower()


def _is_reason(rest: list[Word]) -> bool:
    """Tell whether what is behind a time is the reason alone: `freeze myapp until 18:00 -- UTC`, or `"UTC"` in quotes."""
    return rest[0].literal or (len(rest) == 1 and rest[0].quoted)


def _time(given: Arguments, words: list[Word]) -> tuple[ZonedTime, list[Word]]:
    """Return the time that the first words say, as many as can be one, and the words that are left."""
    said = list(takewhile(lambda word: not word.literal, words[:2]))
    texts = {many: " ".join(plain(word.text) for word in said[:many]) for many in (2, 1)}
    found = {many: time for many, text in texts.items() if (time := parse_time(text.rstrip("Zz")))}
    for many, time in found.items():
        rest = words[min(many, len(said)) :]
        utc = texts[many][-1:] in {"Z", "z"}
        if not utc and rest and not _is_reason(rest) and is_zone(zone := plain(rest[0].text)):
            return ZonedTime(time=time, zone=zone), rest[1:]
        return ZonedTime(time=time, zone="UTC" if utc else ""), rest
    return given.refuse(f"not a time: {shown(said[0].text) if said else 'nothing'}", FORMS)


def unfreeze(given: Arguments) -> Command:
    given.count(0, 1)
    return UnfreezeApp(app=_app(given, given.words[0]) if given.words else given.app)


def why(given: Arguments) -> Command:
    given.count(0, 1)
    return Why(app=given.app, release=given.id("release") if given.words else None)


def whoami(given: Arguments) -> Command:
    given.count(0, 0)
    return WhoAmI()


def waiting(given: Arguments) -> Command:
    given.count(0, 0)
    return ListWaiting()
