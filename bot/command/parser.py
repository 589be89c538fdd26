"""The grammar of `/convox …`: text in, one typed request or one clear sentence out."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

from bot.command import flags
from bot.command.arguments import Arguments
from bot.command.commands import Command, Help
from bot.command.grammar import BY_NAME, GROUPS, NAMES, RULES, CommandRule
from bot.command.lexer import Word, decode, plain, shown, split
from bot.prefixes import DEFAULT_COMMAND, slash_command
from core.errors import Invalid
from core.sentence import CommandLine, Sentence

# Room for a certificate or two; Slack itself cuts a message far below.
LONGEST_COMMAND = 65_536  # characters


def parse(text: str, *, linked_app: str | None = None, slack: bool = True) -> Command:
    """Return what the text asks for.

    Args:
        text: What stands after `/convox`, or the words of `convox-bot do` joined as by a shell.
        linked_app: The app of the channel, used where no `-a` names one.
        slack: Whether the text came through Slack, so that its encodings must be undone.

    Raises:
        Invalid: it is no command; the sentence says why, the hint what was probably meant.
    """
    if len(text) > LONGEST_COMMAND:
        raise Invalid(f"that is too long: {len(text)} characters, at most {LONGEST_COMMAND}")
    given = split(decode(text) if slack else text)
    if given and plain(given[0].text).lower() in {DEFAULT_COMMAND, "convox", slash_command()}:
        given = given[1:]
    typed = flags.read(given, free={"decline": ("app", "ask")})
    words = typed.words
    flags.known(typed.flags.values())
    rule, rest = _rule(words)
    if "help" in typed.flags:
        return Help(topic=rule.name if words else "")
    flags.check(typed.flags.values(), rule.flags, rule.name, rule.usage)
    return rule.make(Arguments(rule.usage, rest, typed.flags, linked_app, slack))


def hints() -> list[tuple[str, str]]:
    """Return (usage without `/convox`, what it does) of every command, in the order of the help."""
    return [(rule.usage, rule.does) for rule in RULES]


def _rule(words: Sequence[Word]) -> tuple[CommandRule, tuple[Word, ...]]:
    """Return the rule that the words begin with, and the words after that."""
    if not words:
        return BY_NAME["help",], ()
    heads = [plain(word.text).lower() for word in words[:2]]
    rule = BY_NAME.get((*heads,)) if len(heads) == 2 else None
    if rule:
        return rule, tuple(words[2:])
    rule = BY_NAME.get((heads[0],))
    if rule is None or (len(words) > 1 and heads[0] in GROUPS):
        _unknown(heads)
    return rule, tuple(words[1:])


def _unknown(heads: Sequence[str]) -> NoReturn:
    """Say which command was probably meant."""
    typed = shown(" ".join(heads if heads[0] in GROUPS else heads[:1]))
    close = _close(heads)
    if heads[0] == "env" and "=" in heads[-1]:
        close = "env set"
    if close:
        meant = Sentence.of("did you mean: ", CommandLine(BY_NAME[tuple(close.split())].usage))
    else:
        meant = Sentence.of(CommandLine("help"), " lists the commands")
    raise Invalid(f"unknown command: {typed}", hint=meant)


def _close(heads: Sequence[str]) -> str:
    """Return the command that looks most like what was typed, or ""."""
    if heads[0] in GROUPS:
        near = [name for name in NAMES if name.startswith(heads[0] + " ")]
        return next(iter(get_close_matches(" ".join(heads), near, 1, 0.75)), "")
    close = get_close_matches(" ".join(heads), NAMES, 1, 0.75) or get_close_matches(heads[0], NAMES, 1, 0.7)
    # `promote` and `rollbak` are the ends of commands.
    ends = {name.split()[-1]: name for name in reversed(NAMES)}
    close = close or [ends[end] for end in get_close_matches(heads[0], ends, 1, 0.75)]
    return next(iter(close), "")
