"""What git clones from, as somebody gave it: an address, and what to take there. Nothing in either is a secret or an option of git.

Where a repository lies is checked before anything is stored; that it is there and opens is found out by cloning alone.
"""

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from core.errors import Invalid

MAX_URL_CHARS, MAX_REF_CHARS, MAX_PATH_CHARS = 500, 255, 255
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Printable ASCII but what a query, a fragment or a quote begins with; other letters travel percent-encoded.
_PATH = re.compile(r"(/[!$&'()*+,.0-9:;=@A-Z_a-z~%-]+)+/?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|[0-9a-f:]+")
# What git-check-ref-format(1) forbids: no option, no expression that names another commit.
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.$|\.lock$|/\.")
_SSH = re.compile(r"(ssh|git\+ssh)://.*|[^\s@/:]+@[^\s/:]+:.*")
SECURE = frozenset({"https"})
# Neither hides a token nor tells who answers: for tests on loopback.
INSECURE = frozenset({"https", "http", "git"})


def check_git_url(given: str, schemes: frozenset[str] = SECURE) -> str:
    """Return an address as git takes it.

    Args:
        given: by a person or a webhook.
        schemes: those that are taken.

    Raises:
        Invalid: it is none, holds a user or a password, or is none of these schemes.
    """
    text = given.strip()
    if _SSH.fullmatch(text):
        raise Invalid(
            "a build clones by https, and this is an address of ssh",
            hint="give the https address of the same repository; `git add HOST` gives its app a token",
        )
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if "@" in parts.netloc:  # nothing of it is said again
        raise Invalid(
            "an address of git must not hold a user or a password, since addresses are shown and stored",
            hint="leave them out, and give the app a token with `git add HOST`",
        )
    if parts.scheme not in schemes and parts.scheme in INSECURE:
        raise Invalid(
            f"{parts.scheme}:// neither hides the source nor tells who sends it", hint="write https://"
        )
    shaped = bool(_HOST.fullmatch(host) and _PATH.fullmatch(parts.path))
    # `urlsplit` leaves line ends and tabs out, so what it returns does not hold them.
    written = text.isascii() and text.isprintable()
    if parts.scheme not in schemes or not (shaped and written) or parts.query or parts.fragment:
        raise Invalid(
            f"not the address of a git repository: {text[:80]}", hint="as in: https://github.com/shop/web"
        )
    if len(text) > MAX_URL_CHARS:
        raise Invalid(f"the address of a git repository has more than {MAX_URL_CHARS} characters")
    return text


def check_git_ref(given: str) -> str:
    """Return a branch, a tag or a commit, "" for the branch that the repository shows first; raise Invalid where it is none."""
    ref = given.strip()
    shaped = ref.isprintable() and not (ref.startswith(("-", "/", ".")) or _NO_REF.search(ref))
    if not shaped or len(ref) > MAX_REF_CHARS:
        raise Invalid(
            f"no branch, tag or commit: {ref[:80]!r}",
            hint="as in: --ref main, or a commit with all its digits",
        )
    return ref


def check_commit(given: str) -> str:
    """Return a commit by its whole id, "" for none; raise Invalid where it is shortened, which no server of git takes."""
    commit = given.strip().lower()
    if commit and not COMMIT.fullmatch(commit):
        raise Invalid(f"no commit by its whole id: {given[:80]!r}", hint="40 hexadecimal digits")
    return commit


def check_manifest_path(given: str) -> str:
    """Return where a manifest lies in a repository, as short as it can be written; raise Invalid where that is outside of it."""
    path = PurePosixPath(given.strip() or "convox.yml")
    text = str(path)
    if path.is_absolute() or ".." in path.parts or not text.isprintable() or len(text) > MAX_PATH_CHARS:
        raise Invalid(
            f"a manifest lies inside the repository: {given[:80]!r}", hint="as in: -m services/web/convox.yml"
        )
    return text


def host_of_git(url: str) -> str:
    """Return the host, with its port where that is not the usual one, of an address that was checked."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.hostname or ""
    return host if parts.port in {None, usual} else f"{host}:{parts.port}"
