"""Where builds come from, and the page of what changed: linked only where an address is plain and its host is known."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.records.repository import MAX_REPOSITORY_CHARS, compared, repository_url
from core.sentence import EMPTY_SENTENCE, Hyperlink, Sentence
from tests.storage.making import make_build

OLD, NEW = "0" * 33 + "1234567", "abcdef0" + "0" * 33


def built(sha, repository=""):
    return replace(make_build("B1", "R1"), git_sha=sha, repository=repository)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/shop/web.git", "https://github.com/shop/web"),
        ("https://github.com/shop/web/", "https://github.com/shop/web"),
        ("http://github.com/shop/web", "https://github.com/shop/web"),
        ("https://x-access-token:ghs_s3cret@github.com/shop/web.git", "https://github.com/shop/web"),
        ("https://gitlab-ci-token:s3cret@gitlab.com/shop/team/web.git", "https://gitlab.com/shop/team/web"),
        ("https://gitlab.example.com:8443/shop/web", "https://gitlab.example.com:8443/shop/web"),
        ("https://github.com:443/shop/web?token=s3cret#x", "https://github.com/shop/web"),
        ("git@github.com:shop/web.git", "https://github.com/shop/web"),
        ("GitHub.com:shop/web", "https://github.com/shop/web"),
        ("ssh://git@gitlab.com:2222/shop/web.git", "https://gitlab.com/shop/web"),
        ("git://codeberg.org/shop/web.git", "https://codeberg.org/shop/web"),
    ],
)
def test_what_git_clones_from_becomes_an_https_address_without_credentials(remote, address):
    assert repository_url(remote) == address
    assert repository_url(address) == address


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("", ""),
        ("/srv/git/web.git", "/srv/git/web.git"),
        ("file:///srv/git/web.git", "file:///srv/git/web.git"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("https://github.com/../web", "https://github.com/../web"),
        ("https://github.com/shop", "https://github.com/shop"),
        ("https://gıthub.com/shop/web", "https://gıthub.com/shop/web"),
        ("https://ci:s3/cret@github.com/shop/web", "github.com/shop/web"),
        ("https://ci:s3cret@[github.com/shop/web", "[github.com/shop/web"),
        ("https://github.com/shop/web|<!channel>", "https://github.com/shop/web|<!channel>"),
        ("https://github.com/shop/" + "x" * 400, "https://github.com/shop/" + "x" * 275 + "…"),
    ],
)
def test_what_is_no_address_is_text_without_what_looks_like_a_password(given_text, kept):
    assert repository_url(given_text) == kept
    assert compared(built(OLD, kept), built(NEW, kept)) == Sentence.of("commits 0000000 → abcdef0")


@pytest.mark.parametrize(
    ("repository", "page", "commit"),
    [
        ("https://github.com/shop/web", f"/compare/{OLD}...{NEW}", f"/commit/{NEW}"),
        ("https://github.example.com/shop/web", f"/compare/{OLD}...{NEW}", f"/commit/{NEW}"),
        ("https://gitlab.com/shop/team/web", f"/-/compare/{OLD}...{NEW}", f"/-/commit/{NEW}"),
        ("https://gitlab.example.com:8443/shop/web", f"/-/compare/{OLD}...{NEW}", f"/-/commit/{NEW}"),
        ("https://bitbucket.org/shop/web", f"/branches/compare/{NEW}%0D{OLD}", f"/commits/{NEW}"),
        ("https://codeberg.org/shop/web", f"/compare/{OLD}...{NEW}", f"/commit/{NEW}"),
        ("https://gitea.example.com/shop/web", f"/compare/{OLD}...{NEW}", f"/commit/{NEW}"),
    ],
)
def test_the_pages_of_known_hosts_are_linked(repository, page, commit):
    host = urlsplit(repository).netloc
    on = f" on {host}" if "example" in host else ""
    new = built(NEW, repository)

    assert compared(built(OLD, repository), new) == Sentence.of(
        Hyperlink(repository + page, f"compare 0000000 → abcdef0{on}")
    )
    for old in (None, built("", repository), new):
        assert compared(old, new) == Sentence.of(Hyperlink(repository + commit, f"commit abcdef0{on}"))


def test_what_cannot_be_linked_is_said():
    known = "https://github.com/shop/web"

    assert compared(built(OLD), built(NEW)) == Sentence.of("commits 0000000 → abcdef0")
    assert compared(None, built(NEW, "https://git.example.com/shop/web")) == Sentence.of("commit abcdef0")
    assert compared(built(OLD, known), built(NEW, known + "2")) == Sentence.of("commits 0000000 → abcdef0")
    assert compared(built("v1.0", known), built(NEW, known)) == Sentence.of("commits v1.0 → abcdef0")
    assert compared(None, built("--output=x", known)) == Sentence.of("commit --output=x")


def test_without_a_commit_nothing_is_said():
    assert compared(built(OLD), built("")) == EMPTY_SENTENCE
    assert compared(built(OLD), None) == EMPTY_SENTENCE


@given(st.text(max_size=400) | st.from_regex(r"(https?|ssh)://[ -~]{0,80}", fullmatch=True))
def test_whatever_was_given_what_is_linked_is_one_plain_https_address(text):
    kept = repository_url(text)

    assert len(kept) <= MAX_REPOSITORY_CHARS
    for part in compared(built(OLD, kept), built(NEW, kept)).parts:
        if isinstance(part, Hyperlink):
            assert part.url.startswith("https://")
            assert not set(part.url) & set("<>|@\"' \\`")
