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


def cell(text="x"):
    return {"type": "raw_text", "text": text}


def table(**more):
    return {"type": "table", "rows": [[cell()]], **more}


def rich(*parts):
    return {"type": "rich_text", "elements": list(parts)}


def line(text="x"):
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}


def task(**more):
    return {"type": "task_card", "task_id": "t", "title": "web", "status": "pending", **more}


def plan(*tasks, **more):
    return {"type": "plan", "title": "Rolling out", "tasks": list(tasks) or [task()], **more}


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
    table(
        rows=[[cell(), {"type": "raw_number", "value": 3, "text": "3"}, rich(line())]],
        column_settings=[{"align": "right", "is_wrapped": True}],
    ),
    plan(
        task(
            task_id="a",
            status="complete",
            details=rich(line()),
            sources=[{"type": "url", "url": "https://x.io", "text": "x"}],
        ),
        without(task(task_id="b", status="error", output=rich(line())), "type"),
        *(task(task_id=str(number)) for number in range(47)),
        task(task_id="last", title="t" * 256),
    ),
    task(status="in_progress"),
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
    "a repeated action_id": (
        [actions(button(), button())],
        '`action_id` "a" already exists [json-pointer:/blocks/0/elements/1/action_id]',
    ),
    "a repeated block_id": (
        [section(block_id="x"), section(block_id="x")],
        '`block_id` "x" already exists [json-pointer:/blocks/1/block_id]',
    ),
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
    "an empty cell": (
        [table(rows=[[cell("")]])],
        "more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]",
    ),
    "a number without one": (
        [table(rows=[[{"type": "raw_number"}]])],
        "missing required field: value [json-pointer:/blocks/0/rows/0/0]",
    ),
    "101 rows": ([table(rows=[[cell()]] * 101)], "no more than 100"),
    "a table of too much text": (
        [table(rows=[[cell("c" * 5001), rich(line("c" * 5000))]])],
        "less than 10001",
    ),
    "a column set askew": (
        [table(column_settings=[{"align": "middle"}])],
        "must be one of left, center, right [json-pointer:/blocks/0/column_settings/0/align]",
    ),
    "21 columns set": ([table(column_settings=[{}] * 21)], "no more than 20"),
    "a plan without a title": (
        [without(plan(), "title")],
        "missing required field: title [json-pointer:/blocks/0]",
    ),
    "a plan with a text object for a title": ([plan(title=plain("t"))], "must be a string"),
    "51 tasks": ([plan(*(task(task_id=str(i)) for i in range(51)))], "no more than 50"),
    "a task twice": (
        [plan(task(), task())],
        '`task_id` "t" already exists [json-pointer:/blocks/0/tasks/1/task_id]',
    ),
    "a task in an unknown state": (
        [plan(task(status="done"))],
        "must be one of pending, in_progress, complete, error [json-pointer:/blocks/0/tasks/0/status]",
    ),
    "a task in no state": ([plan(without(task(), "status"))], "missing required field: status"),
    "a task that is no task": ([plan(task(type="section"))], "unsupported type: section"),
    "details that are mrkdwn": (
        [task(details="*x*")],
        "must provide an object [json-pointer:/blocks/0/details]",
    ),
    "details of another kind": ([task(details=plain("x"))], "unsupported type: plain_text"),
    "details of two parts": ([task(details=rich(line(), line()))], "no more than 1 items"),
    "a wide table": ([{"type": "table", "rows": [table()["rows"][0] * 21]}], "no more than 20"),
    "unknown rich text": ([{"type": "rich_text", "elements": [{"type": "poem"}]}], "unsupported type: poem"),
    "an image without a description": (
        [{"type": "image", "image_url": "https://x.io/i.png"}],
        "missing required",
    ),
    "something that is no block": (["hello"], "must provide an object"),
    "a label that is a string": ([actions(button(text="Go"))], "must provide an object"),
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
        ({"blocks": [plan()]}, "unsupported type: plan"),
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
    "tasks",
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
    "plan",
    "task_card",
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
