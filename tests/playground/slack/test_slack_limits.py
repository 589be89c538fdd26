"""Slack's limits as a function: what is refused, and with which words."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack import problems


def plain(text):
    return {"type": "plain_text", "text": text}


def section(text="hello", **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(**more):
    return {"type": "button", "action_id": "a", "text": plain("Go"), "value": "1", **more}


def actions(*elements, **more):
    return {"type": "actions", "elements": list(elements), **more}


def confirm(**more):
    return {
        "title": plain("Sure?"),
        "text": plain("Really."),
        "confirm": plain("Go"),
        "deny": plain("Stay"),
        **more,
    }


def without(thing, key):
    copied = copy.deepcopy(thing)
    del copied[key]
    return copied


def select(**more):
    return {"type": "static_select", "action_id": "s", **more}


def table():
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}


GOOD = [
    {"type": "header", "text": plain("h" * 150)},
    section("s" * 3000, block_id="b1"),
    section(fields=[plain("f" * 2000)], accessory=button()),
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "c"}] * 10},
    {"type": "divider"},
    actions(
        button(text=plain("t" * 75), confirm=confirm(style="danger")), button(action_id="b", style="danger")
    ),
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]}],
    },
    table(),
]

BAD = {
    "51 blocks": ([section()] * 51, "no more than 50 items"),
    "a long section": ([section("s" * 3001)], "must be less than 3001 characters"),
    "an empty section": ([section("")], "must be more than 0 characters"),
    "a section without text": ([{"type": "section"}], "missing required field"),
    "11 fields": ([section(fields=[plain("f")] * 11)], "no more than 10 items"),
    "a long field": ([section(fields=[plain("f" * 2001)])], "must be less than 2001"),
    "a long header": ([{"type": "header", "text": plain("h" * 151)}], "must be less than 151"),
    "a header in mrkdwn": (
        [{"type": "header", "text": {"type": "mrkdwn", "text": "h"}}],
        "unsupported type: mrkdwn",
    ),
    "11 context elements": ([{"type": "context", "elements": [plain("c")] * 11}], "no more than 10"),
    "empty actions": ([actions()], "must have at least 1"),
    "26 buttons": ([actions(*(button(action_id=str(i)) for i in range(26)))], "no more than 25"),
    "a long label": ([actions(button(text=plain("t" * 76)))], "must be less than 76"),
    "a label in mrkdwn": (
        [actions(button(text={"type": "mrkdwn", "text": "t"}))],
        "unsupported type: mrkdwn",
    ),
    "a long value": ([actions(button(value="v" * 2001))], "must be less than 2001"),
    "a long url": ([actions(button(url="u" * 3001))], "must be less than 3001"),
    "an unknown style": ([actions(button(style="warning"))], "must be one of primary, danger"),
    "a long action_id": ([actions(button(action_id="a" * 256))], "must be less than 256"),
    "a repeated action_id": ([actions(button(), button())], "action_id already exists"),
    "a repeated block_id": ([section(block_id="x"), section(block_id="x")], "block_id already exists"),
    "confirm without deny": ([actions(button(confirm=without(confirm(), "deny")))], "missing required field"),
    "a long confirm title": ([actions(button(confirm=confirm(title=plain("t" * 101))))], "less than 101"),
    "a long confirm text": ([actions(button(confirm=confirm(text=plain("t" * 301))))], "less than 301"),
    "a long confirm label": ([actions(button(confirm=confirm(confirm=plain("t" * 31))))], "less than 31"),
    "an unknown block": ([{"type": "alert"}], "unsupported type: alert"),
    "an unknown key": ([section(colour="red")], "invalid additional property: colour"),
    "an unknown element": ([actions({"type": "lever"})], "unsupported type: lever"),
    "a select without options": ([actions(select())], "missing required field"),
    "a long option value": (
        [actions(select(options=[{"text": plain("o"), "value": "v" * 151}]))],
        "less than 151",
    ),
    "two tables": ([table(), table()], "only_one_table_allowed"),
    "a wide table": ([{"type": "table", "rows": [table()["rows"][0] * 21]}], "no more than 20"),
    "unknown rich text": ([{"type": "rich_text", "elements": [{"type": "poem"}]}], "unsupported type: poem"),
    "an image without a description": (
        [{"type": "image", "image_url": "https://x.io/i.png"}],
        "missing required",
    ),
    "something that is no block": (["hello"], "must be an object"),
}


def test_a_message_within_all_limits_has_no_problems():
    assert problems({"text": "hello", "blocks": GOOD}, method="chat.postMessage") == []


@pytest.mark.parametrize("what", BAD)
def test_slack_refuses(what):
    blocks, words = BAD[what]

    found = problems({"text": "hello", "blocks": blocks}, method="chat.postMessage")

    assert found
    assert found[0].startswith("invalid_blocks: [ERROR] ")
    assert any(words in each for each in found)


def test_a_message_needs_text_or_blocks():
    assert problems({"channel": "C1"}, method="chat.postMessage") == ["no_text"]
    assert problems({"text": "", "blocks": []}, method="chat.update") == ["no_text"]
    assert problems({"delete_original": True}, method="response_url") == []


def test_an_update_may_have_4000_characters_of_text_and_a_post_ten_times_that():
    assert problems({"text": "x" * 4000}, method="chat.update") == []
    assert problems({"text": "x" * 4001}, method="chat.update")[0].startswith("msg_too_long")
    assert problems({"text": "x" * 40_000}, method="chat.postMessage") == []
    assert problems({"text": "x" * 40_001}, method="chat.postMessage")[0].startswith("message_truncated")


def test_blocks_have_a_limit_together_except_through_a_response_url():
    payload = {"text": "x", "blocks": [section("s" * 2900) for _ in range(5)]}

    assert problems(payload, method="chat.postMessage")[0].startswith("msg_blocks_too_long")
    assert problems(payload, method="response_url") == []


def test_blocks_without_top_level_text_are_named_because_screen_readers_read_nothing_else():
    (found,) = problems({"blocks": [section()]}, method="chat.postMessage")

    assert found.startswith("missing_text")


def test_a_modal_with_inputs_needs_a_submit_button():
    entry = {
        "type": "input",
        "label": plain("Why"),
        "element": {"type": "plain_text_input", "action_id": "why"},
    }
    view = {"type": "modal", "title": plain("Reason"), "blocks": [entry]}

    assert "submit" in problems({"view": view}, method="views.open")[0]
    assert problems({"view": view | {"submit": plain("Send")}}, method="views.open") == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": plain("t" * 25)}, "less than 25"),
        ({"private_metadata": "m" * 3001}, "less than 3001"),
        ({"callback_id": "c" * 256}, "less than 256"),
        ({"blocks": [section()] * 101}, "no more than 100"),
        ({"blocks": [table()]}, "unsupported type: table"),
        ({"colour": "red"}, "invalid additional property"),
        ({"type": "page"}, "unsupported type"),
    ],
)
def test_a_modal_has_limits_of_its_own(change, words):
    view = {"type": "modal", "title": plain("Reason"), "blocks": [section()]} | change

    assert words in problems({"view": view}, method="views.open")[0]


WORDS = [
    "type",
    "text",
    "blocks",
    "elements",
    "fields",
    "rows",
    "options",
    "confirm",
    "accessory",
    "block_id",
]
KINDS = [
    "section",
    "actions",
    "button",
    "table",
    "rich_text",
    "plain_text",
    "mrkdwn",
    "modal",
    "context",
    "input",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(KINDS) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=20,
)


@given(blocks=st.lists(JUNK, max_size=4) | JUNK, text=JUNK)
def test_any_junk_gets_an_answer_and_never_an_exception(blocks, text):
    for method, payload in {
        "chat.postMessage": {"text": text, "blocks": blocks},
        "chat.update": {"text": text, "blocks": blocks},
        "views.open": {"view": {"type": "modal", "title": text, "blocks": blocks}},
    }.items():
        assert all(isinstance(each, str) for each in problems(payload, method=method))
