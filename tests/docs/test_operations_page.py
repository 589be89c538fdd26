"""What docs/operations.md tells an operator to do works, and the sentences it explains are those that are said."""

import asyncio
import re
from dataclasses import replace

import pytest

from bot.cli.main import main
from core.cluster.anchor import objection
from core.records.anchor import ADOPTED
from core.records.claim import Claim
from storage.keys import Keyring
from storage.store import open_store
from tests.core.world import world
from tests.docs.pages import ROOT, blocks, codes, page, rows, section
from tests.fakes import JumpingClock

TEXT = page("operations.md")
RESTORE = section(TEXT, "After a restore")
ASKING = Claim(installation="here", token=5, promotion="PMINE")


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


@pytest.mark.parametrize(
    ("anchor", "uid", "known"),
    [
        ({"installation": "here", "token": "9", "namespace-uid": "uid"}, "uid", None),
        ({"installation": "here", "token": "5", "promotion": "POTHER", "namespace-uid": "uid"}, "uid", None),
        ({"installation": "other", "token": "1", "namespace-uid": "uid"}, "uid", None),
        ({}, "uid", "earlier"),
        ({"installation": "here", "token": "1", "namespace-uid": "copied"}, "uid", None),
        ({"installation": "here", "token": "9", "promotion": ADOPTED, "namespace-uid": "uid"}, "uid", None),
    ],
)
async def test_every_objection_of_the_anchor_is_explained(tmp_path, anchor, uid, known):
    explained = [
        re.escape(codes([row[0]])[0]).replace("N", r"\d+").replace("M", r"\d+") for row in rows(RESTORE)
    ]
    async with world(tmp_path) as made:
        app = await made.store.read.app("myapp")
    app = replace(app, namespace_uid=known)

    asking = replace(ASKING, touched=anchor.get("promotion") == ADOPTED)
    sentence = objection("convox-myapp", anchor, uid, app, asking)

    assert sum(bool(re.search(pattern, sentence)) for pattern in explained) == 1
    assert "`convox-bot adopt myapp" in sentence or asking.touched


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
