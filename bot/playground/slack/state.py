"""The nouns of a Slack workspace, as plain records that can be written down and read back."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

T = TypeVar("T")

TEAM_ID = "T0CONVOX01"
PARTNER_TEAM_ID = "T0PARTNER1"
SLACKBOT = "USLACKBOT"


@dataclass(slots=True, kw_only=True)
class User:
    """A person or a bot, with the flags by which an application decides what it may do."""

    id: str
    name: str
    real_name: str
    title: str = ""
    team_id: str = TEAM_ID
    color: str = "4a154b"
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_admin: bool = False
    deleted: bool = False
    bot_id: str = ""
    tz: str = "Europe/Berlin"


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A public or private channel, or a direct conversation."""

    id: str
    name: str
    topic: str = ""
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    members: list[str] = field(default_factory=list)
    created: int = 1_700_000_000


@dataclass(slots=True, kw_only=True)
class Usergroup:
    """A group of people that can be mentioned, `@devs`."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass(slots=True, kw_only=True)
class Message:
    """One message; `visible_to` makes it ephemeral."""

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    metadata: dict[str, Any] | None = None
    edited_ts: str | None = None
    broadcast: bool = False
    files: list[dict[str, Any]] = field(default_factory=list)
    reactions: list[dict[str, Any]] = field(default_factory=list)
    visible_to: str | None = None
    subtype: str | None = None
    username: str | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


def record(kind: type[T], document: dict[str, Any]) -> T:
    """Make a record from a document, leaving out what a newer version wrote beside it."""
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: value for key, value in document.items() if key in known})


def document(thing: User | Conversation | Usergroup | Message) -> dict[str, Any]:
    return asdict(thing)
