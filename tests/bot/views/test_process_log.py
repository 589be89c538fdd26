"""Lines of processes in an answer: a file where there is a thread for it, else the last of them and why."""

from datetime import timedelta

import pytest

from bot.views.answers import LIMIT, slack_answer
from bot.views.process_log import MOST_CHARS, failure_answer, last_rows, log_answer, log_text, nothing_written
from core.ports.outbox import Card
from core.records.observation import Diagnosis, DiagnosisKind
from core.records.process_log import ProcessLine, ProcessLog
from core.rollout.verifying import evidence_line
from core.sentence import Sentence
from core.usecases.process_viewer import AppLog
from tests.bot.views.samples import ANA, NOW

CARD = Card(subject="PABCDEFGHIJ", channel="C1", ts="1.0")


def line(text: str, seconds: int = 0, **changes: object) -> ProcessLine:
    at = NOW + timedelta(seconds=seconds)
    return ProcessLine(**{"at": at, "service": "web", "process": "web-1", "text": text, **changes})  # type: ignore[arg-type]


def seen(*lines: ProcessLine, card: Card | None = CARD, notes: tuple[str, ...] = ()) -> AppLog:
    return AppLog(log=ProcessLog(lines=lines, notes=notes), card=card)


def test_a_line_is_as_convox_prints_it():
    assert log_text([line("hello"), line("no time", at=None)]).splitlines() == [
        f"{NOW:%Y-%m-%dT%H:%M:%SZ} service/web/web-1 hello",
        "service/web/web-1 no time",
    ]


def test_with_a_thread_the_answer_is_a_file_in_it():
    answer = log_answer("a\nb", "web", seen(line("a"), line("b")), ANA, "logs web -a myapp")
    assert answer.file is not None
    assert (answer.file.name, answer.file.text, answer.file.channel, answer.file.thread) == (
        "web.log",
        "a\nb",
        "C1",
        "1.0",
    )
    assert answer.file.comment == Sentence.of("the last 2 lines of web, for ", ANA)
    assert answer.file.said == "the last 2 lines of web are a file in the thread of PABCDEFGHIJ"
    assert (answer.text, answer.hint) == ("a\nb", "")


@pytest.mark.parametrize(
    "card",
    [
        None,
        Card(subject="P", channel="C1"),
        Card(subject="P", channel="C1", ts="1.0", failed="not_in_channel"),
        Card(subject="P", channel="U1", ts="1.0", closed_channel="C1"),
    ],
    ids=["none", "not posted", "never shown", "with a person"],
)
def test_without_a_thread_the_last_lines_are_shown_and_why(card: Card | None):
    answer = log_answer("a", "web", seen(line("a"), card=card, notes=("web-2 has no log",)), ANA, "logs web")
    assert answer.file is None
    assert answer.warnings == ("web-2 has no log", "web has no thread in a channel for a file")


def test_what_one_message_takes_are_the_last_lines_and_the_rest_is_counted():
    text = "\n".join(f"line {n} {'&' * 20}" for n in range(300))
    answer = log_answer(text, "web", seen(card=None), ANA, "logs web -a myapp")
    shown = str(answer.text)
    assert shown.endswith(text[-100:])
    left = 300 - shown.count("\n") - 1
    assert (
        answer.hint
        == f"{left} earlier lines not shown; all of them, from a terminal: convox-bot do logs web -a myapp"
    )
    message = slack_answer(answer)["text"]
    assert len(message) < LIMIT
    assert "line 299" in message


def test_a_single_line_beyond_all_measure_is_still_shown():
    assert last_rows("x" * (MOST_CHARS + 1)) == ("x" * (MOST_CHARS + 1), 0)
    one = log_answer(f"a\n{'x' * MOST_CHARS}", "web", seen(card=None), ANA, "logs web")
    assert one.hint.startswith("1 earlier line not shown")  # type: ignore[union-attr]


def test_that_there_is_nothing_is_said_without_repeating_what_was_looked_for():
    assert nothing_written("web", None, "") == "web has written no line"
    assert nothing_written("web", 600, "s3cret") == "web has written no line with this text in the last 600 s"


def test_what_was_stored_of_a_failure_is_shown_with_the_way_to_what_runs_now():
    line = evidence_line(
        "KeyError: 'STRIPE_KEY'", NOW, Diagnosis(kind=DiagnosisKind.CRASH, sentence="", pod="web-2")
    )
    answer = failure_answer(line, "web", "PABCDEFGHIJ", "logs -a web --of PABCDEFGHIJ")
    assert answer.text == "last log lines of web-2:\n  KeyError: 'STRIPE_KEY'"
    assert str(answer.hint) == "what runs now: `logs -a web`"


def test_where_nothing_was_stored_it_says_where_to_look():
    answer = failure_answer(None, "web", "PABCDEFGHIJ", "")
    assert answer.text == "no log was stored of PABCDEFGHIJ: what ended it stands in its thread"
    assert str(answer.hint) == "what runs now: `logs -a web`"
