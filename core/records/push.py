"""A push to a git repository, as GitHub and GitLab tell of it: where, what, and who wrote it.

All of it was written by whoever could push. So what is used further on has its form here, and a text is cut.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from urllib.parse import urlsplit

from core.errors import Unreadable

# git check-ref-format, without what a shell, an address or a log could take for something else.
REF = re.compile(r"refs/(heads|tags)/(?!-)[^\x00-\x20\x7f~^:?*\[\]\\\"'`$;&|<>(){}]{1,200}")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){2,}")
# git-scm.com, gitformat-pack: names of objects; of all zeros where there is none.
NOTHING = re.compile(r"0*")
# In the order of how much is done. `never`: its release waits for a person; `ask`: it is asked for, and needs an approval at least; `automatic`: as the rules of the app say.
PromoteAfter = Literal["never", "ask", "automatic"]
PROMOTE_AFTER: tuple[PromoteAfter, ...] = get_args(PromoteAfter)
MOST_AUTHOR, MOST_MESSAGE, MOST_URL = 100, 4_000, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One branch or tag that points to another commit now.

    Attributes:
        repository: `host/path`, as a rule of the policy names it.
        clone_url: what git clones from, without a user or a password.
        ref: `refs/heads/main` or `refs/tags/v1`.
        commit: where it points now; `before`: where it pointed, "" for one that is new.
        author: who wrote the commit, "" where that is not said; it names nobody that the bot knows.
        message: of the commit.
        compare_url: a page of the same repository that shows what came, or "".
        pushed_at: when, where that is said.
    """

    repository: str
    clone_url: str
    ref: str
    commit: str
    before: str = ""
    author: str = ""
    message: str = ""
    compare_url: str = ""
    pushed_at: datetime | None = None

    @property
    def name(self) -> str:
        """The branch or tag, as people call it."""
        return self.ref.split("/", 2)[2]

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it this very push, however often and by whichever delivery it is told.

        A tag that is deleted and pushed anew differs by its time alone.
        """
        when = () if self.pushed_at is None else (f"{self.pushed_at.timestamp():.0f}",)
        return (self.repository.lower(), self.ref, self.before, self.commit, *when)

    def marks(self, vendor: str, delivery: str, app: str) -> tuple[str, ...]:
        """Return by what is known whether it was built in an app before: its delivery, and itself by any other."""
        return (f"{app} {vendor} {delivery}", " ".join((app, *self.identity)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedBuild:
    """Why a push is built.

    Attributes:
        marks: see `Push.marks`.
        rule: of the policy, in words: it is the right by which it is built.
        promote: what the rule says of its release.
    """

    push: Push
    marks: tuple[str, ...]
    rule: str
    promote: PromoteAfter = "never"


def push_of(
    *,
    clone_url: str,
    ref: str,
    commit: str,
    before: str,
    author: str,
    message: str,
    compare_url: str,
    pushed_at: datetime | None = None,
) -> Push:
    """Return a push of what was told of it.

    Raises:
        Unreadable: that is no repository, no branch and no tag, or no commit.
    """
    scheme, repository = _repository(clone_url)
    if (
        not REF.fullmatch(ref)
        or not ref.isprintable()
        or ".." in ref
        or "//" in ref
        or ref.endswith(("/", ".", ".lock"))
    ):
        raise Unreadable("the push is to something that is neither a branch nor a tag")
    if not COMMIT.fullmatch(commit):
        raise Unreadable("the push says no commit")
    return Push(
        repository=repository,
        clone_url=f"{scheme}://{repository}.git",
        ref=ref,
        commit=commit,
        before=before if COMMIT.fullmatch(before) and not NOTHING.fullmatch(before) else "",
        author=" ".join(author.split())[:MOST_AUTHOR],
        message=message[:MOST_MESSAGE],
        compare_url=_page(compare_url, repository),
        pushed_at=pushed_at,
    )


def _repository(clone_url: str) -> tuple[str, str]:
    """Return the scheme and `host/path` of an address that git clones from."""
    try:
        parts = urlsplit(clone_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unreadable("the push says no repository") from None
    path = parts.path.rstrip("/").removesuffix(".git")
    if parts.scheme not in {"https", "http"} or not (_HOST.fullmatch(host) and _PATH.fullmatch(path)):
        raise Unreadable("the push says no repository that is cloned by https")
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, f"{host}:{port}{path}" if port not in {None, usual} else f"{host}{path}"


def _page(url: str, repository: str) -> str:
    """Return the address of a page, where it is one of the repository itself: people click it."""
    prefix = f"https://{repository}/"
    plain = re.fullmatch(r"[A-Za-z0-9._~:/%!+@-]+", url)
    return url if plain and url.lower().startswith(prefix.lower()) and len(url) <= MOST_URL else ""
