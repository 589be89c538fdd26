"""GitHub's `push` event (GitHub docs, "Webhook events and payloads") → a push."""

from datetime import UTC, datetime

from bot.api.webhooks.document import Document, inner, text
from core.records.push import NOTHING, Push, push_of

# 2001 to 2286: what is outside is no moment in seconds.
EARLIEST, LATEST = 10**9, 10**10


def push_of_github(payload: Document) -> Push | None:
    """Return the push that a payload tells of, None for a branch or tag that was deleted.

    Raises:
        Unreadable: it says no repository, no branch and no tag, or no commit.
    """
    after = text(payload, "after")
    if payload.get("deleted") is True or (after and NOTHING.fullmatch(after)):
        return None
    # Of an annotated tag `after` is the tag itself, and this its commit.
    head = inner(payload, "head_commit")
    author, repository = inner(head, "author"), inner(payload, "repository")
    return push_of(
        clone_url=text(repository, "clone_url"),
        ref=text(payload, "ref"),
        commit=text(head, "id") or after,
        before=text(payload, "before"),
        author=text(author, "name") or text(author, "username"),
        message=text(head, "message"),
        compare_url=text(payload, "compare"),
        pushed_at=_moment(repository.get("pushed_at")),
    )


def _moment(seconds: object) -> datetime | None:
    """Return when it was pushed: in a `push`, unlike elsewhere, seconds since 1970."""
    if isinstance(seconds, int) and EARLIEST < seconds < LATEST:
        return datetime.fromtimestamp(seconds, UTC)
    return None
