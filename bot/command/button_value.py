"""A command as the value of a button, and back: a click is then read, judged and answered as what is typed.

The value is the revision that the button was shown at, a blank, and the command's text as Slack would deliver it:
`7 approve PABCDEFGHIJ`. The revision tells what the person had before them: the state at the click counts, but nobody approves
what was added since. Slack takes 2,000 characters.
"""

import re

from bot.command.commands import Command
from bot.command.lexer import encode

_VALUE = re.compile(r"([0-9]+) (.+)", re.DOTALL)


def value_of(command: Command, revision: int) -> str:
    """Return the value of the button that means this command."""
    return f"{revision} {encode(command.typed)}"


def text_of(value: str) -> str | None:
    """Return the text of a button's command, as if it had been typed; None where the value is none of ours."""
    found = _VALUE.fullmatch(value)
    return found[2] if found else None


def revision_of(value: str) -> int | None:
    """Return the revision that a button was shown at; None where the value is none of ours."""
    found = _VALUE.fullmatch(value)
    return int(found[1]) if found else None
