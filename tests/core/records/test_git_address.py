"""What may be cloned, and what is refused before anything of it is stored or said again."""

import pytest

from core.errors import Invalid
from core.records.git_address import (
    INSECURE,
    check_commit,
    check_git_ref,
    check_git_url,
    check_manifest_path,
    host_of_git,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/shop/web",
        "https://github.com/shop/web.git",
        "https://gitlab.example:8443/team/sub/web.git/",
        "https://dev.azure.com/org/my%20project/_git/web",
        "https://git.sr.ht/~alice/web",
    ],
)
def test_an_https_address_is_taken_as_it_is(url: str):
    assert check_git_url(f" {url} ") == url


@pytest.mark.parametrize(
    ("url", "sentence", "hint"),
    [
        ("git@github.com:shop/web.git", "an address of ssh", "git add HOST"),
        ("ssh://git@github.com/shop/web", "an address of ssh", "git add HOST"),
        ("https://ci:s3cret@github.com/shop/web", "must not hold a user or a password", "git add HOST"),
        ("https://s3cret@github.com/shop/web", "must not hold a user or a password", "git add HOST"),
        ("http://github.com/shop/web", "neither hides the source", "https://"),
        ("git://github.com/shop/web", "neither hides the source", "https://"),
        ("file:///etc", "not the address", "https://github.com/shop/web"),
        ("ext::sh -c id", "not the address", "https://github.com/shop/web"),
        ("--upload-pack=id", "not the address", "https://github.com/shop/web"),
        ("https://github.com", "not the address", "https://github.com/shop/web"),
        ("https://github.com/shop/web?token=1", "not the address", "https://github.com/shop/web"),
        ("https://github.com/shop/web#main", "not the address", "https://github.com/shop/web"),
        ("https://github.com/shop/web\n--upload-pack=id", "not the address", "https://github.com/shop/web"),
        ("https://git\thub.com/shop/web", "not the address", "https://github.com/shop/web"),
        ("https://github.com/shop/w b", "not the address", "https://github.com/shop/web"),
        ("https://github.com:x/shop/web", "not the address", "https://github.com/shop/web"),
        ("https://[::1/shop/web", "not the address", "https://github.com/shop/web"),
        ("https://github.com/shop/wéb", "not the address", "https://github.com/shop/web"),
        ("https://github.com/" + "a" * 500, "more than 500 characters", ""),
    ],
)
def test_anything_else_is_refused_and_a_password_is_not_said_again(url: str, sentence: str, hint: str):
    with pytest.raises(Invalid, match=sentence) as refused:
        check_git_url(url)
    assert hint in str(refused.value.hint)
    assert "s3cret" not in f"{refused.value} {refused.value.hint}"


def test_plain_http_is_taken_where_a_setting_allows_it():
    assert check_git_url("http://127.0.0.1:8080/web.git", INSECURE) == "http://127.0.0.1:8080/web.git"
    assert check_git_url("git://[::1]:9418/web.git", INSECURE) == "git://[::1]:9418/web.git"


@pytest.mark.parametrize("ref", ["", "main", "feature/cart-2", "v1.2.3", "refs/tags/v1", "abc1234", "größe"])
def test_a_branch_or_a_tag_is_taken(ref: str):
    assert check_git_ref(f" {ref} ") == ref


@pytest.mark.parametrize(
    "ref",
    [
        *(
            "--upload-pack=id",
            "a b",
            "a..b",
            "a:b",
            "main^",
            "main~1",
            "a@{1}",
            "a//b",
            "a/",
            "a.lock",
            "/a",
            ".a",
        ),
        *("a/.b", "a\nb", "a" * 256, "a*", "a.", "a\\b", "a[b", "a?", "a\x9b2J", "a\u202eb"),
    ],
)
def test_what_git_would_not_call_a_branch_is_refused(ref: str):
    with pytest.raises(Invalid, match="no branch, tag or commit"):
        check_git_ref(ref)


def test_a_commit_is_known_by_its_whole_id():
    assert (check_commit(" " + "A" * 40), check_commit("")) == ("a" * 40, "")
    with pytest.raises(Invalid, match="no commit by its whole id"):
        check_commit("abc1234")


def test_a_manifest_lies_inside_the_repository():
    assert check_manifest_path("./services//web/convox.yml") == "services/web/convox.yml"
    assert check_manifest_path("") == "convox.yml"
    for path in ("/etc/passwd", "../x", "a/../../x", "a\nb", "a" * 256):
        with pytest.raises(Invalid, match="inside the repository"):
            check_manifest_path(path)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://GitHub.com/a/b", "github.com"),
        ("https://github.com:443/a/b", "github.com"),
        ("https://git.example:8443/a/b", "git.example:8443"),
        ("http://127.0.0.1:80/a", "127.0.0.1"),
    ],
)
def test_a_host_is_told_from_another_by_its_port(url: str, host: str):
    assert host_of_git(url) == host
