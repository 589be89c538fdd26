"""The buttons of a build's card: one table, each a typed command, as those of a promotion's card are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.command.commands import BuildLogs, CancelBuild, Command, DiffReleases, Promote, RetryBuild
from bot.views.button_element import button_element, confirm_dialog
from core.build_run import BuildRun
from core.records.build import BuildStatus

_BLOCK = "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildButton:
    """A button under a build's card.

    Attributes:
        when: the states in which it stands there.
        question: what its dialog asks; without one it changes nothing that runs, and is done at once.
        deny: the words that do not do it.
    """

    action_id: str
    label: str
    spoken: Callable[[BuildRun], str]
    when: frozenset[BuildStatus]
    command: Callable[[BuildRun], Command]
    question: Callable[[BuildRun], str] | None = None
    confirm: str = ""
    deny: str = ""
    style: Literal["primary", "danger"] | None = None


_GOING = frozenset({BuildStatus.CREATED, BuildStatus.RUNNING})
_MADE = frozenset({BuildStatus.COMPLETE})
_FAILED = frozenset({BuildStatus.FAILED})

BUILD_BUTTONS = (
    BuildButton(
        action_id="build.promote",
        label="Promote",
        spoken=lambda r: f"Promote {r.release} of {r.app}",
        when=_MADE,
        command=lambda r: Promote(app=r.app, release=r.release),
        question=lambda r: f"{r.release} is rolled out to {r.app}, or asks for its approvals first.",
        confirm="Promote",
        deny="Not now",
        style="primary",
    ),
    BuildButton(
        action_id="build.diff",
        label="Diff",
        spoken=lambda r: f"Diff of {r.release}: show what it changes in {r.app}",
        when=_MADE,
        command=lambda r: DiffReleases(app=r.app, release=r.release),
    ),
    # What failed is looked at first, and asked for again after that.
    BuildButton(
        action_id="build.logs",
        label="Logs",
        spoken=lambda r: f"Logs of build {r.id} of {r.app}",
        when=_FAILED,
        command=lambda r: BuildLogs(app=r.app, build=r.id),
    ),
    BuildButton(
        action_id="build.retry",
        label="Retry",
        spoken=lambda r: f"Retry build {r.id} of {r.app}",
        when=_FAILED,
        command=lambda r: RetryBuild(app=r.app, build=r.id),
    ),
    BuildButton(
        action_id="build.cancel",
        label="Cancel",
        spoken=lambda r: f"Cancel build {r.id} of {r.app}",
        when=_GOING,
        command=lambda r: CancelBuild(app=r.app, build=r.id),
        question=lambda r: f"No release is made of it. What {r.app} runs stays as it is.",
        confirm="Cancel it",
        deny="Keep going",
        style="danger",
    ),
)
BUILD_ACTION_IDS = tuple(button.action_id for button in BUILD_BUTTONS)


def shown_of(run: BuildRun) -> list[BuildButton]:
    """Return the buttons that stand on its card now, in their order."""
    return [button for button in BUILD_BUTTONS if run.status in button.when]


def build_buttons(run: BuildRun) -> dict[str, Any] | None:
    """Return the actions block, or None where there is nothing to do."""
    elements = [_element(button, run) for button in shown_of(run)]
    if not elements:
        return None
    # Slack keeps what a reader has done with a block under its id: a new state is a new block.
    return {"type": "actions", "block_id": f"{_BLOCK}:{run.id}:{run.status}", "elements": elements}


def build_of(block_id: str) -> str | None:
    """Return whose card a block of buttons stands on; None where it is no build's."""
    kind, _, rest = block_id.partition(":")
    return rest.partition(":")[0] if kind == _BLOCK else None


def _element(button: BuildButton, run: BuildRun) -> dict[str, Any]:
    element = button_element(button.action_id, button.label, button.command(run), 0, button.spoken(run))
    if button.question:
        title = f"{button.label} {run.release or run.id} of {run.app}?"
        element["confirm"] = confirm_dialog(
            title, button.question(run), button.confirm, button.deny, danger=button.style == "danger"
        )
    # Red says that something breaks, and nothing that runs does: the dialog alone has it.
    return element | ({"style": button.style} if button.style == "primary" else {})
