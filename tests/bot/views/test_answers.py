"""Answers to one person: within Slack's limits, cut at a row, nothing of theirs unescaped."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command.commands import EnvSet, ListReleases, Promote
from bot.command.parser import parse
from bot.playground.slack.limits import problems
from bot.views.answers import LIMIT, Answer, fit, slack_answer
from bot.views.help import help_text
from bot.views.mrkdwn import clip
from bot.views.refusals import refusal
from core.actor import Actor
from core.errors import Conflict, Invalid, Unexpected
from core.sentence import Channel, Sentence, UserGroup

ANA = Actor("slack", "U01ANA", "ana")


def text_of(answer: Answer) -> str:
    payload = slack_answer(answer)
    assert problems(payload, method="response_url") == []
    return payload["text"]


def test_a_table_stands_in_a_block_of_code_for_the_person_who_asked():
    payload = slack_answer(Answer(text="ID\nR1", hint="more: `/convox help`"))

    assert payload["text"] == "```\nID\nR1\n```\nmore: `/convox help`"
    assert payload["response_type"] == "ephemeral"
    assert payload["replace_original"] is False


def test_an_answer_for_everybody_says_so_to_slack():
    assert slack_answer(Answer(text="x", ephemeral=False))["response_type"] == "in_channel"


def test_warnings_stand_first_and_too_many_are_counted():
    text = text_of(Answer(text="x", warnings=tuple(f"w{at}" for at in range(9))))

    assert text.startswith("Note: w0\nNote: w1\n")
    assert "Note: 4 more like this" in text


def test_what_fits_is_not_touched():
    rows = "\n".join(["x" * 99] * 35)

    assert len(rows) == LIMIT - 1
    assert fit(rows) == rows


def test_a_long_table_is_cut_after_a_row_and_says_how_to_see_the_rest():
    rows = [f"R{at:09}  some description" for at in range(500)]
    shown = fit("\n".join(rows), whole="releases -a web -l 500").split("\n")

    assert len("\n".join(shown)) <= LIMIT
    assert shown[:-1] == rows[: len(shown) - 1]
    assert shown[-1].startswith(f"… {500 - len(shown) + 1} more rows not shown")
    assert shown[-1].endswith("convox-bot do releases -a web -l 500")


def test_a_single_row_that_is_too_long_is_cut_but_never_within_an_escape():
    shown = fit("&" * 5000).split("\n")

    assert shown[0].removesuffix("…").replace("&amp;", "") == ""
    assert len("\n".join(shown)) <= LIMIT


@given(st.text(max_size=6000), st.text(max_size=200))
def test_any_text_is_fitted_into_its_limit(text, whole):
    assert len(fit(text, whole=whole)) <= LIMIT


def test_nothing_to_show_is_still_an_answer():
    assert text_of(Answer(text="")) == "(nothing)"


def test_a_fence_in_the_text_does_not_end_the_block():
    text = text_of(Answer(text="a\n```\n<!channel> & <@U1>"))

    assert text.count("```") == 2
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in text


def test_a_sentence_of_ours_may_name_people_and_channels_but_never_a_crowd():
    named = Sentence.of("asked by ", ANA, " in ", Channel("C01"), ", ask ", UserGroup("S01"), ", not ")
    text = text_of(refusal(Conflict(Sentence.of(named, "<!channel>, <@U02BO> or <!subteam^S1>"))))

    assert "asked by <@U01ANA> in <#C01>, ask group:S01, not &lt;!channel&gt;" in text
    assert "&lt;@U02BO&gt; or &lt;!subteam^S1&gt;" in text


@pytest.mark.parametrize("field", ["warnings", "hint"])
def test_beside_an_answer_people_are_named_too(field):
    said = Sentence.of("its rollout was cancelled by ", ANA)
    beside: dict[str, Any] = {field: (said,) if field == "warnings" else said}
    answer = Answer(text="x", **beside)

    assert "its rollout was cancelled by <@U01ANA>" in text_of(answer)


@pytest.mark.parametrize(
    "strange", [Actor("slack", "U01|ana> <!channel"), Channel("C1> <!here"), UserGroup("S1> <!everyone")]
)
def test_an_id_that_slack_would_not_give_is_only_text(strange):
    text = text_of(refusal(Conflict(Sentence.of("ask ", strange))))

    assert "<" not in text
    assert "&gt; &lt;!" in text


def test_whoever_is_named_where_it_is_cut_is_named_whole_or_not_at_all():
    long = Sentence.of("x" * 280, " asked for by ", ANA, " in ", Channel("C01"))
    for most in range(285, 320):
        shown = clip(long, most)
        assert len(shown) <= most
        assert "<" not in shown.replace("<@U01ANA>", "").replace("<#C01>", "")
    assert clip(long, 400) == "x" * 280 + " asked for by <@U01ANA> in <#C01>"
    row = fit(Sentence.of("x" * (LIMIT - 165), ANA, "y" * 999))
    assert row.startswith("x" * (LIMIT - 165) + "…\n")


def test_a_refusal_is_the_sentence_and_what_to_do_now():
    answer = refusal(Invalid("app is currently updating", hint="wait, or --force"))

    assert text_of(answer) == "```\nERROR: app is currently updating\n```\nwait, or --force"


def test_what_was_done_stands_before_the_refusal_of_the_rest():
    answer = Answer(text="Setting FOO... OK\nRelease: RABCDEFGHIJ", refusal=Conflict("app is not updating"))

    assert text_of(answer) == "```\nSetting FOO... OK\nRelease: RABCDEFGHIJ\nERROR: app is not updating\n```"


def test_a_fault_of_ours_has_a_reference_and_no_internals():
    surprise = Unexpected()

    assert text_of(refusal(surprise)) == (
        "```\nERROR: something went wrong here, and nothing more was done\n```\n"
        f"ask whoever runs this bot for the log of {surprise.reference}"
    )


@pytest.mark.parametrize(
    ("app", "example"), [("shop", "/convox releases\n"), (None, "/convox releases -a myapp\n")]
)
def test_the_help_fits_one_message_with_examples_that_can_be_typed(app, example):
    answer = help_text("", app)
    text = text_of(answer)

    assert example in text
    assert "not shown" not in text
    assert [
        word for word in ("Ship", "Look", "Environment", "Apps and channels") if f"\n{word}\n" not in text
    ] == []
    assert (app or "/convox link APP") in text


def test_help_for_one_command_shows_that_one_and_its_relatives():
    text = str(help_text("env", "web").text)

    assert "env set KEY=VALUE…" in text
    assert "releases" not in text


def test_help_for_something_unknown_shows_everything():
    assert "releases promote" in str(help_text("zzz", "web").text)
    assert "'zzz'" in str(help_text("zzz", "web").text)


def test_a_terminal_reads_what_a_terminal_types():
    answer = help_text("", None, "http")

    assert "\n  convox-bot do releases -a myapp\n" in str(answer.text)
    assert "/convox" not in f"{answer.text}{answer.hint}"
    assert "this channel" not in str(answer.hint)


def test_a_terminal_that_asks_for_the_help_of_no_command_is_refused():
    with pytest.raises(Invalid, match="no command is called 'zzz'") as refused:
        help_text("zzz", None, "http")
    assert str(refused.value.hint) == "`help` lists the commands"


def test_every_example_of_the_help_is_a_command():
    lines = [line.strip() for line in str(help_text("", None).text).split("Examples\n")[1].split("\n")]

    assert [type(parse(line)) for line in lines] == [ListReleases, Promote, EnvSet]
