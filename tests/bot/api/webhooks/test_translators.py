"""What GitHub and GitLab tell of a push, as a push."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.webhooks.document import inner, read_document, text
from bot.api.webhooks.github import push_of_github
from bot.api.webhooks.gitlab import push_of_gitlab
from core.errors import Unreadable
from core.records.push import Push
from tests.bot.api.webhooks.payloads import (
    BEFORE,
    COMMIT,
    NONE,
    PUSHED_AT,
    TAG,
    github,
    github_tag,
    gitlab,
)


def test_githubs_push_is_read():
    assert push_of_github(github()) == Push(
        repository="github.com/Acme/shop",
        clone_url="https://github.com/Acme/shop.git",
        ref="refs/heads/main",
        commit=COMMIT,
        before=BEFORE,
        author="Alice Example",
        message="Sell gift cards\n\nCloses #7",
        compare_url=f"https://github.com/Acme/shop/compare/{BEFORE[:12]}...{COMMIT[:12]}",
        pushed_at=datetime.fromtimestamp(PUSHED_AT, UTC),
    )


def test_gitlabs_push_is_read():
    assert push_of_gitlab(gitlab()) == Push(
        repository="gitlab.example.com/acme/web/shop",
        clone_url="https://gitlab.example.com/acme/web/shop.git",
        ref="refs/heads/main",
        commit=COMMIT,
        before=BEFORE,
        author="Bob Example",
        message="Sell gift cards\n",
        compare_url=f"https://gitlab.example.com/acme/web/shop/-/compare/{BEFORE}...{COMMIT}",
    )


def test_an_annotated_tag_is_its_commit():
    of_github = push_of_github(github_tag())
    of_gitlab = push_of_gitlab(gitlab(ref="refs/tags/v1", before=NONE, after=TAG, checkout_sha=COMMIT))
    assert of_github
    assert of_gitlab
    for push in (of_github, of_gitlab):
        assert (push.ref, push.name, push.commit, push.before) == ("refs/tags/v1", "v1", COMMIT, "")
    assert of_gitlab.compare_url == f"https://gitlab.example.com/acme/web/shop/-/commit/{COMMIT}"


@pytest.mark.parametrize("deleted", [{"deleted": True}, {"after": NONE}])
def test_what_was_deleted_is_no_push(deleted):
    assert push_of_github(github(**{"head_commit": None} | deleted)) is None
    assert push_of_gitlab(gitlab(after=NONE, checkout_sha=None, commits=[])) is None


def test_a_commit_of_nobody_has_no_author_and_no_message():
    of_github = push_of_github(github(head_commit={"id": COMMIT, "author": None}))
    of_gitlab = push_of_gitlab(gitlab(commits=[]))
    assert of_github
    assert of_gitlab
    assert (of_github.author, of_github.message) == (of_gitlab.author, of_gitlab.message) == ("", "")


def test_without_a_head_commit_it_is_what_the_branch_points_to():
    push = push_of_github(github(head_commit=None))
    assert push
    assert push.commit == COMMIT
    assert push_of_gitlab(gitlab(checkout_sha=None, commits="none")) is not None


@pytest.mark.parametrize("moment", [None, "2026-01-01T12:00:00Z", True, 1, 10**12])
def test_a_time_that_is_none_is_not_said(moment):
    push = push_of_github(github(repository=github()["repository"] | {"pushed_at": moment}))
    assert push
    assert push.pushed_at is None


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://user:secret@git.example.com/a/b.git", "git.example.com/a/b"),
        ("https://git.example.com:8443/a/b/c.git/", "git.example.com:8443/a/b/c"),
        ("https://git.example.com:443/a/b", "git.example.com/a/b"),
        ("http://127.0.0.1:8080/a/b.git", "127.0.0.1:8080/a/b"),
    ],
)
def test_a_repository_is_its_host_and_path_and_holds_no_password(url, repository):
    push = push_of_github(github(repository={"clone_url": url}, compare=""))
    assert push
    assert push.repository == repository
    assert push.clone_url == f"{url.partition(':')[0]}://{repository}.git"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"repository": {}}, "the push says no repository that is cloned by https"),
        ({"repository": "shop"}, "the push says no repository that is cloned by https"),
        ({"repository": {"clone_url": "ssh://git@github.com/a/b"}}, "no repository that is cloned by https"),
        ({"repository": {"clone_url": "https://github.com/a"}}, "no repository that is cloned by https"),
        ({"repository": {"clone_url": "https://github.com/a/../b"}}, "no repository that is cloned by https"),
        ({"repository": {"clone_url": "https://github.com:x/a/b"}}, "the push says no repository"),
        ({"ref": "refs/pull/1/head"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/-x"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/a b"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/a/../b"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/$(id)"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/a.lock"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/a\x9b2J"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/a\u202eb"}, "neither a branch nor a tag"),
        ({"ref": None}, "neither a branch nor a tag"),
        ({"head_commit": {"id": "--upload-pack=x"}}, "the push says no commit"),
        ({"head_commit": None, "after": "abc"}, "the push says no commit"),
        ({"head_commit": None, "after": None}, "the push says no commit"),
    ],
)
def test_what_is_no_push_is_unreadable(changes, sentence):
    with pytest.raises(Unreadable, match=sentence):
        push_of_github(github(**changes))


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/Acme/shop/compare/a...b",
        "https://github.com/Acme/shop-evil/compare/a...b",
        "javascript:alert(1)",
        "https://github.com/Acme/shop/compare/a|b>",
        "https://github.com/Acme/shop/" + "x" * 500,
        None,
    ],
)
def test_a_link_leads_to_the_repository_or_nowhere(page):
    push = push_of_github(github(compare=page))
    assert push
    assert push.compare_url == ""


def test_long_texts_of_strangers_are_cut():
    head = {"id": COMMIT, "message": "x" * 9_000, "author": {"username": "y" * 900}}
    push = push_of_github(github(head_commit=head))
    assert push
    assert (len(push.message), len(push.author)) == (4_000, 100)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["repository", "project", "head_commit", "commits", "after", "before", "ref", "checkout_sha", "compare"]
)


@given(st.dictionaries(KEYS, ANY))
def test_whatever_stands_there_it_is_a_push_or_none_or_said_to_be_unreadable(changes):
    for translate, payload in ((push_of_github, github()), (push_of_gitlab, gitlab())):
        try:
            push = translate(payload | changes)
        except Unreadable:
            continue
        assert push is None or len(push.commit) in {40, 64}


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b"{", "application/json", "the body is not JSON"),
        (b"[1]", "application/json", "the body is no JSON object"),
        (b'{"a": "\xff"}', "application/json", "the body is not JSON"),
        (b"payload=%7B%7D", "application/x-www-form-urlencoded", "this delivery is a form"),
    ],
)
def test_a_body_that_cannot_be_read_is_said_so(body, kind, sentence):
    with pytest.raises(Unreadable, match=sentence):
        read_document(body, kind)


def test_what_is_not_there_is_empty():
    document = read_document(orjson.dumps({"a": {"b": "c"}, "d": 1}), "application/json")
    assert (inner(document, "a"), inner(document, "d"), inner(document, "x")) == ({"b": "c"}, {}, {})
    assert (text(inner(document, "a"), "b"), text(document, "d"), text(document, "x")) == ("c", "", "")
