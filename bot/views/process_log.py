"""The last lines of processes: as Convox prints them, as a file, and as much of them as one message takes."""

from collections.abc import Sequence
from dataclasses import replace

from bot.views.answers import Answer, AnswerFile
from bot.views.mrkdwn import escape
from bot.views.times import stamp
from core.actor import Actor
from core.records.line import Line
from core.records.process_log import ProcessLine
from core.sentence import CommandLine, Sentence
from core.usecases.process_viewer import AppLog

# Beside them the answer says why there is no file, and how to see the rest.
MOST_CHARS = 2800


def log_text(lines: Sequence[ProcessLine]) -> str:
    """Return `<RFC 3339> service/<service>/<process> <text>` for each line."""
    return "\n".join(_row(line) for line in lines)


def _row(line: ProcessLine) -> str:
    when = f"{stamp(line.at)} " if line.at else ""
    return f"{when}service/{line.service}/{line.process} {line.text}"


def last_rows(text: str) -> tuple[str, int]:
    """Return as many of the last rows as one message takes, and how many are left out."""
    rows, kept, left = text.split("\n"), 0, MOST_CHARS
    for row in reversed(rows):
        left -= len(escape(row)) + 1
        if left < 0:
            break
        kept += 1
    # A row that is too long by itself is cut where it is shown.
    kept = kept or 1
    return "\n".join(rows[-kept:]), len(rows) - kept


def nothing_written(what: str, since: int | None, containing: str) -> str:
    """Say that there is no such line; the text that was looked for is not repeated."""
    when = f" in the last {since} s" if since is not None else ""
    which = " with this text" if containing else ""
    return f"{what} has written no line{which}{when}"


def log_answer(text: str, what: str, seen: AppLog, actor: Actor, typed: str) -> Answer:
    """Return lines as a file in the thread of the app's newest promotion, and beside it as much as a message takes."""
    shown, left = last_rows(text)
    rest = f"{left} earlier line{'' if left == 1 else 's'} not shown; all of them, from a terminal: convox-bot do {typed}"
    answer = Answer(text=shown, warnings=seen.log.notes, hint=rest if left else "", whole=typed)
    card = seen.card
    if card is None or card.ts is None or card.failed or card.closed_channel:
        return replace(answer, warnings=(*answer.warnings, f"{what} has no thread in a channel for a file"))
    many = text.count("\n") + 1
    lines = f"the last {many} line{'' if many == 1 else 's'} of {what}"
    return replace(
        answer,
        file=AnswerFile(
            name=f"{what}.log",
            text=text,
            channel=card.channel,
            thread=card.ts,
            comment=Sentence.of(f"{lines}, for ", actor),
            said=f"{lines} {'are' if many > 1 else 'is'} a file in the thread of {card.subject}",
        ),
    )


def failure_answer(stored: Line | None, app: str, promotion: str, typed: str) -> Answer:
    """Return what was stored of a failure, and how to see what runs now."""
    now = Sentence.of("what runs now: ", CommandLine(f"logs -a {app}"))
    if stored is None:
        said = f"no log was stored of {promotion}: what ended it stands in its thread"
        return Answer(text=said, code=False, hint=now)
    return Answer(text=stored.text, hint=now, whole=typed)
