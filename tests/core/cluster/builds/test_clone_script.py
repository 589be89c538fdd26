"""The script that clones, run by a real shell with a real git, against repositories on loopback that git itself serves."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.api.clones import cloned_source
from core.cluster.builds.clone import GIT_REFUSED, NOT_STORED, clone_environment
from core.cluster.builds.clone_problem import clone_problem
from core.cluster.builds.script import PAUSES
from core.ports.builds import GitClone
from core.records.git_address import SECURE
from tests.core.cluster.builds.repositories import Host, git, ran, served

FILES = {"convox.yml": "services:\n  web: {build: ., port: 3000}\n", "Dockerfile": "FROM scratch\n"}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with served(tmp_path / "served") as made:
        yield made


WGETS = pytest.mark.parametrize(
    "wget",
    ["wget", pytest.param("busybox", marks=pytest.mark.skipif(not shutil.which("busybox"), reason="no busybox"))],
)  # fmt: skip


@WGETS
def test_a_repository_is_cloned_without_its_history_told_and_answered_by_what_to_build(
    tmp_path: Path, host: Host, wget: str
):
    host.repository("web", FILES)
    sha = host.commit("web", {"README": "größe"}, "mend the “cart”")
    host.away = 2
    done = ran(tmp_path, host, GitClone(url=f"{host.url}/web"), wget=wget)
    assert (done.code, done.message, done.script) == (0, "", "echo built\n")
    assert sorted(each.name for each in done.source.iterdir()) == ["Dockerfile", "README", "convox.yml"]
    assert (tmp_path / "tmp" / "git").exists() is False
    ((shown, body),) = host.told
    told = cloned_source(body)
    assert shown == f"Bearer {'0' * 64}"
    assert (told.commit, told.author, told.committed_at) == (sha, "Ada Lovelace", "2026-01-02T03:04:05+00:00")
    assert (told.subject, told.submodules, told.manifest) == ("mend the “cart”", 0, FILES["convox.yml"])


def test_a_branch_a_tag_and_a_commit_of_long_ago_are_found(tmp_path: Path, host: Host):
    first = host.repository("web", FILES)
    git(host.folder / "web", "tag", "-a", "v1", "-m", "one")
    second = host.commit("web", {"a": "2"}, "second")
    git(host.folder / "web", "branch", "feature/x", first)
    host.commit("web", {"a": "3"}, "third")
    for number, (clone, wanted) in enumerate(
        [
            (GitClone(url=f"{host.url}/web", ref="v1"), first),
            (GitClone(url=f"{host.url}/web", ref="feature/x"), first),
            (GitClone(url=f"{host.url}/web", commit=second), second),
            (GitClone(url=f"{host.url}/web", ref="main", commit=second), second),
        ]
    ):
        (place := tmp_path / str(number)).mkdir()
        assert ran(place, host, clone).code == 0
        assert cloned_source(host.told[-1][1]).commit == wanted


def test_a_server_that_hands_out_no_commit_by_its_id_hands_out_its_branch(tmp_path: Path, host: Host):
    """Version 0 of git's protocol, as old servers speak it."""
    first = host.repository("web", FILES)
    host.commit("web", {"a": "2"}, "second")
    host.old = True
    clone = GitClone(url=f"{host.url}/web", ref="main", commit=first)
    done = ran(tmp_path, host, clone)
    assert (done.code, done.message) == (0, "")
    assert cloned_source(host.told[0][1]).commit == first


def test_a_private_repository_opens_to_its_token_which_stands_nowhere(tmp_path: Path, host: Host):
    host.repository("private", FILES)
    done = ran(tmp_path, host, GitClone(url=f"{host.url}/private"), token=host.token)
    assert (done.code, done.message, done.output) == (0, "", "")
    for path in (each for each in tmp_path.rglob("*") if each.is_file() and "served" not in each.parts):
        assert host.token.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("clone", "token", "sentence"),
    [
        ({"url": "/private"}, "", "asks who clones: there is no such repository, or it is private"),
        ({"url": "/private"}, "wrong", "does not take the app's token: it is wrong, or has expired"),
        ({"url": "/nowhere"}, "", "there is no such repository at 127.0.0.1"),
        ({"url": "/web", "ref": "gone"}, "", "the repository has no branch, tag or commit gone"),
        ({"url": "/web", "commit": "1" * 40}, "", f"the repository has no branch, tag or commit {'1' * 40}"),
        ({"url": "/web", "ref": "main", "commit": "1" * 40}, "", f"no branch, tag or commit {'1' * 40}"),
    ],
)
def test_a_clone_that_is_refused_says_why_and_tells_the_bot_nothing(
    tmp_path: Path, host: Host, clone, token: str, sentence: str
):
    host.repository("private", FILES)
    host.repository("web", FILES)
    done = ran(tmp_path, host, GitClone(**(clone | {"url": host.url + clone["url"]})), token=token)
    assert (done.code, host.told) == (GIT_REFUSED, [])
    assert sentence in clone_problem(done.message)
    assert "token" not in done.message


def test_a_host_that_does_not_answer_is_asked_again_and_then_said(tmp_path: Path, host: Host):
    done = ran(tmp_path, host, GitClone(url="http://127.0.0.1:9/web"))
    assert done.code == GIT_REFUSED
    assert "127.0.0.1:9 does not answer" in clone_problem(done.message)


