"""`convox-bot do`: what Slack can do, from a shell and from CI (contract 5)."""

# ruff: noqa: PLC0415 - what few commands need is imported by them: most are over in a blink

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from bot.cli.client import CommandResult, RackClient, is_verdict
from bot.cli.live_line import live_line
from bot.cli.output import fail, notice, prints_json, say, say_verdict, show_document, write
from bot.cli.rack_url import CliError, RackUrl
from bot.cli.screen import harmless
from core.ids import normalise

EXIT_OK, EXIT_ERROR, EXIT_AWAITING_APPROVAL, EXIT_INTERRUPTED = 0, 1, 3, 130
# `Phase.AWAITING_APPROVAL`, as the API says it: where that is defined half a start would go.
AWAITING_APPROVAL = "AwaitingApproval"
# The one word of `do` that is no command of the bot's: it reads the lines of a promotion, from the first one on.
FOLLOW = "follow"


def do(
    words: Sequence[str],
    *,
    wait: bool = True,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Carry out a command and, where it asks for a promotion, follow that to its verdict; or follow any, any number of times.

    Args:
        words: as typed; each reaches the bot exactly.
        wait: stay until the verdict; without it, return once the promotion is asked for.
        pause: how to wait before a lost connection is tried again.

    Returns:
        0 for an answer and for `OK`, 1 for `ERROR:`; without `wait` 3 where an approval is awaited.
    """
    try:
        client = RackClient(rack_of_environment(), pause=pause)
        if words[0] == FOLLOW:
            return _follow(client, _promotion_of(words[1:]))
        text, as_json = _joined(words), prints_json()
        answer = client.command(text, as_json=as_json)
        if answer.form is not None:
            from bot.cli.forms import entered

            answer = client.command(
                text, as_json=as_json, input=entered(answer.form), seen=answer.form.get("seen")
            )
        # With `--id` a script takes standard output for the id and nothing else, as in Convox.
        out = sys.stderr if answer.id and not as_json else sys.stdout
        _say_answer(answer, out)
        if answer.promotion is None:
            return EXIT_OK
        if not wait:
            if not as_json:
                say(f"Promotion: {answer.promotion}\nconvox-bot do {FOLLOW} {answer.promotion}", out)
            return EXIT_AWAITING_APPROVAL if answer.phase == AWAITING_APPROVAL else EXIT_OK
        return _follow(client, answer.promotion, out)
    except CliError as error:
        return complain(error)


def _say_answer(answer: CommandResult, out: TextIO) -> None:
    if prints_json():
        _show_answer(answer)
        return
    if answer.id:
        write(harmless(answer.id, sys.stdout), sys.stdout, end="")
    if answer.text != answer.id:
        say(answer.text, out)


def _show_answer(answer: CommandResult) -> None:
    """Print an answer as a document; what is to be known beside it goes where no answer stands."""
    document = answer.data
    if document is None:
        said = {"release": answer.release, "promotion": answer.promotion, "phase": answer.phase}
        document = {"text": answer.text, **said, **({"id": answer.id} if answer.id else {})}
    show_document(document)
    for note in answer.notes:
        notice(note)


def _promotion_of(words: Sequence[str]) -> str:
    """Return the one promotion id that `follow` takes."""
    found = normalise("promotion", words[0]) if len(words) == 1 else None
    if found is None:
        raise CliError("which promotion?", hint=f"usage: convox-bot do {FOLLOW} PROMOTION")
    return found


def rack_of_environment() -> RackUrl:
    return RackUrl.read(os.environ.get("RACK_URL", ""))


def _joined(words: Sequence[str]) -> str:
    text = shlex.join(words)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CliError(
            "what you typed is not UTF-8 text", hint="values are text; encode others, with base64"
        ) from None
    return text


def _follow(client: RackClient, promotion: str, out: TextIO | None = None) -> int:
    last, stream, as_json = "", out or sys.stdout, prints_json()
    try:
        with live_line(stream) as show:
            for last in client.follow(promotion, notice, as_json=as_json, show=None if as_json else show):
                (say_verdict if not as_json and is_verdict(last) else say)(last, stream)
    except KeyboardInterrupt:
        goes_on = (
            f"{promotion} goes on without this terminal: `convox-bot do {FOLLOW} {promotion}` shows it again,"
            f" `convox-bot do cancel {promotion}` stops it"
        )
        if as_json:
            notice(goes_on)
        else:
            say(f"\n{goes_on}", sys.stderr)
        return EXIT_INTERRUPTED
    ended = json.loads(last)["ending"] if as_json else last
    return EXIT_ERROR if ended.startswith("ERROR:") else EXIT_OK


def complain(error: CliError) -> int:
    """Print why something was not done, and return the exit status."""
    return fail([f"ERROR: {error.sentence}"], EXIT_ERROR, hint=error.hint, text=error.text)
