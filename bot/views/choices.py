"""Releases that can be chosen, and what one would change, in words: a dialog shows them, and no value of a variable."""

from collections.abc import Iterator
from datetime import datetime

from bot.command.forms import FormChoice
from bot.views.times import humanise
from core.records.environment import Difference
from core.sentence import Sentence
from core.usecases.chooser import ReleaseChange, ReleaseChoice, ReleaseMark

# A symbol beside each word, never alone: some readers see, some hear it.
SYMBOLS: dict[ReleaseMark, str] = {
    "active": "●",
    "never promoted": "○",
    "rolled back": "↩",
    "on hold": "✕",
    "ran before": "✓",
}
# Names of variables that one line holds; more are counted.
MOST_NAMES = 12


def release_choice(offered: ReleaseChoice, now: datetime) -> FormChoice:
    """Return a release as an option: its id, its age and what it is about, and what has become of it."""
    release = offered.release
    label = " · ".join(filter(None, (release.id, humanise(release.created_at, now), release.description)))
    why = f": {offered.why.in_one_line()}" if offered.why else ""
    return FormChoice(value=release.id, label=label, about=f"{SYMBOLS[offered.mark]} {offered.mark}{why}")


def promote_notes(change: ReleaseChange) -> tuple[str | Sentence, ...]:
    """Return what promoting it changes, and why it is on hold."""
    held = (Sentence.of(f"{change.choice.release.id} is on hold: ", change.choice.why),)
    return (*(held if change.choice.why else ()), *_compared(change), *_variables(change.variables))


def rollback_notes(change: ReleaseChange) -> tuple[str | Sentence, ...]:
    """Return what going back changes, with either choice of variables."""
    then = "; ".join(_differences(change.variables)) or "none differs from now"
    lines = [
        *_compared(change),
        f"With the variables of then: {then}. Values are never shown.",
        "With the variables of now: none changes. It was never verified so, and needs the approvals of a promotion.",
    ]
    return tuple(lines)


def _compared(change: ReleaseChange) -> Iterator[str]:
    release, active = change.choice.release, change.active
    if active is None:
        yield f"Nothing runs now; {release.id} is build {release.build}."
    elif active.id == release.id:
        yield f"{release.id} runs now: its processes are replaced by new ones."
    elif active.build == release.build:
        yield f"{active.id} runs now, with the same build {release.build}."
    else:
        yield f"{active.id} runs now. Build {active.build} → {release.build}."


def _variables(variables: Difference) -> Iterator[str]:
    said = "; ".join(_differences(variables))
    yield f"Variables: {said}. Values are never shown." if said else "Variables: none changes."


def _differences(variables: Difference) -> Iterator[str]:
    for words, names in (
        ("adds", variables.added),
        ("changes", variables.changed),
        ("removes", variables.removed),
    ):
        if names:
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            yield f"{words} {', '.join(names[:MOST_NAMES])}{more}"
