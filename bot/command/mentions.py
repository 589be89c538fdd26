"""What somebody means who mentions the bot in a thread: the short words there, as the grammar's own.

Slash commands cannot be typed in threads. Who mentions the bot under a card speaks of its promotion.
"""

import re
import shlex
from dataclasses import dataclass

from core.errors import Invalid
from core.promotion import Promotion
from core.sentence import CommandLine, Sentence

_MENTION = re.compile(r"\s*<@[UW][A-Z0-9]+(?:\|[^>]*)?>[\s:,]*")
# Said of the promotion above, they need no id.
OF_A_PROMOTION = frozenset({"approve", "decline", "cancel", "remind"})
OF_RELEASES = frozenset({"promote", "rollback"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadTopic:
    """What a thread is about.

    Attributes:
        promotion: whose card stands above it; None where there is none.
        app: the promotion's app, or that of an announced build; None where nothing is known.
        release: what `promote` means there.
        back_to: what `rollback` means there; None where nothing is known.
    """

    promotion: str | None = None
    app: str | None = None
    release: str | None = None
    back_to: str | None = None


def topic_of(promotion: Promotion) -> ThreadTopic:
    """Return what the thread under a card is about."""
    return ThreadTopic(
        promotion=promotion.id, app=promotion.app, release=promotion.release, back_to=promotion.back_to
    )


def words_of(text: str) -> str:
    """Return what stands after the mention that a message begins with."""
    found = _MENTION.match(text)
    return text[found.end() :] if found else text


def expanded(words: str, topic: ThreadTopic) -> str:
    """Return the command that somebody means; whatever is none of the short words is a command already.

    Raises:
        Invalid: `rollback` alone, where no release to go back to is known.
    """
    head, _, rest = words.strip().partition(" ")
    head, rest = head.lower(), rest.strip()
    names_one = re.match(r"(?i)p[a-z]{10}\b", rest) is not None
    if head in OF_A_PROMOTION and topic.promotion and not names_one:
        return f"{head} {topic.promotion} {rest}".strip()
    if head == "cancel" and not names_one:
        return f"apps cancel {rest}".strip()
    if head == "status":
        return f"apps info {rest}".strip()
    if head in OF_RELEASES:
        return f"releases {head} {rest or _meant(head, topic)}".strip()
    return words.strip()


def _meant(head: str, topic: ThreadTopic) -> str:
    """Return the release that a word alone means in a thread; outside, `promote` takes the newest as everywhere."""
    release = topic.release if head == "promote" else topic.back_to
    if release is None and head == "rollback":
        listed = f"releases -a {shlex.quote(topic.app)}" if topic.app else "releases"
        raise Invalid(
            "roll back to which release?",
            hint=Sentence.of("name it after `rollback`; ", CommandLine(listed), " lists them"),
        )
    return release or ""
