"""Whatever strangers write into descriptions, causes, reasons and logs, no view pings, breaks or reveals."""

import ast
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.command.commands import RetryBuild
from bot.command.forms import FormChoice
from bot.playground.slack.limits import problems
from bot.views.answers import Answer, slack_answer
from bot.views.builds import build_info, build_list
from bot.views.button_element import button_element, confirm_dialog
from bot.views.env import env_list
from bot.views.home import home_view
from bot.views.modals import choice, opening, refusal, with_refusal
from bot.views.mrkdwn import clip, escape, mention, plain, sentence_text, visible
from bot.views.notices import notice
from bot.views.releases import release_info, release_list
from bot.views.thread import message, terminal
from core.actor import Actor
from core.lifecycle.freezing import FrozenApp
from core.lifecycle.outlook import Outlook
from core.promotion import SETTLED, Phase
from core.records.environment import Environment
from core.records.line import Line
from core.records.progress import Progress
from core.records.release import ReleaseEntry
from core.sentence import Channel, CommandLine, Sentence, UserGroup
from core.usecases.overview import HeldItem, Overview, PromotionItem
from tests.bot.views.harmless import NASTY, STYLED, assert_harmless, outside_of_code, texts
from tests.bot.views.samples import BUILD, NEW, NOW, OLD, WAITING, card_of, notice_with
from tests.soak import times

VIEWS = Path(__file__).parents[3] / "bot/views"
hostile = st.lists(st.sampled_from(NASTY) | st.text(max_size=20), max_size=4).map(" ".join)


def naming(words: str, other: str) -> Sentence:
    """A sentence whose every part is made of these."""
    who = Actor("slack", words, other), Actor("token", other, words)
    return Sentence.of(words, *who, other, Channel(words), UserGroup(other), words, CommandLine(other), words)


@pytest.mark.parametrize("phase", Phase)
@settings(max_examples=times(25, soak=1000))
@given(words=hostile, other=hostile, cancelled=st.booleans())
def test_a_card_survives_whatever_is_written_into_it(phase, words, other, cancelled):
    promotion = replace(
        WAITING,
        phase=phase,
        cause=naming(words, other),
        reason=naming(other, words),
        anyway=words,
        started_at=NOW,
        touched_at=NOW,
        declined_by=Actor("slack", words, other),
        cancelled_by=Actor("slack", words, other) if cancelled else None,
        taken_over_by=Actor("slack", words, other),
        requested_by=Actor("token", other),
        progress=Progress(services={words: (1, 2), "web": (0, 1)}, waiting=other, watched=900),
        settled_at=NOW + timedelta(seconds=5) if phase in SETTLED else None,
        superseded_by="RNEWERONEXX",
    )
    payload = card_of(
        promotion,
        last_log=other,
        plans=cancelled,
        release=replace(NEW, description=other),
        build=replace(
            BUILD, images={words: f"x:{other}"}, git_sha=words, repository=f"https://github.com/{other}"
        ),
        old_build=replace(BUILD, images={words: "x", other: words}, git_sha=other, repository=words),
        outlook=Outlook(
            opened=(words, other),
            closed=(other,),
            earlier=replace(promotion, phase=Phase.FAILURE, release=words),
        ),
    )

    assert_harmless(payload)
    assert len(payload["text"]) <= 4000
    assert payload["text"].count("```") == 0


@settings(max_examples=times(50, soak=1000))
@given(words=hostile, other=hostile)
def test_an_answer_survives_whatever_is_written_into_it(words, other):
    rows = release_list([replace(NEW, description=words)], None, NOW)
    for text in (
        rows,
        release_info(replace(NEW, description=words)),
        build_info(BUILD, NOW),
        other,
    ):
        beside: dict[str, Any] = {"warnings": (words, naming(words, other)), "hint": naming(other, words)}
        payload = slack_answer(Answer(text=text, whole=words, **beside))

        assert len(payload["text"]) <= 8000
        assert payload["text"].count("```") in {0, 2}
        assert_harmless_answer(payload)


def assert_harmless_answer(payload: dict) -> None:
    rest = re.sub(r"<(@[UW][A-Z0-9]+|#[CG][A-Z0-9]+)>", "", payload["text"])
    assert "<" not in rest
    assert ">" not in rest
    assert problems(payload, method="response_url") == []


