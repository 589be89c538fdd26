"""What docs/operations.md tells an operator to do works, and the sentences it explains are those that are said."""

import asyncio
import re
import sqlite3
from dataclasses import replace

import pytest

from bot.cli.main import main
from core.cluster.anchor import objection
from core.records.claim import Claim
from storage.keys import Keyring
from storage.store import open_store
from tests.core.world import world
from tests.docs.pages import ROOT, blocks, codes, page, rows, section
from tests.fakes import JumpingClock

TEXT = page("operations.md")
RESTORE = section(TEXT, "After a restore")
ASKING = Claim(installation="here", token=5, promotion="PMINE")
SET_NUMBER, FORGET = blocks(RESTORE, "sql")


def test_an_installation_by_hand_is_as_locked_as_the_image():
    (lines,) = [block.splitlines() for block in blocks(section(TEXT, "Install"), "sh")]
    installs = [line for line in lines if " install " in line]

    assert [re.findall(r"-r (\S+)|( \.)$", line) for line in installs] == [
        [("requirements.lock", "")],
        [("requirements-build.lock", "")],
        [("", " .")],
    ]
    assert all("--no-deps" in line for line in installs)
    assert all("--require-hashes" in line for line in installs[:2])
    assert "--no-build-isolation" in installs[2]


def run(path, statement):
    with sqlite3.connect(path) as connection:
        changed = connection.execute(statement).rowcount
    connection.close()
    return changed


async def test_a_backup_as_the_page_makes_it_is_restored_on_another_machine(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("CONVOX_DATABASE", raising=False)
    asked = [re.sub("/data/", "", found) for found in re.findall(r"convox-bot (backup \S+\.db)", TEXT)]
    assert set(asked) == {"backup backup.db"}
    keys = Keyring([Keyring.generate()])
    clock = JumpingClock()
    async with open_store(here / "convox.db", keys, clock) as store:
        await asyncio.to_thread(main, asked[0].split())
        original = await store.read.installation()

    (here / "backup.db").rename(there / "convox.db")
    monkeypatch.chdir(there)
    assert await asyncio.to_thread(main, ["audit", "verify"]) == 0
    async with open_store(there / "convox.db", keys, clock) as store:
        assert await store.read.installation() == original


async def test_setting_the_number_lets_a_restored_database_write_again(tmp_path):
    async with world(tmp_path) as made:
        app = await made.store.read.app("myapp")
        anchor = {"installation": "here", "token": "7", "namespace-uid": "uid"}
        next_one = replace(ASKING, token=app.token + 1)
        assert objection("convox-myapp", anchor, "uid", app, next_one)

        assert run(tmp_path / "convox.db", re.sub(r"\bN\b", "7", SET_NUMBER)) == 1

        app = await made.store.read.app("myapp")
        assert app.token == 7
        next_one = replace(ASKING, token=app.token + 1)
        assert objection("convox-myapp", anchor, "uid", app, next_one) == ""


async def test_forgetting_a_namespace_lets_a_new_one_be_used(tmp_path):
    async with world(tmp_path) as made:
        await made.good()
        app = await made.store.read.app("myapp")
        assert app.namespace_uid
        assert objection("convox-myapp", {}, "another", app, ASKING)

        assert run(tmp_path / "convox.db", FORGET) == 1

        app = await made.store.read.app("myapp")
        assert objection("convox-myapp", {}, "another", app, ASKING) == ""


@pytest.mark.parametrize(
    ("anchor", "uid", "known"),
    [
        ({"installation": "here", "token": "9", "namespace-uid": "uid"}, "uid", None),
        ({"installation": "here", "token": "5", "promotion": "POTHER", "namespace-uid": "uid"}, "uid", None),
        ({"installation": "other", "token": "1", "namespace-uid": "uid"}, "uid", None),
        ({}, "uid", "earlier"),
        ({"installation": "here", "token": "1", "namespace-uid": "copied"}, "uid", None),
    ],
)
async def test_every_objection_of_the_anchor_is_explained(tmp_path, anchor, uid, known):
    explained = [
        re.escape(codes([row[0]])[0]).replace("N", r"\d+").replace("M", r"\d+") for row in rows(RESTORE)
    ]
    async with world(tmp_path) as made:
        app = await made.store.read.app("myapp")
    app = replace(app, namespace_uid=known)

    sentence = objection("convox-myapp", anchor, uid, app, ASKING)

    assert sum(bool(re.search(pattern, sentence)) for pattern in explained) == 1


@pytest.mark.parametrize(
    "words",
    [
        "another convox-bot serve uses",
        "less than 10 % of the database's disk is free, so nothing new starts",
        "the database cannot be used: ",
        "the cluster does not answer",
        "use convox-bot ≥ ",
        "another tool owns",
        "exists already and is not the bot's own",
        "I am not in this channel: /invite @convox",
        "app is currently updating",
        "is on hold",
        "rollback failed, a person is needed",
    ],
)
def test_a_sentence_that_the_page_explains_is_said_somewhere(words):
    code = "".join(
        path.read_text(encoding="utf-8")
        for top in ("bot", "core", "storage")
        for path in (ROOT / top).rglob("*.py")
    )

    assert words.strip() in TEXT
    assert words in code
