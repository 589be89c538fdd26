"""GitLab's `push` and `tag_push` events (GitLab docs, "Webhook events") → a push."""

from bot.api.webhooks.document import Document, inner, text
from core.records.push import NOTHING, Push, push_of


def push_of_gitlab(payload: Document) -> Push | None:
    """Return the push that a payload tells of, None for a branch or tag that was deleted.

    Raises:
        Unreadable: it says no repository, no branch and no tag, or no commit.
    """
    after, before = text(payload, "after"), text(payload, "before")
    if after and NOTHING.fullmatch(after):
        return None
    # Of an annotated tag `after` is the tag itself, and this its commit.
    commit = text(payload, "checkout_sha") or after
    head, project = _commit(payload, commit), inner(payload, "project")
    return push_of(
        clone_url=text(project, "git_http_url"),
        ref=text(payload, "ref"),
        commit=commit,
        before=before,
        author=text(inner(head, "author"), "name"),
        message=text(head, "message"),
        compare_url=_page(text(project, "web_url"), before, commit),
    )


def _commit(payload: Document, commit: str) -> Document:
    """Return what is told of a commit: the newest twenty are, and none of a branch that brings nothing new."""
    commits = payload.get("commits")
    listed = commits if isinstance(commits, list) else []
    return next((each for each in listed if isinstance(each, dict) and each.get("id") == commit), {})


def _page(project: str, before: str, commit: str) -> str:
    if not before or NOTHING.fullmatch(before):
        return f"{project}/-/commit/{commit}"
    return f"{project}/-/compare/{before}...{commit}"
