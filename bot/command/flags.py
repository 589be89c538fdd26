"""Takes the flags out of a command's words; without it every command would look for `-a` by itself."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from bot.command.lexer import DASHES, MARKERS, Word, plain, shown
from core.errors import Invalid
from core.sentence import CommandLine, Sentence

VALUES = {
    "app": "an app",
    "limit": "a number",
    "anyway": "a reason",
    "break-glass": "a reason",
    "at": "a time",
    "build-from": "a release",
    "env-from": "a release",
    "env": "then or now",
    "release": "a release",
    "description": "a text",
    "yes": "the app's name",
    "service": "a service",
    "count": "a number",
    "since": "a duration",
    "in": "a duration",
    "filter": "a text",
    "of": "a promotion",
    "git": "an address",
    "ref": "a branch, a tag or a commit",
    "manifest": "a path",
    "build-args": "KEY=VALUE",
}
# Given as often as wanted; their values stand in one, with this between them, which no line holds.
REPEATED, BETWEEN = ("build-args",), "\0"
SWITCHES = (
    "force",
    "overwrite",
    "queue",
    "promote",
    "replace",
    "id",
    "reveal",
    "ask",
    "help",
    "no-cache",
    "only-newest",
    "use-active-release-build",
    "use-active-release-env",
)
KNOWN = (*VALUES, *SWITCHES)
SHORT = {
    "a": "app",
    "d": "description",
    "l": "limit",
    "m": "manifest",
    "p": "promote",
    "h": "help",
    "s": "service",
}
_DASHED = re.compile(f"[{DASHES}]+")


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: its long name, its value (None where none was given) and the word it was read from."""

    name: str
    value: str | None
    word: Word


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line: the arguments without their flags, in order, and the flags."""

    words: tuple[Word, ...]
    flags: Mapping[str, Flag]


def read(words: Sequence[Word], free: Mapping[str, Sequence[str]]) -> Typed:
    """Tell flags from arguments.

    Args:
        words: The words of a command.
        free: First words of commands that take free text, with the flags they have: whatever else begins with
            a dash there is text.

    Raises:
        Invalid: a flag lacks its value, or two different values are given.
    """
    sorted_words = list(_sorted(list(words), free))
    flags: dict[str, Flag] = {}
    for flag in (word for word in sorted_words if isinstance(word, Flag)):
        if flag.name in REPEATED:
            given = [each.value or "" for each in (flags.get(flag.name), flag) if each]
            flags[flag.name] = Flag(flag.name, BETWEEN.join(given), flag.word)
            continue
        if flag.name in VALUES and flags.setdefault(flag.name, flag).value != flag.value:
            raise Invalid(f"--{flag.name} is given twice", hint="leave one of them out")
        flags[flag.name] = flag
    return Typed(tuple(word for word in sorted_words if isinstance(word, Word)), flags)


def _sorted(words: Sequence[Word], free: Mapping[str, Sequence[str]]) -> Iterator[Word | Flag]:
    """Yield arguments and flags in order; `--` ends the flags."""
    at, first, given = 0, "", 0
    while at < len(words):
        word, at = words[at], at + 1
        text = _flag_text(word.text)
        # In the middle of a sentence a lone dash is a dash, unless it is two plain ones.
        if text == "--" and word.text != "--" and first in free and given > 1:
            text = None
        if text == "--":
            yield from (replace(each, literal=True) for each in words[at:])
            return
        name, value = _name(text) if text else ("", None)
        if text is None or name not in free.get(first, (name,)):
            first, given = first or plain(word.text).lower(), given + 1
            yield word
            continue
        if name in VALUES and value is None:
            value = _next(words[at : at + 1], text, name)
            at += 1
        yield Flag(name, value, word)


def _flag_text(text: str) -> str | None:
    """Return `--name[=value]` or `-n[value]` with typographic dashes undone, or None for an argument."""
    bare = text.lstrip(MARKERS)
    dashes = _DASHED.match(bare)
    if dashes is None or bare == "-":
        return None
    rest = bare[dashes.end() :]
    rest = rest.rstrip(MARKERS) if bare != text else rest
    if not rest:
        return "--"
    name = rest.partition("=")[0]
    # Keyboards make an en dash of one dash and an em dash of two.
    single = dashes[0] in {"-", "–"}
    return ("-" if len(name) == 1 or (single and name.lower() not in KNOWN) else "--") + rest


def _name(text: str) -> tuple[str, str | None]:
    name, equals, value = text.lstrip("-").partition("=")
    if text.startswith("--"):
        return plain(name).lower(), value if equals else None
    letter = SHORT.get(name[:1].lower(), name)
    if len(name) > 1 and letter in VALUES:  # `-l5`, as everywhere
        return letter, text[2:]
    return (letter if len(name) == 1 else name), value if equals else None


def _next(following: Sequence[Word], flag: str, name: str) -> str:
    if not following or _flag_text(following[0].text) is not None:
        raise Invalid(f"{flag} needs {VALUES[name]}", hint=_example(name))
    return following[0].text


def _example(name: str) -> str:
    return {
        "app": "as in: -a myapp",
        "limit": "as in: -l 20",
        "anyway": 'as in: --anyway "the registry is back"',
        "break-glass": 'as in: --break-glass "checkout is down"',
        "at": "as in: --at 2026-01-31T14:00Z",
        "build-from": "as in: --build-from RABCDEFGHIJ",
        "env-from": "as in: --env-from RABCDEFGHIJ",
        "env": "as in: --env now",
        "release": "as in: --release RABCDEFGHIJ",
        "yes": "as in: --yes myapp",
        "description": 'as in: -d "mend the cart"',
        "service": "as in: -s web",
        "count": "as in: --count 3",
        "since": "as in: --since 10m",
        "in": "as in: --in 1h",
        "git": "as in: --git https://github.com/shop/web",
        "ref": "as in: --ref main",
        "manifest": "as in: -m services/web/convox.yml",
        "build-args": "as in: --build-args NODE_ENV=production",
        "filter": 'as in: --filter "connection refused"',
    }[name]


def known(given: Iterable[Flag]) -> None:
    """Refuse flags that no command has, with the one that was probably meant."""
    for flag in given:
        if flag.name not in KNOWN:
            close = get_close_matches(flag.name, KNOWN, 1)
            raise Invalid(
                f"unknown flag: {shown(flag.word.text)}", hint=f"did you mean --{close[0]}?" if close else ""
            )


def check(given: Iterable[Flag], allowed: Sequence[str], command: str, usage: str) -> None:
    """Refuse flags that this command does not have."""
    for flag in given:
        if flag.name not in allowed:
            raise Invalid(f"{command} has no --{flag.name}", hint=Sentence.of("usage: ", CommandLine(usage)))


def switch(flag: Flag | None) -> bool:
    """Tell whether a switch is on; `--force=false` is off, as in Convox.

    Raises:
        Invalid: its value is neither true nor false.
    """
    if flag is None:
        return False
    value = "true" if flag.value is None else plain(flag.value).lower()
    if value not in {"true", "false"}:
        raise Invalid(
            f"--{flag.name} is either given or not", hint=f"write it without a value: --{flag.name}"
        )
    return value == "true"
