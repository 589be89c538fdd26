"""The card of a build in every state: word first, complete in `text`, buttons that are legal, nothing that Slack refuses."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from bot.playground.slack.limits import problems
from bot.views.build_buttons import build_of
from bot.views.build_card import BuildCardContext, build_card, build_ending, people_of
from bot.views.pings import quiet
from core.actor import Actor
from core.build_run import BuildRequest, BuildRun
from core.records.build import BuildStatus
from core.sentence import Sentence
from tests.bot.views.accessible import barriers
from tests.bot.views.harmless import assert_harmless
from tests.bot.views.samples import ANA, BO, BUILD, NOW, golden
from tests.bot.views.test_hostile_views import hostile, naming
from tests.soak import times

SOURCE = "https://github.com/shop/web"
REQUEST = BuildRequest(
    source="SABCDEFGHIJ",
    description="fix the cart",
    git_sha="1" * 40,
    repository=SOURCE,
    author="Ana Lytik <ana@shop.example>",
)
QUEUED = BuildRun(
    id="BABCDEFGHIJ", app="web", request=REQUEST, created_at=NOW - timedelta(minutes=4), created_by=ANA
)
RUNS = replace(QUEUED, status=BuildStatus.RUNNING, started_at=NOW - timedelta(minutes=3))
ENDED = replace(RUNS, ended_at=NOW)
CAUSE = 'process "/bin/sh -c make" did not complete successfully: exit code: 2'
DONE = replace(ENDED, status=BuildStatus.COMPLETE, release="RABCDEFGHIJ")
BROKEN = replace(ENDED, status=BuildStatus.FAILED, reason=Sentence.of(CAUSE))
STOPPED = replace(ENDED, status=BuildStatus.CANCELLED, reason=Sentence.of("cancelled by ", BO))
OLD = replace(BUILD, id="BAAAAAAAAAA", git_sha="0" * 40, repository=SOURCE)
IMAGES = {"web": "registry.host/web:web.BABCDEFGHIJ@sha256:" + "a" * 64, "worker": "registry.host/worker:1"}
STATES: dict[str, tuple[str, BuildRun, dict[str, Any]]] = {
    "queued": ("Queued, 2 ahead", QUEUED, {"ahead": 2}),
    "next": ("Queued, next", QUEUED, {}),
    "running": ("Building", RUNS, {}),
    "hindered": ("Building", replace(RUNS, waits="no node takes its pod: 0/3 nodes are available"), {}),
    "complete": ("Built", DONE, {"images": IMAGES}),
    "failed": ("Build failed", BROKEN, {}),
    "cancelled": ("Build cancelled", STOPPED, {}),
}
BUTTONS = {
    "queued": ["Cancel"],
    "next": ["Cancel"],
    "running": ["Cancel"],
    "hindered": ["Cancel"],
    "complete": ["Promote", "Diff"],
    "failed": ["Logs", "Retry"],
    "cancelled": [],
}


def shown(name: str, **changes: Any) -> dict[str, Any]:
    _, run, given = STATES[name]
    context: dict[str, Any] = {"run": run, "old_build": OLD, **given, **changes}
    return build_card(BuildCardContext(**context))


def buttons_of(payload: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for block in payload["blocks"] if block["type"] == "actions" for each in block["elements"]]


@pytest.mark.parametrize("name", STATES)
def test_the_card_of_a_build_in_this_state_is_the_reviewed_one(name):
    payload = shown(name)

    assert payload["text"].split(" · ")[0].endswith(f" {STATES[name][0]}")
    assert problems(payload, method="chat.update") == []
    assert barriers(payload) == []
    golden(f"card-build-{name}.txt", payload["text"])
    golden(f"card-build-{name}.json", json.dumps(payload["blocks"], indent=1, ensure_ascii=False))


@pytest.mark.parametrize("name", STATES)
def test_what_may_be_done_next_stands_on_it_and_each_button_is_a_typed_command(name):
    buttons = buttons_of(shown(name))

    assert [each["text"]["text"] for each in buttons] == BUTTONS[name]
    for each in buttons:
        assert each["value"].startswith("0 ")
        assert " -a web" in each["value"]
        # What rolls out or stops something asks first.
        assert ("confirm" in each) == (each["text"]["text"] in {"Promote", "Cancel"})


def test_a_block_of_buttons_tells_whose_card_it_stands_on():
    block = next(each for each in shown("failed")["blocks"] if each["type"] == "actions")
    assert build_of(block["block_id"]) == "BABCDEFGHIJ"
    assert build_of("promotion:PABCDEFGHIJ:3") is None


def test_the_commit_is_compared_with_that_of_the_build_that_runs():
    assert f"<{SOURCE}/compare/{'0' * 40}...{'1' * 40}|compare 0000000 → 1111111>" in shown("running")["text"]
    assert f"<{SOURCE}/commit/{'1' * 40}|commit 1111111>" in shown("running", old_build=None)["text"]
    bare = replace(RUNS, request=BuildRequest(source="S", description="x"))
    assert "commit" not in build_card(BuildCardContext(run=bare))["text"]


def test_a_push_links_what_it_brought():
    pushed = replace(RUNS, request=replace(REQUEST, compare=f"{SOURCE}/compare/a...b"))
    assert f"<{SOURCE}/compare/a...b|what was pushed>" in build_card(BuildCardContext(run=pushed))["text"]


def test_images_are_told_short_and_not_all_of_many():
    many = {f"service-{number:02}": "x" * 400 for number in range(10)}
    assert "and 2 more images" in shown("complete", images=many)["text"]
    nine = dict(list(many.items())[:9])
    assert "and 1 more image\n" in shown("complete", images=nine)["text"]


def test_a_card_whose_channel_closed_says_why_it_is_told_directly():
    assert "it was archived" in shown("running", closed=Sentence.of("it was archived"))["text"]


def test_nobody_is_called_by_a_card_and_whoever_asked_by_its_last_message():
    card = quiet(shown("cancelled"), people_of(STOPPED))
    assert "<@" not in json.dumps(card)
    assert "@ana" in card["text"]
    assert "cancelled by @bo" in card["text"]
    assert build_ending(DONE)["text"].endswith("asked for by <@U01ANA>")
    assert "asked for" not in build_ending(replace(DONE, created_by=Actor("token", "ci")))["text"]
    # Whoever stopped their own build is not told twice.
    own = replace(STOPPED, reason=Sentence.of("cancelled by ", ANA))
    assert build_ending(own)["text"].count("<@U01ANA>") == 1


def test_the_last_message_says_first_how_it_ended_and_what_to_do_now():
    assert build_ending(DONE)["text"].split("\n") == [
        "OK, build `BABCDEFGHIJ` of web",
        "Release: `RABCDEFGHIJ`",
        "after 3 min",
        "to promote it: `/convox releases promote RABCDEFGHIJ -a web`",
        "asked for by <@U01ANA>",
    ]
    assert build_ending(BROKEN)["text"].split("\n") == [
        f"ERROR: build `BABCDEFGHIJ` of web failed: {CAUSE}",
        "after 3 min",
        "its log: `/convox builds logs BABCDEFGHIJ -a web` · once more: `/convox builds retry BABCDEFGHIJ -a web`",
        "asked for by <@U01ANA>",
    ]
    never_began = replace(STOPPED, started_at=None)
    assert build_ending(never_began)["text"].startswith(
        "ERROR: build `BABCDEFGHIJ` of web was stopped: cancelled by <@U02BO>\nasked for"
    )
    assert build_ending(DONE, broadcast=True)["reply_broadcast"] is True
    assert "reply_broadcast" not in build_ending(BROKEN)


@pytest.mark.parametrize("status", BuildStatus)
@settings(max_examples=times(25, soak=1000))
@given(words=hostile, other=hostile)
def test_the_card_of_a_build_survives_whatever_is_written_into_it(status, words, other):
    request = BuildRequest(
        description=words,
        git_url=f"https://{other}",
        git_ref=other,
        author=other,
        git_sha=words,
        repository=f"https://github.com/{other}",
    )
    run = BuildRun(
        id="BABCDEFGHIJ",
        app="web",
        request=request,
        status=status,
        created_at=NOW,
        created_by=Actor("slack", words, other),
        started_at=NOW,
        ended_at=NOW,
        release="RABCDEFGHIJ",
        reason=naming(words, other),
        waits=other,
    )
    context = BuildCardContext(
        run=run, images={words: other, other: words}, old_build=replace(OLD, git_sha=other)
    )
    payload = quiet(build_card(context), people_of(run))

    assert_harmless(payload)
    assert len(payload["text"]) <= 4000
    assert problems(payload, method="chat.update") == []
    if run.ended:
        assert_harmless(build_ending(run))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("ask", "its promotion is asked for next, with approvals; by hand: `/convox releases promote R"),
        ("automatic", "it is promoted next; by hand: `/convox releases promote R"),
    ],
)
def test_a_release_that_is_promoted_by_itself_is_not_said_to_wait_for_somebody(after: Any, said: str):
    run = replace(DONE, request=replace(REQUEST, promote_after=after))
    assert said in build_ending(run, broadcast=False)["text"]
