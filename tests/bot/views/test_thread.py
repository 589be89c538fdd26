"""What stands under a card: every line once, in order, in messages that Slack shows whole, and the ending."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack.limits import problems
from bot.views.mrkdwn import sentence_text
from bot.views.thread import (
    MOST_BROADCAST_ROWS,
    MOST_CHARS,
    MOST_ROWS,
    fits_beside_ending,
    fitting,
    is_shown,
    message,
    terminal,
)
from core.lifecycle.outcome import ending
from core.promotion import Phase
from core.records.line import Line, LineKind
from core.records.progress import Progress
from core.sentence import Sentence
from tests.bot.views.samples import BO, NOW, WAITING, golden

ENDED = replace(WAITING, touched_at=NOW, started_at=NOW, settled_at=NOW + timedelta(seconds=134))
CAUSE = "container main of web exits 1"
ENDINGS = {
    "ok": replace(ENDED, phase=Phase.RUNNING),
    "nothing-ran": replace(
        ENDED, phase=Phase.RUNNING, nothing_ran=True, progress=Progress(services={"web": (0, 0)})
    ),
    "partly-idle": replace(
        ENDED, phase=Phase.RUNNING, progress=Progress(services={"web": (2, 2), "worker": (0, 0)})
    ),
    "reverted": replace(ENDED, phase=Phase.REVERTED, cause=Sentence.of(CAUSE)),
    "removed": replace(ENDED, phase=Phase.REVERTED, back_to=None, removed=True, cause=Sentence.of(CAUSE)),
    "cancelled": replace(
        ENDED, phase=Phase.REVERTED, cancelled_by=BO, cause=Sentence.of("web never became ready")
    ),
    "failure": replace(ENDED, phase=Phase.FAILURE, cause=Sentence.of(CAUSE)),
    "failed-rollback": replace(ENDED, phase=Phase.FAILURE, kind="rollback", cause=Sentence.of(CAUSE)),
    "declined": replace(
        WAITING, phase=Phase.DECLINED, declined_by=BO, reason=Sentence.of("not <!channel> today")
    ),
    "expired": replace(WAITING, phase=Phase.EXPIRED),
    "superseded": replace(ENDED, phase=Phase.SUPERSEDED, superseded_by="RNEWERONEXX"),
    "by-hand": replace(
        ENDED, phase=Phase.SUPERSEDED, cause=Sentence.of("kubectl-set changed the image of web")
    ),
    "blameless": replace(
        ENDED, phase=Phase.REVERTED, blameless=True, cause=Sentence.of("somebody deleted web")
    ),
    "restarted": replace(ENDED, phase=Phase.RUNNING, back_to="RABCDEFGHIJ", restarts=("web",)),
    "restart-reverted": replace(
        ENDED, phase=Phase.REVERTED, back_to="RABCDEFGHIJ", restarts=("web",), cause=Sentence.of(CAUSE)
    ),
    "refused": replace(WAITING, phase=Phase.REFUSED, reason=Sentence.of("no such namespace")),
}


def line(text: str, kind: LineKind = "line") -> Line:
    return Line(at=NOW, object="web", text=text, key=text[:50], kind=kind)


def batch(lines: list[Line]) -> list[str]:
    """The texts of a thread, taken from the outbox as many lines at a time as it hands out."""
    messages = []
    while lines:
        count = fitting(lines)
        messages.append(message(lines[:count])["text"])
        lines = lines[count:]
    return messages


@pytest.mark.parametrize(
    ("texts", "most_chars", "most_rows", "expected"),
    [
        (["a"], 1, 1, 1),
        (["a", "b", "c"], 10_000, 2, 2),
        (["a" * 100] * 9, 150 * 2, 99, 2),
        (["<" * 100] * 9, 500 * 2, 99, 2),
        (["x" * 9000, "b"], 3000, 40, 1),
    ],
)
def test_a_message_takes_what_fits_and_at_least_one_line(texts, most_chars, most_rows, expected):
    assert fitting([line(text) for text in texts], most_chars=most_chars, most_rows=most_rows) == expected


def test_a_block_of_evidence_counts_all_its_rows():
    assert fitting([line("a\nb\nc", kind="evidence") for _ in range(3)], most_rows=7) == 2


def rows(text: str) -> list[str]:
    assert text.startswith("```\n")
    assert text.endswith("\n```")
    return text[4:-4].split("\n")


def test_a_line_is_shown_as_in_the_documentation_and_escaped_as_slack_asks():
    (text,) = batch([Line(at=NOW, object="atom/app", text="Status: Running => Pending", key="1")])

    assert text == "```\n2026-11-23T14:05:00Z system/k8s/atom/app Status: Running =&gt; Pending\n```"


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=200), max_size=120))
def test_lines_come_in_order_each_once_and_no_message_is_too_long(texts):
    lines = [line(f"{at} {text}") for at, text in enumerate(texts)]
    messages = batch(lines)
    shown = [row for text in messages for row in rows(text)]

    assert [row.split(" ")[2] for row in shown] == [str(at) for at in range(len(lines))]
    # Two fences of four characters each, and what breaks up backticks.
    assert all(len(text) < 4000 and len(rows(text)) <= 37 for text in messages)


@pytest.mark.parametrize("letter", ["x", "&", "`", "\u202e"])
def test_a_line_that_is_too_long_is_cut_and_says_so(letter):
    (text,) = batch([line(letter * 10_000)])

    assert len(text) <= 3000
    assert rows(text)[0].endswith("[cut: the rest is too long for Slack]")
    assert text.count("```") == 2


def test_evidence_stands_alone_between_the_lines_around_it():
    proof = line("last log lines of web-1:\n  KeyError: 'STRIPE_KEY'\n  exit 1", kind="evidence")
    messages = batch([line("a"), proof, line("b")])

    assert [len(rows(text)) for text in messages] == [1, 3, 1]
    assert rows(messages[1])[1] == "  KeyError: 'STRIPE_KEY'"


def test_of_long_evidence_the_end_is_kept_since_that_is_the_proof():
    log = "last log lines of web-1:\n" + "\n".join(f"  {at} {'x' * 300}" for at in range(20)) + "\n  the end"
    (text,) = batch([line(log, kind="evidence")])

    assert len(text) <= 3000
    assert rows(text)[0] == "last log lines of web-1:"
    assert rows(text)[1] == "[cut: earlier rows do not fit]"
    assert rows(text)[-1] == "  the end"


def test_a_single_row_of_evidence_may_be_huge_too():
    (text,) = batch([line("last log lines of web-1:\n  " + "&" * 9000, kind="evidence")])

    assert len(text) <= 3000


def test_a_message_of_lines_is_one_payload_that_slack_takes():
    payload = message([line("a"), line("b")])

    assert len(rows(payload["text"])) == 2
    assert problems(payload, method="chat.postMessage") == []
    assert payload["unfurl_links"] is False


@pytest.mark.parametrize("name", ENDINGS)
def test_the_terminal_message_is_the_reviewed_one(name):
    golden(f"terminal-{name}.txt", terminal(ENDINGS[name])["text"])


@pytest.mark.parametrize("name", [name for name in ENDINGS if name != "declined"])
def test_the_first_line_is_exactly_the_contracts(name):
    assert terminal(ENDINGS[name])["text"].split("\n")[0] == sentence_text(ending(ENDINGS[name]))


def test_words_of_others_in_an_ending_are_escaped_while_people_are_mentioned():
    first = terminal(ENDINGS["declined"])["text"].split("\n")[0]

    assert first == "ERROR: declined by <@U02BO>: not &lt;!channel&gt; today"


def test_a_failed_promotion_ends_with_what_is_on_hold_and_what_was_not_undone():
    text = terminal(ENDINGS["reverted"])["text"]

    assert "Promote again… on its card asks why" in text
    assert "--anyway" not in text
    assert "migrations" in text


def test_a_huge_cause_leaves_a_message_that_slack_takes():
    payload = terminal(replace(ENDINGS["reverted"], cause=Sentence.of("&" * 20_000)))

    assert len(payload["text"]) < 4000
    assert problems(payload, method="chat.update") == []


def test_the_last_lines_stand_below_the_ending_that_they_came_with():
    text = terminal(ENDINGS["ok"], [line("Status: Updating => Running")])["text"]
    first, *rest = text.split("\n")
    assert first == "OK"
    assert rest[-4:] == [
        "last lines:",
        "```",
        "2026-11-23T14:05:00Z system/k8s/web Status: Updating =&gt; Running",
        "```",
    ]


@pytest.mark.parametrize(
    ("name", "lines", "fits"),
    [
        ("ok", [], True),
        ("ok", [line("a")] * 30, True),
        ("ok", [line("a")] * MOST_ROWS, False),
        ("ok", [line("a" * 400)] * 8, False),
        ("ok", [line("a", "evidence")], False),
        ("reverted", [line("a")] * 8, True),
        ("reverted", [line("a")] * MOST_BROADCAST_ROWS, False),
    ],
)
def test_lines_go_with_the_ending_where_one_message_shows_both_whole(name, lines, fits):
    assert fits_beside_ending(ENDINGS[name], lines) is fits


@pytest.mark.parametrize("name", ENDINGS)
def test_an_ending_with_all_the_lines_that_fit_is_taken_by_slack(name):
    lines = [line("<" * 70)] * MOST_ROWS
    while not fits_beside_ending(ENDINGS[name], lines):
        lines.pop()
    payload = terminal(ENDINGS[name], lines)
    assert problems(payload, method="chat.postMessage") == []
    assert len(payload["text"]) <= MOST_CHARS


@pytest.mark.parametrize(
    ("verbosity", "told"),
    [("quiet", {"failure"}), ("normal", {"failure", "reverted"}), ("verbose", {"failure", "reverted", "ok"})],
)
def test_how_loud_an_ending_is_follows_the_policy_and_nothing_is_sent_twice(verbosity, told):
    names = ("failure", "reverted", "ok")
    payloads = {name: terminal(ENDINGS[name], verbosity=verbosity) for name in names}
    assert {name for name, payload in payloads.items() if payload.get("reply_broadcast")} == told


def test_what_the_channel_is_told_too_is_short():
    lines = [line("Status: Updating => Running")] * (MOST_BROADCAST_ROWS + 5)
    assert fits_beside_ending(ENDINGS["ok"], lines)
    assert not fits_beside_ending(ENDINGS["ok"], lines, verbosity="verbose")


@pytest.mark.parametrize("verbosity", ["quiet", "normal", "verbose"])
def test_a_quiet_thread_shows_no_step_and_every_one_shows_the_proof(verbosity):
    assert is_shown(line("Created pod: web-1"), verbosity) is (verbosity != "quiet")
    assert is_shown(replace(line("last log lines"), kind="evidence"), verbosity)