@settings(max_examples=times(50, soak=1000))
@given(words=st.lists(hostile, max_size=5))
def test_a_thread_survives_whatever_a_pod_logs(words):
    lines = [
        Line(at=NOW, object="web", text=text, key=str(at), kind="evidence" if at % 2 else "line")
        for at, text in enumerate(words)
    ]
    for line in lines:
        payload = message([line])

        assert len(payload["text"]) <= 3000
        assert payload["text"].count("```") == 2
        assert_harmless(payload)


@pytest.mark.parametrize("phase", sorted(SETTLED))
@settings(max_examples=times(25, soak=1000))
@given(words=hostile, cancelled=st.booleans())
def test_an_ending_survives_whatever_was_the_cause(phase, words, cancelled):
    who = Actor("slack", "U1", words)
    ended = replace(
        WAITING, phase=phase, cause=naming(words, words), reason=naming(words, words), declined_by=who
    )
    payload = terminal(replace(ended, cancelled_by=who if cancelled else None))

    assert payload["text"].startswith(("OK", "ERROR: "))
    assert_harmless(payload)


@settings(max_examples=times(25, soak=1000))
@given(kind=st.sampled_from(["notice", "ask", "build", "reminder"]), words=hostile, other=hostile)
def test_a_notice_survives_whatever_is_written_into_it(kind, words, other):
    assert_harmless(notice(notice_with(naming(words, other), kind)), method="chat.postMessage")


@settings(max_examples=times(50, soak=1000))
@given(words=hostile, other=hostile)
def test_the_home_tab_survives_whatever_is_written_into_what_it_lists(words, other):
    promotion = replace(WAITING, requested_by=Actor("slack", words, other), along=(naming(words, other),))
    entry = ReleaseEntry(id=NEW.id, app="myapp", sequence=2, build=None, description=words, created_at=NOW)
    may = frozenset({"approve", "decline", "cancel", "promote", "rollback", "again"})
    item = PromotionItem(promotion=promotion, approvals=(), may=may)
    seen = Overview(
        waiting=[item],
        rolling=[replace(item, promotion=replace(promotion, id="PROLLINGXXX"))],
        frozen=[FrozenApp(app="myapp", reason=words, by=Actor("slack", other))],
        held=[HeldItem(release=entry, why=naming(words, other), may=may)],
        mine=[promotion],
    )
    for each in (seen, Overview(refused=naming(words, other))):
        view = home_view(each)
        assert_harmless({"user_id": "U01ALICE", "view": view}, method="views.publish")


@given(words=hostile, other=hostile)
def test_a_dialog_survives_whatever_is_offered_or_refused_in_it(words, other):
    offered = choice(FormChoice(value="R", label=words or "-", about=other))
    standing = refusal("")
    standing |= {
        "callback_id": "form",
        "submit": standing["close"],
        "private_metadata": "",
        "state": {"values": {}},
    }
    said = sentence_text(naming(words, other))
    for view in (refusal(said), opening(), with_refusal(standing, said)):
        assert_harmless({"trigger_id": "1", "view": view}, method="views.open")
    assert all(
        each["type"] == "plain_text" and each["emoji"] is False
        for each in (offered["text"], offered.get("description", offered["text"]))
    )


# Every view that makes a payload for Slack is held against hostile text here, or in the tests of what it is a part of.
HELD = {
    "answers.slack_answer", "build_buttons.build_buttons", "build_card.build_card", "build_card.build_ending", "button_element.button_element", "button_element.confirm_dialog", "buttons.buttons", "card.card", "card.payload", "card_fields.shown", "card_plan.card_plan", "digest.digest",
    "home.home_view", "modals.choice", "modals.modal", "modals.opening", "modals.refusal", "modals.with_refusal", "mrkdwn.plain", "notices.notice", "pings.quiet", "racks.on_rack", "thread.message", "thread.terminal",
}  # fmt: skip


def test_no_view_is_left_out():
    made = {
        f"{file.stem}.{node.name}"
        for file in VIEWS.glob("*.py")
        if not file.stem.endswith("documents")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not node.name.endswith("_document")
        if node.returns and ast.unparse(node.returns) in {"dict[str, Any]", "dict[str, Any] | None", "Json"}
    }

    assert made - HELD == set(), "hold it against `hostile` in a test as those above, and name it in HELD"


@given(words=hostile, other=hostile, danger=st.booleans())
def test_a_button_and_its_dialog_survive_whatever_stands_in_them(words, other, danger):
    # What a screen reader says is made of ids and names of apps alone.
    retry = RetryBuild(app="web", build="BABCDEFGHIJ")
    button = button_element("build.retry", f"Retry {other}", retry, 0, "Retry build BABCDEFGHIJ of web")
    button["confirm"] = confirm_dialog(
        f"Retry {words}?", f"It is {other}.", "Retry", "Not now", danger=danger
    )
    payload = {"text": "x", "blocks": [{"type": "actions", "elements": [button]}]}

    assert not problems(payload, method="chat.postMessage")
    assert_harmless(payload)


