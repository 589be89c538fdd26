import re
import sqlite3
from pathlib import Path

import pytest

from core.promotion import IN_FLIGHT, SETTLED, TOUCHED_ENDINGS, Phase
from storage.migrate import MIGRATIONS
from storage.queries import HEADER, QUERIES, load

STORAGE = Path(__file__).parents[2] / "storage"


class Anything(dict):
    def __missing__(self, name):
        return None


@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:")
    for migration in MIGRATIONS:
        connection.executescript(migration.script)
    yield connection
    connection.close()


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_fits_the_schema(database, name):
    assert database.execute(f"EXPLAIN {QUERIES[name]}", Anything()).fetchall()


def test_every_query_is_used_and_every_used_one_exists():
    code = "\n".join(file.read_text() for file in STORAGE.rglob("*.py"))
    assert [name for name in QUERIES if f'"{name}"' not in code] == []


def test_every_statement_has_a_name_and_a_sentence():
    for file in (STORAGE / "sql" / "queries").glob("*.sql"):
        text = file.read_text()
        statements = len(re.findall(r";\s*$", text, re.MULTILINE))
        assert statements == len(HEADER.findall(text)), file.name
        assert all(sentence.endswith(".") for _, sentence in HEADER.findall(text)), file.name


def test_a_name_that_is_taken_and_text_without_a_header_are_refused(tmp_path):
    (tmp_path / "a.sql").write_text("-- one --\n-- A thing.\nSELECT 1;\n")
    assert load(tmp_path) == {"one": "SELECT 1;"}
    (tmp_path / "b.sql").write_text("-- one --\n-- Another.\nSELECT 2;\n")
    with pytest.raises(ValueError, match=r"b\.sql"):
        load(tmp_path)
    (tmp_path / "b.sql").write_text("SELECT 2;\n-- two --\n-- Another.\nSELECT 2;\n")
    with pytest.raises(ValueError, match=r"b\.sql"):
        load(tmp_path)


def phases_in(sql):
    return [set(re.findall(r"'(\w+)'", group)) for group in re.findall(r"phase IN \(([^)]*)\)", sql)]


def test_the_phases_in_sql_are_those_of_the_core():
    unsettled = set(Phase) - SETTLED
    assert phases_in(QUERIES["in_flight"]) == [IN_FLIGHT]
    assert phases_in(QUERIES["another_in_flight"]) == [IN_FLIGHT, IN_FLIGHT]
    assert phases_in(QUERIES["unsettled"]) == [unsettled]
    assert phases_in(QUERIES["last_touched_phase"]) == [TOUCHED_ENDINGS]
    assert phases_in("\n".join(m.script for m in MIGRATIONS)) == [IN_FLIGHT, unsettled]


def test_frequent_queries_never_scan_what_grows(database):
    for name in (
        "in_flight",
        "unsettled",
        "cards_due",
        "threads_due",
        "posts_unknown",
        "pending_deliveries",
        "lines",
    ):
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", Anything())]
        scans = [
            step
            for step in plan
            if step.startswith("SCAN") and "USING" not in step and "CONSTANT" not in step
        ]
        assert scans == [], name


def test_every_table_is_strict(database):
    tables = database.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    assert [name for name, strict in tables if not strict and not name.startswith("sqlite_")] == []
