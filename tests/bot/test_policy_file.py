"""The policy in force: from its file, from nowhere, and read again while the bot runs."""

import asyncio
from pathlib import Path

import pytest

from bot.policy_file import PolicyFile, keep_policy
from core.actor import Actor
from core.errors import Invalid, Unavailable
from storage.keys import Keyring
from storage.store import open_store
from tests.fakes import JumpingClock

ALICE = Actor("slack", "U01ALICE")
GRANTING = """\
roles: {viewer: [view]}
members: [{who: [U01ALICE], roles: [viewer]}]
"""


def may(held: PolicyFile, verb: str = "view") -> bool:
    return held.current.may(ALICE, verb, "myapp", {}).allowed  # type: ignore[arg-type]


def test_without_a_file_everybody_may_do_everything():
    held = PolicyFile(None, everything=True)
    assert may(held, "promote")


def test_a_file_grants_what_it_says_and_nothing_else(tmp_path: Path):
    (tmp_path / "policy.yml").write_text(GRANTING)
    held = PolicyFile(tmp_path / "policy.yml", everything=False)
    assert (may(held), may(held, "promote")) == (True, False)


def test_with_an_open_rack_a_file_still_rules_approvals(tmp_path: Path):
    (tmp_path / "policy.yml").write_text('apps: [{match: ["*"], approvals: {promote: {count: 1}}}]\n')
    held = PolicyFile(tmp_path / "policy.yml", everything=True)
    assert may(held, "promote")
    assert held.current.rules("myapp").promote.count == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(Invalid, match=r"^the policy .*nowhere\.yml cannot be read: .*No such file"):
        PolicyFile(tmp_path / "nowhere.yml", everything=False)
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match=r"binary\.yml cannot be read"):
        PolicyFile(tmp_path / "binary.yml", everything=False)


def test_a_changed_file_holds_once_it_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "policy.yml"
    path.write_text(GRANTING)
    held = PolicyFile(path, everything=False)
    path.write_text(GRANTING.replace("U01ALICE", "U02BOB"))
    assert may(held)
    with caplog.at_level("INFO", logger="bot.policy_file"):
        held.reload()
    assert not may(held)
    assert "the policy was read again" in caplog.text


def test_a_bad_new_file_keeps_the_old_policy_and_says_every_problem(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "policy.yml"
    path.write_text(GRANTING)
    held = PolicyFile(path, everything=False)
    path.write_text(GRANTING.replace("[view]", "[vieww]").replace("U01ALICE", "alice"))
    held.reload()
    assert may(held)
    assert "the last good one stays in force" in caplog.text
    assert "line 1: " in caplog.text
    assert "line 2: " in caplog.text


def test_a_file_that_is_gone_keeps_the_old_policy(tmp_path: Path):
    path = tmp_path / "policy.yml"
    path.write_text(GRANTING)
    held = PolicyFile(path, everything=False)
    path.unlink()
    held.reload()
    assert may(held)


BAD = GRANTING.replace("[view]", "[vieww]")


def test_a_start_with_a_bad_file_is_ruled_by_the_last_good_one_loudly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "policy.yml"
    path.write_text(BAD)
    held = PolicyFile(path, everything=False, last=GRANTING)
    assert may(held)
    assert "line 1: " in held.problem
    assert "the last good one stays in force" in caplog.text
    path.write_text(GRANTING.replace("U01ALICE", "U02BOB"))
    held.reload()
    assert not may(held)
    assert (held.problem, held.changed.is_set()) == ("", True)


def test_where_the_last_good_one_is_none_any_more_the_bad_file_ends_the_start(tmp_path: Path):
    path = tmp_path / "policy.yml"
    path.write_text(BAD)
    for last in ("", BAD):
        with pytest.raises(Invalid, match="vieww"):
            PolicyFile(path, everything=False, last=last)


async def test_what_is_good_is_kept_over_a_restart_and_what_is_bad_is_not(tmp_path: Path):
    path, clock = tmp_path / "policy.yml", JumpingClock()
    path.write_text(GRANTING)
    keys = Keyring([Keyring.generate()])
    async with open_store(tmp_path / "convox.db", keys, clock) as store:
        assert await store.policies.last() == ""
        held = PolicyFile(path, everything=False)
        await kept(held, store.policies.keep, clock)
        path.write_text(BAD)
        held.reload()
        assert not held.changed.is_set()
    async with open_store(tmp_path / "convox.db", keys, clock) as store:
        held = PolicyFile(path, everything=False, last=await store.policies.last())
    assert may(held)
    assert held.problem
    assert GRANTING.encode() not in (tmp_path / "convox.db").read_bytes(), "it is sealed"


async def kept(held: PolicyFile, keep, clock) -> None:
    """Run what keeps policies until the one that is in force is kept."""
    done = asyncio.Event()

    async def keep_and_tell(text: str) -> None:
        await keep(text)
        done.set()

    keeping = asyncio.create_task(keep_policy(held, keep_and_tell, clock))
    await done.wait()
    keeping.cancel()


async def test_a_policy_that_cannot_be_kept_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path, clock, told = tmp_path / "policy.yml", JumpingClock(), []
    path.write_text(GRANTING)
    done = asyncio.Event()

    async def keep(text: str) -> None:
        told.append(text)
        if len(told) == 1:
            raise Unavailable("the database cannot be used: its disk is full")
        done.set()

    keeping = asyncio.create_task(keep_policy(PolicyFile(path, everything=False), keep, clock))
    await done.wait()
    keeping.cancel()
    assert told == [GRANTING, GRANTING]
    assert "cannot be kept for the next start" in caplog.text
