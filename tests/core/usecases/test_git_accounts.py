"""Tokens with which an app's builds clone: kept sealed, handed to their clones, shown to nobody."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import Invalid, NotFound
from core.ports.builds import JobLogLine
from tests.core.building.nursery import builds_of, start_git
from tests.core.world import ALICE, BOB, World, by

URL, TOKEN = "https://git.example:8443/shop/web", "ghp-secret-token"


async def test_a_token_is_kept_sealed_and_takes_the_place_of_the_one_before(w: World, tmp_path: Path):
    await w.registrar.add_git_account(by(ALICE), "myapp", host="https://GitHub.com/", token="old")
    assert await w.registrar.add_git_account(by(BOB), "myapp", host="github.com", token=TOKEN) == "github.com"
    await w.registrar.add_git_account(by(ALICE), "myapp", host="bitbucket.org", token="b")
    await w.registrar.add_git_account(by(ALICE), "myapp", host="gitlab.com", user="deploy", token="g")
    kept = await w.store.read.git_accounts("myapp")
    assert [(each.host, each.user, each.secret) for each in kept] == [
        ("bitbucket.org", "x-token-auth", "b"),
        ("github.com", "x-access-token", TOKEN),
        ("gitlab.com", "deploy", "g"),
    ]
    shown = await w.viewer.git_accounts(by(ALICE), "myapp")
    assert [each.secret for each in shown] == [""] * 3
    with closing(sqlite3.connect(tmp_path / "convox.db")) as connection:
        assert TOKEN not in "\n".join(connection.iterdump())
    assert TOKEN not in repr(kept)


async def test_what_is_no_host_or_no_token_is_refused(w: World):
    with pytest.raises(Invalid, match="not the host of git repositories: github.com/shop"):
        await w.registrar.add_git_account(by(ALICE), "myapp", host="github.com/shop", token="x")
    with pytest.raises(Invalid, match="there is no token"):
        await w.registrar.add_git_account(by(ALICE), "myapp", host="github.com", token="")


async def test_a_token_is_forgotten_once(w: World):
    await w.registrar.add_git_account(by(ALICE), "myapp", host="github.com", token=TOKEN)
    assert await w.registrar.remove_git_account(by(ALICE), "myapp", "GITHUB.com") == "github.com"
    with pytest.raises(NotFound, match="myapp has no token at github.com"):
        await w.registrar.remove_git_account(by(ALICE), "myapp", "github.com")


async def test_a_clone_has_the_token_of_its_host_and_no_other_and_no_line_of_its_log_does(w: World):
    await w.registrar.add_git_account(by(ALICE), "myapp", host="git.example:8443", token=TOKEN)
    await w.registrar.add_git_account(by(ALICE), "myapp", host="git.example", token="of-another")
    b = builds_of(w)
    b.jobs.lines = [JobLogLine("1", f"who prints {TOKEN}")]
    queued = await start_git(b.starter, by(ALICE), "myapp", url=URL)
    await b.end(queued.run.id)
    (spec,) = b.jobs.started
    assert spec.git.account.secret == TOKEN
    assert TOKEN not in repr(spec)
    assert (await b.log(queued.run.id))[0] == "who prints ****"
    queued = await start_git(b.starter, by(ALICE), "myapp", url="https://elsewhere.example/shop/web")
    await b.end(queued.run.id)
    assert b.jobs.started[-1].git.account is None
    await b.supervisor.stop()
