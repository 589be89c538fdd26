"""What a command prints, and how it ends: 0 where it has something to say, 2 for wrong usage.

With `-o json` every answer is a document in one line on stdout, and what is wrong or to be known besides one on stderr, with the
names of the API (`error`, `hint`, `text`; `note`).
"""

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from bot.cli.live_line import above
from bot.cli.screen import harmless, painted, verdict

EXIT_USAGE = 2


# One for all that a command prints, set before anything of it runs.
_json: ContextVar[bool] = ContextVar("whether documents are printed", default=False)


@contextmanager
def printing(*, as_json: bool) -> Generator[None]:
    """Print documents from here on, or text."""
    before = _json.set(as_json)
    try:
        yield
    finally:
        _json.reset(before)


def prints_json() -> bool:
    """Tell whether whoever asked is a program, which wants documents."""
    return _json.get()


def show(text: str, document: Any = None) -> int:
    """Print the answer of a command, and return its exit status.

    Args:
        text: for people.
        document: the same for programs; None for what is only said, which they get as `text`.
    """
    if prints_json():
        show_document({"text": text} if document is None else document)
    else:
        say(text)
    return 0


def show_document(document: Any, stream: TextIO | None = None) -> None:
    """Print a document in one line."""
    say(json.dumps(document, ensure_ascii=False), stream)


def fail(sentences: Sequence[str], status: int = EXIT_USAGE, *, hint: str = "", text: str = "") -> int:
    """Print what is wrong, a sentence a line, and return the exit status.

    Args:
        sentences: what is.
        status: how it ends.
        hint: what to do now, or "".
        text: what was done before, or "": that is no error, and goes where answers go.
    """
    if prints_json():
        error = "\n".join(sentences).removeprefix("ERROR: ")
        more = {name: said for name, said in (("hint", hint), ("text", text)) if said}
        show_document({"error": error, **more}, sys.stderr)
        return status
    if text:
        say(text)
    for sentence in sentences:
        say_verdict(sentence, sys.stderr)
    if hint:
        say(hint, sys.stderr)
    return status


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text as it came from elsewhere, now: whoever watches a rollout through a pipe wants each line when it comes."""
    out = stream or sys.stdout
    write(harmless(text, out), out)


def say_verdict(line: str, stream: TextIO | None = None) -> None:
    """Print how something has ended; its word has a colour where there are any."""
    out = stream or sys.stdout
    write(verdict(line, out), out)


def notice(text: str) -> None:
    """Print what is to be known besides, where no answer stands."""
    if prints_json():
        show_document({"note": text}, sys.stderr)
        return
    write(f"{painted('Note:', 'note', sys.stderr)} {harmless(text, sys.stderr)}", sys.stderr)


def write(text: str, out: TextIO, end: str = "\n") -> None:
    """Write text that is fit to be shown, above the line that is rewritten."""
    with above():
        out.write(text + end)
        out.flush()
