"""What one person gets back, as a value, and how it is put into a message that Slack takes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.prefixes import typed
from bot.views.mrkdwn import clip, fence, sentence_text
from bot.views.table_block import table_block
from bot.views.tables import Table
from core.errors import UserError
from core.sentence import Sentence

# Slack advises 4 000 characters; the rest is for warnings and the hint.
LIMIT = 3500
_ROOM = 160  # for the line that says what is missing
_MOST_WARNINGS = 5
_PARTIAL = re.compile(r"&[a-z]*$|<[^<>]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFile:
    """What is better read as a file, in the thread of a card.

    Attributes:
        comment: what stands above it there.
        said: what whoever asked is told once it is there.
    """

    name: str
    text: str
    channel: str
    thread: str
    comment: Sentence
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to one request.

    Attributes:
        text: what was asked for, as a terminal shows it; beside a refusal what was done before it.
        refusal: why it was not done, or not all of it; each door puts it into its own words and status.
        code: it is a table or a transcript, shown in a block of code.
        ephemeral: only the person who asked sees it.
        warnings: what they should know about what they typed.
        hint: what they may do next.
        file: what Slack shows as a file instead of the text; where that fails, the text is shown, and why.
        data: the same as `text` in JSON, for whoever asked for that; None where it is no list and no fact.
        whole: the words that show all of it from a terminal, if it can be longer than a message.
        release: the release that was made or is promoted, so that no script reads it out of a sentence; "" for none.
        id: what `--id` asked for: a terminal prints it alone, and the rest beside it.
    """

    text: str | Sentence = ""
    refusal: UserError | None = None
    code: bool = True
    ephemeral: bool = True
    warnings: tuple[str | Sentence, ...] = ()
    hint: str | Sentence = ""
    file: AnswerFile | None = None
    data: Any = None
    whole: str = ""
    release: str = ""
    id: str = ""


def fit(text: str | Sentence, *, whole: str = "", code: bool = False) -> str:
    """Return escaped text of at most LIMIT characters, cut after a row, with a line about the rest.

    A row that is too long by itself is cut where it must be. `code` says that it goes into a block of code.
    """
    rows = sentence_text(text, code=code).split("\n")
    if sum(len(row) + 1 for row in rows) - 1 <= LIMIT:
        return "\n".join(rows)
    kept, left = [], LIMIT - _ROOM
    for row in rows:
        if len(row) + 1 > left:
            break
        kept.append(row)
        left -= len(row) + 1
    if not kept:
        kept.append(clip_row(rows[0], LIMIT - _ROOM))
    return "\n".join([*kept, _rest(len(rows) - len(kept), whole)])


def clip_row(escaped: str, most: int) -> str:
    """Cut one escaped row, never within an entity or a name."""
    return _PARTIAL.sub("", escaped[: most - 1]) + "…"


def _rest(rows: int, whole: str) -> str:
    more = f"{rows} more row{'' if rows == 1 else 's'}" if rows else "the rest of this row is"
    how = typed(clip(whole, 80) if whole else "…", "http")
    return f"… {more} not shown; all of it, from a terminal: {how}"


def slack_answer(answer: Answer, *, tables: bool = False) -> dict[str, Any]:
    """Return the payload for a command's `response_url`; `tables`: the workspace takes lists as tables."""
    text = _with_refusal(answer)
    body = fit(text, whole=answer.whole, code=answer.code) if str(text).strip() else ""
    if answer.code and body:
        body = fence(body)
    warnings = [f"Note: {clip(warning, 300)}" for warning in answer.warnings[:_MOST_WARNINGS]]
    if len(answer.warnings) > _MOST_WARNINGS:
        warnings.append(f"Note: {len(answer.warnings) - _MOST_WARNINGS} more like this")
    parts = [*warnings, body, _hint(answer.hint)]
    payload = {
        "response_type": "ephemeral" if answer.ephemeral else "in_channel",
        "replace_original": False,
        "text": "\n".join(part for part in parts if part) or "(nothing)",
        "unfurl_links": False,
        "unfurl_media": False,
    }
    blocks = _as_table(answer, warnings) if tables else []
    return {**payload, "blocks": blocks} if blocks else payload


def _as_table(answer: Answer, warnings: Sequence[str]) -> list[dict[str, Any]]:
    """Return the blocks of a list that fits into a table; none for everything else."""
    made = table_block(answer.text) if isinstance(answer.text, Table) and not answer.refusal else None
    if made is None:
        return []
    block, missing = made
    below = [_rest(missing, answer.whole)] if missing else []
    below += [hint] if (hint := _hint(answer.hint)) else []
    return [
        *([_section(warnings)] if warnings else []),
        block,
        *([_section(below)] if below else []),
    ]


def _section(lines: Sequence[str]) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines), "verbatim": True}}


def _with_refusal(answer: Answer) -> str | Sentence:
    """Return what was done and, below it, why the rest was not."""
    if answer.refusal is None:
        return answer.text
    refused = Sentence.of("ERROR: ", answer.refusal.sentence)
    return Sentence.join("\n", (answer.text, refused)) if answer.text else refused


def _hint(hint: str | Sentence) -> str:
    shown = sentence_text(hint)
    return clip_row(shown, 600) if len(shown) > 600 else shown
