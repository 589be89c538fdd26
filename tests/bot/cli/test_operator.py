"""The commands of an operator: what they print, and with which status they end."""

import asyncio
import csv
import io
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from bot.admin.audit import cell, since
from bot.cli.main import main
from core.errors import Invalid
from storage.keys import Keyring
from tests.storage.before import database_of_before

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("CONVOX_DATABASE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def audited(capsys):
    """A database with two rows in its audit."""
    for name in ("ci", "nightly"):
        assert main(["token", "create", name]) == 0
    capsys.readouterr()


def tamper(statement):
    with sqlite3.connect("convox.db") as connection:
        connection.execute("DROP TRIGGER audit_is_kept")
        connection.execute("DROP TRIGGER audit_is_final")
        connection.execute(statement)
    connection.close()


def test_a_whole_chain_is_said_with_its_head(audited, capsys):
    assert main(["audit", "verify"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("the audit is whole: 2 rows, head ")
    first, second = out.splitlines()
    assert len(first.split()[-1]) == 64
    assert "--cluster does that" in second


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET subject = 'x' WHERE seq = 2", "DELETE FROM audit WHERE seq = 1"]
)
def test_a_broken_chain_is_told_where_and_fails(audited, capsys, statement):
    tamper(statement)
    assert main(["audit", "verify"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"the audit is broken at row {2 if 'UPDATE' in statement else 1}: ")


def test_rows_are_exported_as_json_and_as_csv(audited, capsys):
    assert main(["audit", "export", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["audit", "export", "--csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [row["subject"] for row in rows] == [row["subject"] for row in table] == ["ci", "nightly"]
    assert rows[0]["action"] == table[0]["action"] == "token.create"
    assert rows[0]["detail"] == json.loads(table[0]["detail"])
    assert rows[1]["prev_hash"] == rows[0]["hash"]


def test_only_what_is_newer_is_exported(audited, capsys):
    assert main(["audit", "export", "--since", "2999-01-01"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["audit", "export", "--since", "1d"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["audit", "export", "--since", "yesterday"]) == 2
    assert "'yesterday' says no time" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2027-01-01", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2027-01-01T08:00+01:00", datetime(2027, 1, 1, 7, tzinfo=UTC)),
    ],
)
def test_since_is_a_span_a_day_or_a_time(text, at):
    assert since(text, NOW) == at


@pytest.mark.parametrize("text", ["", "0d", "d", "1w", "-3d", "0001-01-01T00:00+14:00"])
def test_any_other_word_is_no_time(text):
    with pytest.raises(Invalid, match="says no time"):
        since(text, NOW)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_is_a_formula(text):
    assert cell(text) == f"'{text}"
    assert cell("a=1") == "a=1"
    assert cell(3) == 3


def test_a_backup_is_checked_and_overwrites_nothing(audited, folder, capsys):
    assert main(["backup", "backup.db"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Backing up convox.db to backup.db... OK\n")
    assert "an audit of 2 rows that is whole" in out
    assert main(["backup", "backup.db"]) == 2
    assert "backup.db exists already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["backup.db/b.db", "nowhere/b.db", "b" * 252, "b" * 300])
def test_a_backup_that_cannot_have_its_name_says_so(audited, folder, capsys, name):
    (folder / "backup.db").write_text("mine")
    assert main(["backup", name]) == 2
    assert f"convox.db cannot be copied to {name}: " in capsys.readouterr().err
    assert (folder / "backup.db").read_text() == "mine"


def test_a_database_that_is_to_be_upgraded_is_backed_up_all_the_same(folder, capsys):
    async def older():
        async with database_of_before(folder / "convox.db", Keyring.generate()):
            pass

    asyncio.run(older())
    assert main(["backup", "backup.db"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Backing up convox.db to backup.db... OK\n")
    assert "bytes of an older convox-bot" in out
    with sqlite3.connect("backup.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_a_backup_of_a_broken_audit_says_so(audited, folder, capsys):
    tamper("DELETE FROM audit WHERE seq = 1")
    assert main(["backup", "backup.db"]) == 2
    assert "is a copy of a database whose audit is broken at row 1" in capsys.readouterr().err
    assert (folder / "backup.db").exists()


@pytest.mark.parametrize("command", [["backup", "b.db"], ["audit", "verify"], ["audit", "export"]])
def test_without_a_database_nothing_is_made(folder, capsys, command):
    assert main(command) == 2
    assert "there is no database" in capsys.readouterr().err
    assert not list(folder.iterdir())