@given(
    secret=st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=8, max_size=40),
    phase=st.sampled_from(Phase),
)
def test_a_secret_is_in_no_view_unless_somebody_reveals_it(secret, phase):
    secret = f"s3cr3t-{secret}"
    environment = Environment((("PASSWORD", secret), ("LOG", "x")))
    release = replace(NEW, environment=environment)
    promotion = replace(WAITING, phase=phase)
    shown = [
        env_list(environment.masked()),
        release_info(replace(release, environment=environment.masked())),
        release_list([release, OLD], None, NOW),
        build_list([BUILD], NOW),
        *texts(card_of(promotion, release=release)),
        *texts(card_of(promotion, release=OLD, previous=release)),
        repr(release),
    ]

    assert not [text for text in shown if "s3cr3t" in text or secret in text]
    assert secret in env_list(environment)
    assert secret in release_info(release)


@given(st.text(), st.integers(1, 300))
def test_clipped_text_is_never_longer_than_asked_and_never_half_an_escape(text, most):
    clipped = clip(text, most)

    assert len(clipped) <= most
    assert re.fullmatch(r"(&(?:amp|lt|gt);|[^&<>])*", clipped)


def test_hidden_characters_are_spelled_out_and_colours_dropped():
    assert visible("\x1b[31mred\x1b[0m a\u202eb\x00\r\nc") == "red a\\u202eb\\u0000\nc"


def test_runs_of_backticks_are_broken_up_and_single_ones_left():
    assert escape("`a` ```") == "`a` `\u200b`\u200b`"


@pytest.mark.parametrize("id_", ["!channel", "U1><!channel", "u1", ""])
def test_only_what_is_a_user_id_becomes_a_mention(id_):
    assert "<" not in mention(Actor("slack", id_, "x"))


@pytest.mark.parametrize(
    "styled",
    [
        "*b*",
        "_i_",
        "~s~",
        "(*b*)",
        "_*b*_",
        "*_b_*",
        "`*b*`",
        "a *b* c",
        "*two words*",
        ":fire:",
        ":100:",
        "> q",
        ":+1:",
    ],
)
def test_what_strangers_wrote_has_no_style_in_prose_and_is_what_it_was_in_code(styled):
    sentence = Sentence.of("it said ", styled)

    assert not STYLED.search(clip(styled, 300))
    assert not STYLED.search(outside_of_code(sentence_text(sentence)))
    assert not STYLED.search(plain_of(Answer(text=styled, code=False, hint=styled, warnings=(styled,))))
    assert styled.replace(">", "&gt;") in sentence_text(sentence, code=True)
    assert styled.replace(">", "&gt;") in slack_answer(Answer(text=styled))["text"]


def plain_of(answer: Answer) -> str:
    return outside_of_code(slack_answer(answer)["text"])


@given(hostile)
def test_prose_has_no_style_whatever_it_is_made_of(words):
    assert not STYLED.search(clip(words, 5000))
    assert not STYLED.search(outside_of_code(sentence_text(words)))


@pytest.mark.parametrize(
    "same",
    ["DB__HOST", "a_b_c", "2 * 3", "10:30:15", "https://x.io:8080/a_b", "it's ~ 5", "v1.2.3-rc_1", "100 %"],
)
def test_what_has_no_style_stays_as_it_is(same):
    assert clip(same, 300) == same
    assert sentence_text(same) == same


def test_code_of_our_own_in_a_sentence_stays_code():
    assert sentence_text("type `env set A=*` *now*") == "type `env set A=*` \u2217now\u2217"


def test_characters_that_nobody_sees_are_spelled_out_where_they_join_nothing():
    assert (
        visible("pay\u200bpal a\u00adb x\u200dy \U000e0041")
        == "pay\\u200bpal a\\u00adb x\\u200dy \\U000e0041"
    )
    assert visible("👩\u200d🚀 ❤\ufe0f می\u200cخواهم") == "👩\u200d🚀 ❤\ufe0f می\u200cخواهم"


def test_a_text_object_is_cut_with_an_ellipsis_and_shows_no_emoji():
    assert plain(":fire: " + "x" * 100, 10) == {"type": "plain_text", "text": ":fire: xx…", "emoji": False}
    assert plain("a\u202eb", 10)["text"] == "a\\u202eb"
