"""A build of a git repository, from its request to what its clone has told."""

import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import Forbidden, Invalid, NotFound, Unauthorized
from core.policy.authorization import parse_policy
from tests.bot.api.asking import policy_of
from tests.core.building.nursery import Builds, builds
from tests.core.world import ALICE, BOB, by

URL, SHA = "https://github.com/shop/web.git", "0123456789" * 4


@pytest.fixture
async def b(tmp_path: Path) -> AsyncGenerator[Builds]:
    async with builds(tmp_path) as made:
        made.hold()
        yield made


async def test_what_was_asked_for_waits_with_all_that_is_known_of_it(b: Builds, tmp_path: Path):
    queued = await b.starter.start_git(
        by(ALICE), "myapp", url=URL, ref="main", commit=SHA, author="Ada\nLovelace", no_cache=True
    )
    run = await b.w.store.read.build_run(queued.run.id)
    asked = run.request
    assert (asked.git_url, asked.git_ref, asked.git_sha, asked.author) == (URL, "main", SHA, "Ada Lovelace")
    assert (asked.repository, asked.source, asked.awaits_clone) == (
        "https://github.com/shop/web",
        "",
        True,
    )
    (entry,) = await b.w.store.read.build_entries("myapp", 9)
    assert (entry.description, entry.git_sha) == ("github.com/shop/web.git main", SHA)
    with closing(sqlite3.connect(tmp_path / "convox.db")) as connection:
        (row,) = connection.execute("SELECT detail FROM audit WHERE action = 'build.start'").fetchall()
    assert json.loads(row[0]) == {"app": "myapp", "git_sha": SHA, "git": URL, "ref": "main"}


async def test_a_ref_that_is_a_commit_is_cloned_as_one(b: Builds):
    queued = await b.starter.start_git(by(ALICE), "myapp", url=URL, ref=SHA.upper(), description="mine")
    assert (queued.run.request.git_ref, queued.run.request.git_sha) == ("", SHA)
    assert queued.run.request.title == "mine"


async def test_without_a_ref_it_is_called_by_its_address(b: Builds):
    queued = await b.starter.start_git(by(ALICE), "myapp", url=URL)
    assert queued.run.request.title == "github.com/shop/web.git"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"url": "https://ci:token@github.com/shop/web"}, Invalid),
        ({"ref": "--evil"}, Invalid),
        ({"commit": "abc"}, Invalid),
        ({"manifest_path": "../convox.yml"}, Invalid),
        ({"build_args": {"no name": "1"}}, Invalid),
        ({"app": "nowhere"}, NotFound),
    ],
)
async def test_what_cannot_be_cloned_is_refused_at_once(b: Builds, given, error):
    with pytest.raises(error):
        await b.starter.start_git(by(ALICE), **({"app": "myapp", "url": URL} | given))
    assert await b.w.store.read.open_builds() == []


async def test_who_may_not_promote_asks_for_no_build_that_is_promoted_next(b: Builds):
    b.w.policy = parse_policy(policy_of("build", who="U02BOB"))
    with pytest.raises(Forbidden):
        await b.starter.start_git(by(BOB), "myapp", url=URL, to_promote=True)
    await b.starter.start_git(by(BOB), "myapp", url=URL)


async def test_nothing_was_uploaded_so_no_token_opens_a_source(b: Builds):
    queued = await b.starter.start_git(by(ALICE), "myapp", url=URL)
    with pytest.raises(Unauthorized):
        await b.starter.source(queued.run.id, "0" * 64)
