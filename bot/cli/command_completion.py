"""What may come next in a line of `do`: words of the grammar, flags, and what the rack has where one of those is wanted."""

import re
from collections.abc import Callable, Iterable, Sequence

from bot.command.flags import SHORT, VALUES
from bot.command.grammar import RULES, CommandRule

# What is wanted, by what a flag takes and by how an argument is shown in the grammar.
_BY_VALUE = {"an app": "app", "the app's name": "app", "a release": "release", "a service": "service"}
_BY_ARGUMENT = {
    "APP": "app",
    "APP|*": "app",
    "RELEASE": "release",
    "BUILD": "build",
    "SERVICE": "service",
    "PROMOTION": "promotion",
}
_OUTPUT = ("-o", "--output")
_FOLLOW = "follow"
_ARGUMENT = re.compile(r"[A-Z|*]+")

# Returns what a rack has: of what kind, of which app.
Names = Callable[[str, str | None], Iterable[str]]


def next_words(before: Sequence[str], partial: str, names: Names) -> Iterable[str]:
    """Return what the last word of a line may become.

    Args:
        before: the words of `do` before it.
        partial: what is typed of it.
        names: tells what a rack has.
    """
    typed, values = _sorted(before)
    app = values.get("app")
    if before and (flag := _flag(before[-1])) is not None and flag not in values:
        return _values(flag, app, names)
    rule = max(
        (each for each in RULES if _begins(each, typed)), key=lambda each: len(each.words), default=None
    )
    if partial.startswith("-"):
        return [*(f"--{flag}" for flag in (rule.flags if rule else ())), "--no-wait", "-o"]
    following = [each.words[len(typed)] for each in RULES if _follows(each, typed)]
    if typed == [_FOLLOW]:
        return [*names("promotion", None), *names("promotion of an app", app)]
    return [*following, *([] if typed else [_FOLLOW]), *(_arguments(rule, typed, app, names) if rule else ())]


def _sorted(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words without flags, and the values that flags have been given."""
    typed, values = [], {}
    flag: str | None = None
    for word in words:
        if flag is not None:
            values[flag], flag = word, None
        elif word.startswith("-"):
            flag = _flag(word)
        else:
            typed.append(word)
    return typed, values


def _flag(word: str) -> str | None:
    """Return the flag that takes the next word as its value, by its name."""
    if word in _OUTPUT:
        return "output"
    name = SHORT.get(word.removeprefix("-"), word.removeprefix("--")) if word.startswith("-") else ""
    return name if name in VALUES else None


def _values(flag: str, app: str | None, names: Names) -> Iterable[str]:
    if flag == "output":
        return ["json"]
    if flag == "env":
        return ["now", "then"]
    if flag == "of":
        return names("promotion of an app", app)
    wanted = _BY_VALUE.get(VALUES[flag])
    return names(wanted, app) if wanted else []


def _begins(rule: CommandRule, typed: Sequence[str]) -> bool:
    return list(rule.words) == list(typed[: len(rule.words)])


def _follows(rule: CommandRule, typed: Sequence[str]) -> bool:
    return list(rule.words[: len(typed)]) == list(typed) and len(rule.words) > len(typed)


def _arguments(rule: CommandRule, typed: Sequence[str], app: str | None, names: Names) -> Iterable[str]:
    """Return what the next argument of a command may be."""
    shown = rule.outline.split()[len(rule.words) :]
    at = len(typed) - len(rule.words)
    if at >= len(shown) or not (found := _ARGUMENT.fullmatch(shown[at].strip("[]"))):
        return []
    wanted = "app" if rule.words == ("apps", "delete") else _BY_ARGUMENT.get(found[0])
    return names(wanted, app) if wanted else []
