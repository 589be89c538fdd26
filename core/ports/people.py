"""Who people are."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What Slack says of a user now.

    Attributes:
        member: a full member of our workspace: no guest, no stranger, not deactivated, no bot.
        why_not: if not, a sentence that says which.
        zone: the time zone that they have set, by its IANA name.
    """

    id: str
    name: str
    member: bool
    why_not: str = ""
    zone: str = "UTC"


class Directory(Protocol):
    """Who people are. Raises Unreachable where Slack does not answer: unknown means no (promise 6)."""

    async def person(self, user_id: str) -> Person: ...

    async def group(self, group_id: str) -> frozenset[str]:
        """Return the user ids of a user group, at most 60 s old."""
        ...
