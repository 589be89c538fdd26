"""How the commands about variables are given."""

from collections.abc import Sequence
from typing import Any

from bot.command.arguments import MANY, Arguments
from bot.command.commands import Command, Env, EnvGet, EnvSet, EnvUnset
from bot.command.forms import EnvEdit, EnvSetForm, odd_value
from bot.command.lexer import Word, plain, shown
from bot.command.release_arguments import promotion
from core.records.environment_text import KEY


def env(given: Arguments) -> Command:
    given.count(0, 0)
    return Env(
        app=given.app,
        reveal=given.switch("reveal"),
        release=given.id_of("release", "release"),
        with_id=given.switch("id"),
    )


def env_get(given: Arguments) -> Command:
    given.count(1, 1)
    return EnvGet(key=_key(given, given.words[0]), app=given.app, release=given.id_of("release", "release"))


def env_set(given: Arguments) -> Command:
    given.count(0, MANY)
    if any(word.unclosed for word in given.words):
        given.refuse("a quote is not closed", "put a value that holds a quote in quotes of the other kind")
    replace = given.switch("replace")
    if not given.words:
        return EnvSetForm(replace=replace, **_change(given))
    if len(given.words) == 1 and "=" not in given.words[0].text:
        return EnvSetForm(key=_key(given, given.words[0]), replace=replace, **_change(given))
    wrong = [str(at) for at, word in enumerate(given.words, 1) if not _is_pair(word)]
    if wrong:
        # By place and never by text: an argument that is no pair may be the second half of a password.
        given.refuse(
            f"not KEY=VALUE: argument {', '.join(wrong[:10])}",
            'a key has letters, digits and _ . -; a value with spaces stands in straight quotes: KEY="two words"',
        )
    pairs = tuple(_pair(word) for word in given.words)
    warnings = tuple(_odd_values(given, pairs))
    return EnvSet(pairs=pairs, replace=replace, warnings=warnings, **_change(given))


def env_unset(given: Arguments) -> Command:
    given.count(1, MANY)
    keys = tuple(dict.fromkeys(_key(given, word) for word in given.words))
    return EnvUnset(keys=keys, **_change(given))


def env_edit(given: Arguments) -> Command:
    given.count(0, 0)
    return EnvEdit(**_change(given))


def _change(given: Arguments) -> dict[str, Any]:
    """Return what every change of variables takes."""
    return {
        "app": given.app,
        "release": given.id_of("release", "release"),
        "with_id": given.switch("id"),
        **promotion(given),
    }


def _key(given: Arguments, word: Word) -> str:
    key = plain(word.text, "`*~")
    if not KEY.match(key):
        given.refuse(
            f"not a name of a variable: {shown(key)}",
            "it begins with a letter or _, and has letters, digits and _ . -",
        )
    return key


def _pair(word: Word) -> tuple[str, str]:
    """Split at the first `=`; markers around the whole pair are not part of it, in the value they are."""
    text = word.text
    while len(text) > 2 and text[0] in "`*":
        text = text[1:].removesuffix(text[0])
    key, _, value = text.partition("=")
    return key, value


def _is_pair(word: Word) -> bool:
    return "=" in word.text and KEY.match(_pair(word)[0]) is not None


def _odd_values(given: Arguments, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Warn of values that are perhaps not what was pressed; they name keys, never values."""
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    warnings = [f"{key} is given more than once: the last one counts" for key in twice]
    for (key, value), word in zip(pairs, given.words, strict=True):
        warnings += odd_value(key, value)
        if word.escaped:
            warnings.append(f"{key}: a backslash was read as in a shell; single quotes keep it: {key}='…'")
    return warnings
