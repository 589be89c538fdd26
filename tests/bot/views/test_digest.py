"""The one message that tells of all rollouts of a channel: worst first, whole in its text, within Slack's limits."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.playground.slack.limits import problems
from bot.views.digest import WHY, digest
from core.promotion import SETTLED, Phase, Promotion
from core.records.progress import Progress
from tests.bot.views.accessible import barriers
from tests.bot.views.harmless import assert_harmless
from tests.bot.views.samples import NOW, WAITING
from tests.soak import times


def told(*phases: Phase) -> list[tuple[Promotion, str]]:
    return [
        (
            replace(
                WAITING,
                id=f"P{number:010}",
                app=f"app-{number}",
                phase=phase,
                started_at=NOW,
                touched_at=NOW,
                settled_at=NOW if phase in SETTLED else None,
                progress=Progress(services={"web": (1, 2), "worker": (2, 2)}),
            ),
            f"https://example.slack.com/archives/C1/p{number}",
        )
        for number, phase in enumerate(phases)
    ]


def sections(payload) -> list[str]:
    return [block["text"]["text"] for block in payload["blocks"]]


def test_it_counts_what_became_of_them_worst_first_and_says_why_it_is_there():
    payload = digest(told(Phase.RUNNING, Phase.UPDATING, Phase.FAILURE, Phase.REVERTED, Phase.UPDATING))
    head, why, *rows = payload["text"].split("\n")
    assert head == "🔄 5 rollouts at once: 1 waiting for a person, 1 rolled back, 2 under way, 1 live"
    assert why == WHY
    assert [row.split(" · ")[1] for row in rows] == ["app-2", "app-3", "app-1", "app-4", "app-0"]
    assert rows[2] == f"🔄 Rolling out · app-1 · {WAITING.release} · 1/2 services ready"
    assert "services" not in rows[-1], "what is over has no count"


@pytest.mark.parametrize(
    ("phases", "head"),
    [
        ([Phase.RUNNING] * 2, "✅ 2 rollouts, all over: 2 live"),
        ([Phase.RUNNING, Phase.REVERTED], "↩️ 2 rollouts, all over: 1 rolled back, 1 live"),
        ([Phase.STOPPED, Phase.REFUSED], "🛑 2 rollouts, all over: 1 waiting for a person, 1 never started"),
    ],
)
def test_once_all_are_over_it_shows_the_worst_that_came_of_them(phases: Sequence[Phase], head: str):
    payload = digest(told(*phases))
    assert payload["text"].split("\n")[0] == head
    assert WHY not in payload["text"]


def test_each_row_leads_to_its_card_and_one_whose_address_is_unknown_stands_there_too():
    (known, url), (unknown, _) = told(Phase.UPDATING, Phase.UPDATING)
    rows = sections(digest([(known, url), (unknown, "")]))[1].split("\n")
    assert rows[0].startswith(f"🔄 Rolling out · <{url}|app-0> · ")
    assert rows[1].startswith("🔄 Rolling out · app-1 · ")


def test_of_very_many_the_last_are_counted_and_slack_takes_it():
    many = told(*[Phase.UPDATING] * 100, *[Phase.FAILURE] * 3)
    payload = digest([(replace(each, app=f"{each.app}-{'x' * 50}"), url) for each, url in many])
    assert problems(payload, method="chat.postMessage") == []
    left = len(many) - payload["text"].count(" services ready") - 3
    assert left
    assert sections(payload)[-1].endswith(f"and {left} more lines")
    assert payload["text"].endswith(f"and {left} more lines")
    assert sections(payload)[1].startswith("🛑")
    assert len(payload["text"]) <= 4000
    assert barriers(payload) == []


@settings(max_examples=times(30, soak=1000))
@given(phases=st.lists(st.sampled_from(Phase), min_size=1, max_size=120))
def test_it_is_harmless_and_whole_in_its_text_whatever_they_are_at(phases: list[Phase]):
    payload = digest([(each, "") for each, _ in told(*phases)])
    assert barriers(payload) == []
    assert_harmless(payload, method="chat.postMessage")