def test_a_redirection_to_another_host_gets_no_token(tmp_path: Path, host: Host):
    with served(tmp_path / "other") as other:
        other.repository("private", FILES)
        host.elsewhere = other.url
        done = ran(tmp_path, host, GitClone(url=f"{host.url}/moved/private"), token=host.token)
    assert done.code == GIT_REFUSED
    assert set(other.shown) == {""}


NOWHERE = "http://127.0.0.1:9"


def test_a_bot_that_cannot_be_told_ends_it_with_another_code(tmp_path: Path, host: Host):
    host.repository("web", FILES)
    done = ran(tmp_path, host, GitClone(url=f"{host.url}/web"), bot=NOWHERE)
    assert done.code == 1
    assert done.message == f"what was cloned could not be told to {NOWHERE}/clone\n"


@WGETS
def test_a_bot_that_cannot_store_it_is_told_for_longer_and_says_another_thing_to_do(
    tmp_path: Path, host: Host, wget: str
):
    """A full disk, for instance, on which somebody makes room."""
    host.repository("web", FILES)
    host.away = 12
    assert ran(tmp_path, host, GitClone(url=f"{host.url}/web"), wget=wget).code == 0
    host.away = 99
    done = ran(tmp_path, host, GitClone(url=f"{host.url}/web"), wget=wget)
    assert (done.code, host.away) == (NOT_STORED, 99 - len(PAUSES.split()))
    assert done.message == f"the bot at {host.url}/clone could not store what was cloned\n"


def test_no_link_of_a_repository_is_followed_to_what_the_pod_knows(tmp_path: Path, host: Host):
    host.repository("web", {"Dockerfile": "FROM scratch\n"})
    (host.folder / "web" / "convox.yml").symlink_to("/proc/self/environ")
    (host.folder / "web" / "proc").symlink_to("/proc/self")
    host.commit("web", {}, "evil")
    for number, path in enumerate(["convox.yml", "proc/environ"]):
        (place := tmp_path / str(number)).mkdir()
        assert ran(place, host, GitClone(url=f"{host.url}/web", manifest_path=path), token="hidden").code == 0
    assert [cloned_source(body).manifest for _, body in host.told] == ["/proc/self/environ", ""]


def test_submodules_are_counted_and_not_cloned(tmp_path: Path, host: Host):
    host.repository("lib", FILES)
    host.repository("web", FILES)
    web = host.folder / "web"
    git(
        web,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(host.folder / "lib"),
        "lib",
    )
    host.commit("web", {}, "with lib")
    done = ran(tmp_path, host, GitClone(url=f"{host.url}/web"))
    assert cloned_source(host.told[0][1]).submodules == 1
    assert list((done.source / "lib").iterdir()) == []


def test_pointers_of_git_lfs_are_counted(tmp_path: Path, host: Host):
    """An image with three lines in place of a model is found out by its users otherwise."""
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    host.repository("web", FILES | {"docs/lfs": pointer})
    assert ran(tmp_path, host, GitClone(url=f"{host.url}/web")).code == 0
    host.commit(
        "web", {"a.bin": pointer, "b/c.bin": pointer, "b/.gitattributes": "*.bin filter=lfs -text\n"}, "big"
    )
    assert ran(tmp_path, host, GitClone(url=f"{host.url}/web")).code == 0
    told = [cloned_source(body) for _, body in host.told]
    # One that is shown as an example, in a repository without LFS, is none.
    assert [(each.submodules, each.pointers, each.manifest) for each in told] == [
        (0, 0, FILES["convox.yml"]),
        (0, 3, FILES["convox.yml"]),
    ]


def test_a_second_run_in_the_same_pod_begins_anew(tmp_path: Path, host: Host):
    host.repository("web", FILES | {"old": "1"})
    clone = GitClone(url=f"{host.url}/web")
    assert ran(tmp_path, host, clone).code == 0
    git(host.folder / "web", "rm", "-q", "old")
    host.commit("web", {}, "without")
    done = ran(tmp_path, host, clone)
    assert sorted(each.name for each in done.source.iterdir()) == ["Dockerfile", "convox.yml"]


def test_only_https_is_spoken_and_the_helper_is_of_one_host():
    told = clone_environment(GitClone(url="https://git.example:8443/shop/web", ref="main"), SECURE)
    assert told["GIT_ALLOW_PROTOCOL"] == "https"
    assert told["GIT_ORIGIN"] == "https://git.example:8443"
    assert "GIT_USER" not in told


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("fatal: unable to access 'https://git.example/a/': The requested URL returned error: 403", "may not read this"),
        ("fatal: unable to access 'https://git.example/a/': Could not resolve host: git.example", "does not find git.example"),
        ("fatal: unable to access 'https://git.example/a/': SSL certificate problem: self-signed", "certificate of git.example"),
        ("remote: Please see https://docs.example/tokens\nfatal: Authentication failed for 'https://git.example/a/'", "git.example does not take"),
        ("fatal: unable to access 'https://git.example/a/': OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to git.example:443", "git.example does not answer"),
        ("fatal: unable to access 'https://git.example/a/': OpenSSL SSL_read: Connection reset by peer, errno 104", "git.example does not answer"),
        ("fatal: write error: No space left on device", "CONVOX_BUILD_DISK"),
        ("fatal: transport 'http' not allowed", "is not https"),
        ("fatal: something\nelse", "refused: fatal: something else"),
        ("", "git says nothing of it"),
    ],
)  # fmt: skip
def test_what_git_writes_becomes_a_sentence(written: str, sentence: str):
    assert sentence in clone_problem(written)
