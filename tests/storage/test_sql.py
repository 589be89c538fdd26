import re
import sqlite3
from pathlib import Path

import pytest

from core.lifecycle.delivery_stats import FAILED
from core.promotion import IN_FLIGHT, SETTLED, TOUCHED_ENDINGS, WAITING, Phase
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
    for name in ("rollouts_without_digest", "join_digest", "digests_due"):
        assert phases_in(QUERIES[name]) == [IN_FLIGHT], name
    assert phases_in(QUERIES["unsettled"]) == [unsettled]
    assert phases_in(QUERIES["last_touched_phase"]) == [TOUCHED_ENDINGS]
    assert phases_in(QUERIES["awaiting"]) == phases_in(QUERIES["all_awaiting"]) == [WAITING]
    # Before the last three, indexes that later phases have made anew; these count endings, and find those that failed.
    assert phases_in("\n".join(m.script for m in MIGRATIONS))[-7:] == [
        IN_FLIGHT,
        unsettled,
        WAITING,
        TOUCHED_ENDINGS,
        SETTLED,
        SETTLED,
        FAILED,
    ]
    assert phases_in(QUERIES["last_ends"]) == [SETTLED]
    assert phases_in(QUERIES["last_failures"]) == [FAILED]


# What may be read from one end to the other: it grows with apps, keys, tokens and open work, never with history.
# `newest` is a few rows of a statement itself.
SMALL = {
    *(
        "newest",
        "meta",
        "apps",
        "tokens",
        "promotion_phases",
        "build_endings",
        "promotion_jobs",
        "prune_jobs",
        "scale_jobs",
        "freezes",
        "retention_marks",
        "subscriptions",
        "event_endings",
    ),
    *("promotion_endings", "rollout_times"),
}
# Partial indexes: of what is still to be done, and of what is kept for a day.
OPEN = {
    "cards_due",
    "cards_open",
    "promotions_awaiting",
    "promotions_unsettled",
    "intake_pending",
    "intake_handled",
    "outbox_open",
    "notices_open",
    "digests_open",
    "pictures_open",
    "builds_open",
    "builds_queued",
    "builds_running",
    "notices_told",
}
# Once, at an upgrade.
UPGRADES = {"sealed_words", "sealed_holds", "sealed_active_bundles", "sealed_bundles", "count_bundles"}
# The first row of the order in which the table lies is all that is read.
FIRST_ROW = {"audit_head"}
SCAN = re.compile(r"^SCAN (?:\d+ )?(?P<table>\w+)(?: USING (?:COVERING )?INDEX (?P<index>\w+))?")


def test_what_somebody_is_told_next_is_found_without_sorting_what_waits(database):
    """Ten thousand events wait for one that is away; each of them is looked for once."""
    plan = [
        row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {QUERIES['outgoing_event_due']}", Anything())
    ]
    assert not [step for step in plan if "TEMP B-TREE" in step or "SCAN" in step], plan


def scans(database, statement):
    """Return the tables that a statement reads from one end to the other, but for those that never grow large."""
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", Anything())]
    found = [match for step in plan if (match := SCAN.match(step))]
    return [
        scan.string
        for scan in found
        if scan["table"] not in SMALL | {"CONSTANT", "json_each", "value"} and scan["index"] not in OPEN
    ]


@pytest.mark.parametrize("name", sorted(set(QUERIES) - UPGRADES - FIRST_ROW))
def test_no_query_reads_a_table_from_end_to_end_that_grows_with_history(database, name):
    assert scans(database, QUERIES[name]) == []


def test_a_query_that_reads_a_table_from_end_to_end_is_found(database):
    assert scans(database, "SELECT * FROM releases WHERE description = 'x'") == ["SCAN releases"]
    assert scans(database, "SELECT phase, count(*) FROM promotions GROUP BY phase") == ["SCAN promotions"]
    assert QUERIES.keys() >= UPGRADES | FIRST_ROW


def test_every_table_is_strict(database):
    tables = database.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    ).fetchall()
    assert [name for name, strict in tables if not strict and not name.startswith("sqlite_")] == []
