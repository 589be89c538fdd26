"""Who somebody is at this moment: what Slack says of them, as a value that decisions are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.actor import Actor
from core.sentence import EMPTY_SENTENCE, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who asks, looked up just now (`Access.principal`).

    Attributes:
        actor: with the name that Slack knows.
        groups: members of every user group that the policy names; of a token none are looked up.
        stranger: why they are no full member, or nothing.
        zone: the time zone that they have set, by its IANA name; a terminal's is UTC.
        unchecked: why Slack could not be asked, or "": unknown means no (promise 6).
    """

    actor: Actor
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    stranger: Sentence = EMPTY_SENTENCE
    zone: str = "UTC"
    unchecked: str = ""
