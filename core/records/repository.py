"""Where the source of a build lies, and the page that shows what changed between two; without it an approver copies shas.

Addresses come from CI and so from strangers: nothing is linked but an https address of plain letters, on a host whose pages are
known. What else was given is text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from core.records.build import BuildEntry
from core.sentence import EMPTY_SENTENCE, Hyperlink, Sentence

MAX_REPOSITORY_CHARS = 300
# What `git clone` takes beside an address: `git@github.com:owner/name.git`.
_SCP = re.compile(r"(?:[^\s@/:]+@)?(?P<host>[A-Za-z0-9.-]+):(?!/)(?P<path>[^\s:]+)")
_SCHEMES = frozenset({"https", "http", "ssh", "git", "git+ssh"})
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){2,}")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_SHORT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    """How a host addresses one commit and the difference of two, behind the address of a repository."""

    commit: str
    compare: str


# Forgejo and Gitea have GitHub's forms; with Bitbucket the newer commit comes first, and a carriage return between both.
_GITHUB = _Pages(commit="/commit/{new}", compare="/compare/{old}...{new}")
_GITLAB = _Pages(commit="/-/commit/{new}", compare="/-/compare/{old}...{new}")
_BITBUCKET = _Pages(commit="/commits/{new}", compare="/branches/compare/{new}%0D{old}")
_KNOWN: Mapping[str, _Pages] = {
    "github.com": _GITHUB,
    "gitlab.com": _GITLAB,
    "bitbucket.org": _BITBUCKET,
    "codeberg.org": _GITHUB,
}
# Of a host of one's own the name says what it runs; `bitbucket.` is another product there, with other pages.
_OWN: Mapping[str, _Pages] = {"github": _GITHUB, "gitlab": _GITLAB, "gitea": _GITHUB, "forgejo": _GITHUB}


def repository_url(given: str) -> str:
    """Return the https address of a remote of git, without credentials; of what is none the text, without what looks like some.

    CI hands over what it cloned from, and that often holds a token.
    """
    text = " ".join(given.split())
    if address := _address(text):
        return address
    kept = text.rpartition("@")[2]
    # Cut without a mark it could be the address of something else.
    return kept if len(kept) <= MAX_REPOSITORY_CHARS else f"{kept[: MAX_REPOSITORY_CHARS - 1]}…"


def compared(old: BuildEntry | None, new: BuildEntry | None) -> Sentence:
    """Return what changed in the source from one build to another: a link where its host's pages are known, else words."""
    if new is None or not new.git_sha:
        return EMPTY_SENTENCE
    before = old.git_sha if old else ""
    base = new.repository if _pages(new.repository) else ""
    if not before or before == new.git_sha:
        words = f"commit {_short(new.git_sha)}"
        return _linked(base, "commit", words, new.git_sha, new.git_sha)
    same = old is not None and old.repository == new.repository
    words = f"{_short(before)} → {_short(new.git_sha)}"
    return _linked(base if same else "", "compare", words, before, new.git_sha)


def _linked(base: str, page: str, words: str, old: str, new: str) -> Sentence:
    pages = _pages(base)
    if pages is None or not (_SHA.fullmatch(old) and _SHA.fullmatch(new)):
        return Sentence.of(words if page == "commit" else f"commits {words}")
    host = urlsplit(base).netloc
    # A host of one's own is named: a link's words hide where it leads.
    where = "" if host in _KNOWN else f" on {host}"
    form, said = (pages.commit, words) if page == "commit" else (pages.compare, f"compare {words}")
    return Sentence.of(Hyperlink(base + form.format(old=old, new=new), said + where))


def _short(sha: str) -> str:
    return sha[:_SHORT] if _SHA.fullmatch(sha) else sha


def _address(text: str) -> str:
    """Return the https address of what git clones from, or ""."""
    try:
        parts = urlsplit(text)
        scheme, host, path, port = parts.scheme, parts.hostname or "", parts.path, parts.port
    except ValueError:
        return ""
    if scheme not in _SCHEMES or not host:
        if "://" in text or not (match := _SCP.fullmatch(text)):
            return ""
        host, path, port, scheme = match["host"].lower(), f"/{match['path']}", None, "ssh"
    path = path.rstrip("/").removesuffix(".git")
    if not (_HOST.fullmatch(host) and _PATH.fullmatch(path)):
        return ""
    # The port of ssh says nothing of that of https.
    where = f"{host}:{port}" if port not in {None, 443} and scheme == "https" else host
    address = f"https://{where}{path}"
    return address if len(address) <= MAX_REPOSITORY_CHARS else ""


def _pages(repository: str) -> _Pages | None:
    """Return the pages of the host of an address that can be linked, None where they are not known."""
    if not repository.startswith("https://") or _address(repository) != repository:
        return None
    host = urlsplit(repository).hostname or ""
    return _KNOWN.get(host) or _OWN.get(host.partition(".")[0])
