"""The plan of a card: each step with its state, and the words where a workspace takes none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.playground.slack.limits import problems
from bot.views.card_plan import card_plan
from core.promotion import IN_FLIGHT, Phase
from core.records.progress import Completion, Progress, Settling
from tests.bot.views.samples import BO, NOW, WAITING, card_of

STARTED = replace(WAITING, started_at=NOW, touched_at=NOW)
HALF = Progress(services={"web": (1, 2), "worker": (1, 1)})
WHOLE = Progress(
    services={"web": (2, 2)},
    complete={"web": Completion(at=1, pods=2)},
    settling=Settling(service="web", seconds=20.0, until=NOW + timedelta(seconds=18)),
)


def steps(promotion) -> list[tuple[str, str]]:
    plan = card_plan(promotion)
    assert plan is not None
    assert [task["task_id"] for task in plan["tasks"]] == [str(n + 1) for n in range(len(plan["tasks"]))]
    return [(task["title"], task["status"]) for task in plan["tasks"]]


def test_a_start_is_being_applied():
    assert steps(replace(STARTED, phase=Phase.PENDING)) == [
        ("Approved", "complete"),
        ("Being applied", "in_progress"),
        ("Watch", "pending"),
        ("Done", "pending"),
    ]
    assert steps(replace(STARTED, phase=Phase.PENDING, approvals_needed=0))[0][0] == "Being applied"


def test_each_service_is_a_step():
    assert steps(replace(STARTED, phase=Phase.UPDATING, progress=HALF)) == [
        ("Approved", "complete"),
        ("Applied", "complete"),
        ("web: 1 of 2 ready", "in_progress"),
        ("worker: 1 of 1 ready", "complete"),
        ("Watch", "pending"),
        ("Done", "pending"),
    ]


def test_a_watch_ends_at_a_time_of_day():
    watching = replace(STARTED, phase=Phase.UPDATING, progress=WHOLE)
    assert steps(watching)[-2:] == [("Watching", "in_progress"), ("Done", "pending")]
    *_, watch, _ = card_plan(watching)["tasks"]
    date = watch["details"]["elements"][0]["elements"][1]
    assert date["timestamp"] == int((NOW + timedelta(seconds=18)).timestamp())
    assert date["fallback"] == "14:05:18 UTC"
    lost = replace(watching, progress=replace(WHOLE, settling=None, services={"web": (1, 2)}))
    assert steps(lost)[2:4] == [("web: 1 of 2 ready", "complete"), ("Watching", "in_progress")]
    assert "details" not in card_plan(lost)["tasks"][3]


@pytest.mark.parametrize("phase", [Phase.ERROR, Phase.DEADLINE])
def test_what_failed_is_an_error_and_the_way_back_its_own_steps(phase):
    assert steps(replace(STARTED, phase=phase, progress=HALF)) == [
        ("Rollout of RABCDEFGHIJ: failed", "error"),
        ("RAAAAAAAAAA: being applied again", "in_progress"),
        ("Done", "pending"),
    ]


def test_what_was_cancelled_or_is_removed_says_so():
    cancelled = replace(STARTED, phase=Phase.ROLLBACK, progress=HALF, cancelled_by=BO)
    assert steps(cancelled) == [
        ("Rollout of RABCDEFGHIJ: cancelled", "error"),
        ("RAAAAAAAAAA: applied again", "complete"),
        ("web: 1 of 2 ready", "in_progress"),
        ("worker: 1 of 1 ready", "complete"),
        ("Done", "pending"),
    ]
    removed = replace(STARTED, phase=Phase.ROLLBACK, back_to=None, removed=True)
    assert steps(removed)[1] == ("What it created: removed", "complete")
    assert steps(replace(removed, phase=Phase.CANCELLED))[0] == ("Rollout of RABCDEFGHIJ: cancelled", "error")


def test_without_a_way_back_there_is_no_step_of_one():
    failed = [("Rollout of RABCDEFGHIJ: failed", "error")]
    assert steps(replace(STARTED, phase=Phase.ERROR, kind="rollback")) == failed
    assert steps(replace(STARTED, phase=Phase.ERROR, back_to=None)) == failed


@pytest.mark.parametrize("phase", sorted(IN_FLIGHT))
def test_slack_takes_the_plan_of_an_app_of_any_size(phase):
    many = Progress(services={f"service{n}" + "x" * 200: (n, n + 1) for n in range(60)})
    payload = card_of(replace(STARTED, phase=phase, progress=many), plans=True)

    assert problems(payload, method="chat.update") == []
    titles = [task["title"] for block in payload["blocks"] for task in block.get("tasks", ())]
    assert "20 more services" in titles or phase not in {Phase.PENDING, Phase.UPDATING, Phase.ROLLBACK}


def test_words_and_plan_do_not_say_the_same_twice_and_the_text_says_it_in_any_case():
    rolling = replace(STARTED, phase=Phase.UPDATING, progress=HALF)
    with_plan, in_words = card_of(rolling, plans=True), card_of(rolling)

    assert "plan" in [block["type"] for block in with_plan["blocks"]]
    assert "*Services ready*" not in str(with_plan["blocks"])
    assert "plan" not in [block["type"] for block in in_words["blocks"]]
    assert "*Services ready*" in str(in_words["blocks"])
    assert with_plan["text"] == in_words["text"]
    assert "services ready web 1/2 · worker 1/1" in with_plan["text"]
    assert card_plan(WAITING) is None
    assert card_plan(replace(STARTED, phase=Phase.RUNNING)) is None
