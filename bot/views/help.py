"""The help: one screen by section, with examples that can be typed as they stand."""

from collections.abc import Sequence
from typing import Any

from bot.command.grammar import RULES, CommandRule
from bot.prefixes import typed
from bot.views.answers import Answer
from bot.views.tables import GAP
from core.actor import Source
from core.errors import Invalid
from core.sentence import CommandLine, Sentence

_EXAMPLES = ("releases", "releases promote", "env set LOG_LEVEL=debug --promote")
# Columns of a command in the page of all; few are longer.
OUTLINE = 20


def help_text(topic: str, app: str | None, source: Source = "slack") -> Answer:
    """Return the help, or that of the commands which begin with the topic.

    Args:
        topic: Words of a command, or "".
        app: The channel's app, for the examples; None where it has none.
        source: Where it is read: a terminal has no channel to link, and types something else in front.

    Raises:
        Invalid: From a terminal, where the topic is no command: a script must see it by the exit status.
    """
    chosen = [rule for rule in RULES if topic and f"{rule.name} ".startswith(f"{topic} ")]
    if topic and not chosen and source == "http":
        raise Invalid(
            f"no command is called {topic[:60]!r}",
            hint=Sentence.of(CommandLine("help"), " lists the commands"),
        )
    if not chosen:
        unknown = f"no command is called {topic[:60]!r}; these are all of them\n\n" if topic else ""
        flags = (" ", CommandLine("help COMMAND"), " shows its flags.")
        return Answer(
            text=unknown + _everything(app, source),
            hint=Sentence.of(_about_apps(app, source), *flags),
            data=_documents(RULES),
        )
    return Answer(text=_rows(chosen), hint=_about_apps(app, source), data=_documents(chosen))


def _documents(rules: Sequence[CommandRule]) -> list[dict[str, Any]]:
    return [
        {"command": rule.name, "usage": rule.usage, "does": rule.does, "flags": list(rule.flags)}
        for rule in rules
    ]


def _everything(app: str | None, source: Source) -> str:
    groups = dict.fromkeys(rule.help_section for rule in RULES)
    parts = [f"{section}\n{_outlines(section)}" for section in groups]
    examples = "\n".join(f"  {typed(words, source)}{_suffix(app)}" for words in _EXAMPLES)
    return "\n\n".join([*parts, f"Examples\n{examples}"])


def _suffix(app: str | None) -> str:
    return "" if app else " -a myapp"


def _outlines(section: str) -> str:
    """Return the commands of a section without their flags, which would fill a second message."""
    rules = [rule for rule in RULES if rule.help_section == section]
    return "\n".join(f"  {rule.outline.ljust(OUTLINE)}{GAP}{rule.does}" for rule in rules)


def _rows(rules: Sequence[CommandRule]) -> str:
    width = max(len(rule.usage) for rule in rules)
    return "\n".join(f"  {rule.usage.ljust(width)}{GAP}{rule.does}" for rule in rules)


def _about_apps(app: str | None, source: Source) -> str | Sentence:
    if source == "http":
        return "Add -a APP to each command about an app. Link and unlink are typed in Slack, in the channel itself."
    if app:
        return f"This channel's app is {app}; -a APP takes another one."
    once = "Add -a APP to each command, or link an app to this channel once: "
    return Sentence.of(once, CommandLine("link APP"), ".")
