"""What answers hold: the keys that clients may rely on. The tests of the API hold each answer against these."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.promotion import Phase
from core.records.build import BuildStatus


class ApiResponse(BaseModel):
    """What is answered: these keys and no others."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ErrorResponse(ApiResponse):
    """Why something was refused."""

    error: str
    """The sentence: what happened, and why."""
    hint: str = ""
    """What to do now."""
    text: str = ""
    """What was done before it."""


class FormChoiceResponse(ApiResponse):
    """One thing that can be chosen in a form."""

    value: str
    label: str
    about: str


class FormFieldResponse(ApiResponse):
    """One thing that a form asks for."""

    name: str
    """What `input` calls it."""
    label: str
    kind: Literal["secret", "lines", "name", "reason", "release", "choice"]
    hint: str
    text: str
    """What stands in it at first; never a value."""
    optional: bool
    choices: list[FormChoiceResponse]
    chosen: FormChoiceResponse | None


class FormResponse(ApiResponse):
    """What is still to be entered; nothing was done so far."""

    title: str
    submit: str
    fields: list[FormFieldResponse]
    seen: str | None
    """What it was made from: is sent along with what was entered."""
    notes: list[str]


class CommandResponse(ApiResponse):
    """What a command has answered."""

    text: str
    """As a terminal shows it."""
    promotion: str | None
    """The promotion that was asked for or joined."""
    release: str = ""
    """The release that was made or is promoted, where there is one."""
    id: str = ""
    """What `--id` has asked for."""
    form: FormResponse | None = None
    data: Any = None
    """With `"output": "json"`: lists and facts as data, in the names of Convox's API; null where it is neither."""
    notes: list[str] = []
    """With `"output": "json"`: what is to be known besides."""


class NewBuildResponse(ApiResponse):
    """A build that was registered, and its release."""

    id: str
    release: str
    note: str = ""
    """Why the newest release was not what it has its variables from."""
    notes: list[str] = []
    """Keys of its convox.yml without effect, and variables that are still to be set."""


class QueuedBuildResponse(ApiResponse):
    """A build that the cluster is going to make."""

    id: str
    ahead: int = Field(ge=0)
    """So many of the app come before it."""


class BuildResponse(ApiResponse):
    """How a build is that the cluster makes."""

    id: str
    app: str
    status: BuildStatus
    release: str | None
    """Once it is complete."""
    description: str
    started: str = ""
    ended: str = ""
    reason: str = ""
    """Why it has failed."""
    ahead: int = Field(default=0, ge=0)
    """So many of the app come before it."""
    waits: str = ""
    """What keeps its pod from starting."""


class SourceResponse(ApiResponse):
    """How much of a source is here."""

    id: str
    offset: int = Field(ge=0)
    """From which byte on it is wanted."""
    size: int = Field(ge=0)
    digest: str
    complete: bool


class PushedBuildResponse(ApiResponse):
    """What a push has started in one app."""

    app: str
    id: str
    known: bool
    """It was started by an earlier delivery of the same push."""


class PushResponse(ApiResponse):
    """What became of a webhook."""

    ignored: str = ""
    """Why nothing is built."""
    builds: list[PushedBuildResponse] = []
    problems: list[str] = []


class LineResponse(ApiResponse):
    """One line of a promotion; the last of the stream is an ending."""

    time: str
    object: str
    """What it is about, such as `web-745f845dc` or `atom/app`."""
    text: str
    phase: Phase


class VerdictResponse(ApiResponse):
    """How a promotion has ended."""

    ending: str
    cause: str
    phase: Phase
    release: str
    ok: bool


class LogLineResponse(ApiResponse):
    """One line of the log of a build."""

    number: int = Field(ge=1)
    text: str


class TextLineResponse(ApiResponse):
    """One line of a promotion as it is printed, with `format=live`."""

    text: str


class AwaitedResponse(ApiResponse):
    """What is awaited from here on, with `format=live`; it is no line, and `after` does not count it."""

    awaited: str
    seconds: float | None = None
    """For how long already."""
    left: float | None = None
    """For how long still, as far as is known."""
