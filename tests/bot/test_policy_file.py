"""The policy in force: from its file, from nowhere, and read again while the bot runs."""

from pathlib import Path

import pytest

from bot.policy_file import PolicyFile
from core.actor import Actor
from core.errors import Invalid

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
    assert "the old one stays in force" in caplog.text
    assert "line 1: " in caplog.text
    assert "line 2: " in caplog.text


def test_a_file_that_is_gone_keeps_the_old_policy(tmp_path: Path):
    path = tmp_path / "policy.yml"
    path.write_text(GRANTING)
    held = PolicyFile(path, everything=False)
    path.unlink()
    held.reload()
    assert may(held)
