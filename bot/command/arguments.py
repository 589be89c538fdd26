"""What a command was given, and the questions its rule asks; without it each command would count and check anew."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NoReturn

from bot.command.flags import Flag, switch
from bot.command.lexer import Word, plain, shown
from core.errors import Invalid
from core.ids import PREFIXES, normalise
from core.sentence import CommandLine, Sentence

MOST_ROWS = 1000
# Of words, where there may be any number.
MANY = 10_000
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(r"([0-9]{1,7})([smhd])")
LONGEST_DURATION = 30 * 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Arguments:
    """What one command was given, with the questions that its rule asks of it."""

    usage: str
    words: tuple[Word, ...]
    flags: Mapping[str, Flag]
    linked_app: str | None
    slack: bool

    def count(self, least: int, most: int) -> None:
        """Refuse a wrong number of arguments in Convox's words."""
        many = len(self.words)
        if least <= many <= most:
            return
        if least == most:
            self.refuse(f"{least} arg{'' if least == 1 else 's'} required" if least else "no args expected")
        if many < least:
            self.refuse(f"at least {least} arg{'' if least == 1 else 's'} required")
        self.refuse(f"no more than {most} arg{'' if most == 1 else 's'} expected")

    def refuse(self, sentence: str, hint: str | Sentence = "") -> NoReturn:
        raise Invalid(
            sentence, hint=Sentence.of(hint, "; " if hint else "", "usage: ", CommandLine(self.usage))
        )

    def switch(self, name: str) -> bool:
        return switch(self.flags.get(name))

    def value(self, name: str) -> str | None:
        flag = self.flags.get(name)
        return flag.value if flag else None

    @property
    def named_app(self) -> str | None:
        """The app that `-a` names, or None."""
        given = self.value("app")
        return (self.checked_app(given).lower() or None) if given is not None else None

    def checked_app(self, given: str) -> str:
        """Return a name of an app as it was typed."""
        return self.checked(given, "a name of an app")

    def checked(self, given: str, what: str) -> str:
        """Return a word as it was typed, which may not be a value in the wrong place: an answer repeats it; nor a flag, which typed again it would be."""
        name = plain(given)
        if "=" in name or name.startswith("-") or not name.isprintable():
            self.refuse(f"not {what}: {shown(name)}")
        return name

    @property
    def app(self) -> str:
        """The app that `-a` names, else the channel's."""
        app = self.named_app or self.linked_app
        if app is None:
            link = (", or link this channel: ", CommandLine("link APP")) if self.slack else ()
            raise Invalid(Sentence.of("which app? add -a APP", *link))
        return app

    def id(self, kind: str) -> str:
        """Return the first argument as an id of that kind."""
        return replace(self, words=self.words[:1]).ids(kind)[0]

    def _other_kind(self, kind: str, given: str) -> str:
        other = next((name for name in PREFIXES if normalise(name, given)), None)
        return f"that is the id of a {other}" if other else f"it is {PREFIXES[kind]} and ten letters"

    def ids(self, kind: str) -> list[str]:
        """Return every argument as an id of that kind."""
        found = []
        for word in self.words:
            given = plain(word.text)
            each = normalise(kind, given)
            if each is None:
                self.refuse(f"not a {kind} id: {shown(given)}", self._other_kind(kind, given))
            found.append(each)
        return found

    def id_of(self, flag: str, kind: str) -> str | None:
        """Return the id that a flag names, None where it is not given."""
        given = self.value(flag)
        if given is None:
            return None
        found = normalise(kind, plain(given))
        if found is None:
            self.refuse(f"not a {kind} id: {shown(given)}", self._other_kind(kind, plain(given)))
        return found

    @property
    def at(self) -> datetime | None:
        """The moment that `--at` names; without a zone it is UTC."""
        given = plain(self.value("at") or "")
        if not given:
            return None
        try:
            at = datetime.fromisoformat(given)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse(f"not a time: {shown(given)}", "write it as 2026-01-31T14:00Z")

    def seconds(self, given: str) -> int:
        """Return the seconds of a duration such as `90s`, `10m` or `1h30m`."""
        text = plain(given)
        seconds = sum(int(many) * UNITS[unit] for many, unit in DURATION.findall(text))
        if DURATION.sub("", text) or not 1 <= seconds <= LONGEST_DURATION:
            self.refuse(f"not a duration: {shown(text)}", "write it as 90s, 10m, 2h or 1h30m, at most 30d")
        return seconds

    @property
    def limit(self) -> int:
        given = plain(self.value("limit") or "10")
        if not re.fullmatch(r"[0-9]{1,4}", given) or not 1 <= int(given) <= MOST_ROWS:
            self.refuse(f"not a number of rows: {shown(given)}", f"it is 1 to {MOST_ROWS}")
        return int(given)
