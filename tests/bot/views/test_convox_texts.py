"""Tables, blocks of facts, times and outcomes: the same characters as Convox prints."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.views import confirmations
from bot.views.apps import app_info, app_list
from bot.views.builds import build_info, build_list
from bot.views.env import env_list
from bot.views.releases import below_list, release_info, release_list, release_manifest, status_note
from bot.views.tables import facts, table
from bot.views.times import elapsed, humanise, spoken, stamp
from core.promotion import Phase
from core.records.environment import Environment
from core.records.release import ReleaseStatus
from core.sentence import Sentence
from tests.bot.views.samples import ANA, APP, BUILD, NEW, NOW, OLD, WAITING, golden, listed

HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "now"),
        (1, "1 second ago"),
        (1.5, "1 second ago"),
        (2, "2 seconds ago"),
        (59, "59 seconds ago"),
        (61, "1 minute ago"),
        (120, "2 minutes ago"),
        (3599, "59 minutes ago"),
        (HOUR, "1 hour ago"),
        (2 * HOUR, "2 hours ago"),
        (DAY, "1 day ago"),
        (49 * HOUR, "2 days ago"),
        (7 * DAY, "1 week ago"),
        (13 * DAY, "1 week ago"),
        (29 * DAY, "4 weeks ago"),
        (31 * DAY, "1 month ago"),
        (60 * DAY, "2 months ago"),
        (359 * DAY, "11 months ago"),
        (360 * DAY, "1 year ago"),
        (540 * DAY, "2 years ago"),
        (720 * DAY, "2 years ago"),
        (40 * 360 * DAY, "40 years ago"),
        (-0.5, "now"),
        (-90, "1 minute from now"),
        (-3 * DAY, "3 days from now"),
    ],
)
def test_time_is_humanised_with_convox_thresholds(seconds, text):
    assert humanise(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (25, "25s"), (120, "2m0s"), (5405, "90m5s"), (-3, "0s")]
)
def test_elapsed_time_never_rolls_into_hours(seconds, text):
    assert elapsed(NOW, NOW + timedelta(seconds=seconds)) == text


def test_what_has_not_ended_has_no_elapsed_time():
    assert elapsed(NOW, None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (41.9, "41 s"), (120, "2 min"), (134, "2 min 14 s"), (3600, "1 h"), (3900, "1 h 5 min")],
)
def test_durations_in_sentences_read_well(seconds, text):
    assert spoken(seconds) == text


def test_times_are_rfc_3339_in_utc_and_whole_seconds():
    assert stamp(NOW.replace(microsecond=999_999)) == "2026-11-23T14:05:00Z"


def test_an_empty_list_is_its_header():
    assert release_list([], None, NOW) == "ID  STATUS  BUILD  CREATED  DESCRIPTION"


def test_an_empty_last_cell_leaves_its_gap_as_in_convox():
    assert table(("APP", "RELEASE"), [("myapp", "")]) == "APP    RELEASE\nmyapp  "


def test_a_description_of_many_lines_stays_one_row():
    rows = release_list([replace(NEW, description="one\ntwo\tthree")], None, NOW).split("\n")

    assert len(rows) == 2
    assert rows[1].endswith("  one two three")


def test_a_very_long_cell_is_cut_and_says_so():
    row = release_list([replace(NEW, description="x" * 5000)], None, NOW).split("\n")[1]

    assert row.endswith("x…")
    assert len(row) < 300


def test_further_lines_of_a_value_stand_under_its_first():
    assert facts([("Id", "R1"), ("Env", "A=1\nB=2")]) == "Id   R1\nEnv  A=1\n     B=2"


def test_the_list_of_releases():
    env_only = replace(
        OLD, id="RCCCCCCCCCC", build=None, description="", created_at=NOW - timedelta(seconds=61)
    )

    golden("releases.txt", release_list([NEW, env_only, OLD], "RAAAAAAAAAA", NOW))


def test_one_release_hides_its_values_and_keeps_their_order():
    golden("release-info.txt", release_info(replace(NEW, environment=NEW.environment.masked())))


def test_one_release_with_its_values_revealed():
    golden("release-info-revealed.txt", release_info(NEW))


def test_the_list_of_builds():
    other: Any = {"status": "running"}  # as builds in the cluster will have it
    running = replace(BUILD, id="BRUNNINGXXX", release="", **other)

    golden("builds.txt", build_list([BUILD, running], NOW))


def test_one_build():
    golden("build-info.txt", build_info(BUILD, NOW))


def test_the_list_of_apps_says_what_each_is_doing():
    apps = [APP, replace(APP, name="api", active_release=None), replace(APP, name="job")]
    flying = {"api": replace(WAITING, phase=Phase.UPDATING), "job": replace(WAITING, phase=Phase.ROLLBACK)}

    golden("apps.txt", app_list(apps, flying))


def test_one_app_shows_what_runs_and_not_what_is_on_its_way():
    golden("app-info.txt", app_info(APP, replace(WAITING, phase=Phase.PENDING)))


def test_a_manifest_is_shown_without_blank_lines_around_it():
    assert release_manifest(replace(BUILD, manifest="\n\nservices: {}\n\n")) == "services: {}"


def test_an_environment_is_sorted_as_convox_sorts_lines():
    pairs = (("a", "5"), ("A_B", "4"), ("AB", "3"), ("A", "1"), ("A1", "2"))

    assert env_list(Environment(pairs)) == "A1=2\nA=1\nAB=3\nA_B=4\na=5"


def test_a_listed_environment_hides_its_values():
    assert env_list(Environment((("B", "s3cr3t"), ("A", "x"))).masked()) == "A=****\nB=****"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (confirmations.setting(["CCC", "AAA", "CCC"], "R1"), "Setting AAA, CCC... OK\nRelease: R1"),
        (confirmations.unsetting(["FOO"], "R1"), "Unsetting FOO... OK\nRelease: R1"),
        (confirmations.promoting("R1"), "Promoting R1..."),
        (confirmations.rolling_back("R1", "R2"), "Rolling back to R1... OK, R2"),
        (confirmations.cancelling("web"), "Cancelling deployment of web... OK"),
        (confirmations.creating("web"), "Creating web... OK"),
        (confirmations.linking("web"), "Linking web to this channel... OK"),
        (confirmations.unlinking("web"), "Unlinking web... OK"),
        (confirmations.declining(WAITING), "Declining PABCDEFGHIJ... OK"),
        (confirmations.approving(WAITING, 0), "Approving PABCDEFGHIJ... OK\nPromoting RABCDEFGHIJ..."),
        (confirmations.approving(WAITING, 1), "Approving PABCDEFGHIJ... OK\n1 more approval is needed"),
        (confirmations.approving(WAITING, 2), "Approving PABCDEFGHIJ... OK\n2 more approvals are needed"),
        (
            confirmations.waiting(WAITING),
            "Waiting for 2 approvals: `approve PABCDEFGHIJ`",
        ),
        (
            confirmations.waiting(replace(WAITING, channel="C1", approvals_needed=1)),
            "Waiting for 1 approval: #C1, or `approve PABCDEFGHIJ`",
        ),
    ],
)
def test_what_was_done_is_said_in_convox_words(text, expected):
    assert str(text) == expected


def test_an_app_whose_namespace_an_administrator_must_make_comes_with_the_command():
    assert confirmations.creating("web", "kubectl apply -f -").endswith(
        "An administrator runs:\nkubectl apply -f -"
    )


def test_without_a_channel_the_answer_says_how_to_get_a_card():
    assert "/convox link web" in confirmations.no_card("web")


def test_a_list_names_the_releases_on_hold():
    entries = [listed(NEW, held=True), listed(OLD, build_held=True)]

    assert below_list(entries, OLD.id) == (
        f"on hold: {NEW.id}, {OLD.id} (with its build {OLD.build}); "
        "promoting one of them needs a reason, which --ask asks for"
    )
    assert below_list([], OLD.id) == ""


def test_an_app_without_a_verified_release_says_so():
    assert below_list([], None) == "no release yet"
    assert below_list([listed(NEW, held=True)], None).startswith("no release yet\non hold: ")
    bare = replace(APP, active_release=None)
    assert app_list([bare], {}).splitlines()[1] == "web  running  no release yet"
    assert app_info(bare, None).splitlines()[-1] == "Release     no release yet"


def test_the_active_release_is_listed_where_it_is_further_down_too():
    *_, gap, last = release_list([NEW], OLD.id, NOW, further_down=listed(OLD)).split("\n")
    assert gap.rstrip() == "…"
    assert last.startswith(f"{OLD.id}  active")


def test_one_release_says_what_happened_to_it():
    def note(*, active=False, **changes):
        return status_note(ReleaseStatus(release="R", **changes), active=active)

    assert "it was rolled back" in str(note(held=Sentence.of("it was rolled back")))
    assert ANA in note(held=Sentence.of("its rollout was cancelled by ", ANA)).parts
    assert str(note(verified_at=NOW, active=True)).startswith("active, verified 2026-11")
    assert "withdrawn" in str(note(verified_at=NOW, withdrawn=True))
    assert str(note()) == "never verified"


def test_a_list_of_many_held_releases_stays_short():
    note = below_list([listed(replace(NEW, id=f"R{at:010}"), held=True) for at in range(30)], OLD.id)

    assert "R0000000019 and older ones; " in note
