"""Whatever the records hold, Slack takes every view: cards of any shape, endings, lines, lists, notices and dialogs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.command.forms import Form, FormField
from bot.playground.slack.limits import characters, problems
from bot.views.modals import LONGEST_INPUT, modal
from bot.views.notices import notice
from bot.views.thread import message, terminal
from core.actor import Actor
from core.ports.notices import Notice
from core.promotion import SETTLED, Phase
from core.records.countdown import Countdown
from core.records.line import Line
from core.records.progress import Completion, Progress, Settling
from core.records.waits_for import WaitsFor
from core.sentence import Channel, CommandLine, Sentence
from tests.bot.views.harmless import NASTY
from tests.bot.views.samples import ANA, APP, BO, BUILD, NEW, NOW, OLD, WAITING, YES, card_of, listed
from tests.soak import times

# Slack refuses all blocks together from about 13,000 characters on, and was seen to refuse less (slack.md 1.4).
MOST_BLOCKS = 11_500

# The longest of them are for views that cut before anything else; hypothesis would tell of each in full.
words = st.sampled_from(
    [*(each for each in NASTY if len(each) < 50_000), "", "plain words", "w" * 400, "wort " * 80]
) | st.text(max_size=20)
# As many as there may be; that they are alike costs Slack no less, and hypothesis much less.
many = st.tuples(words, st.integers(0, 40)).map(lambda drawn: (drawn[0],) * drawn[1])
names = st.sampled_from(["web", "a", "n" * 63, "my-worker"])
people = st.sampled_from([ANA, BO, Actor("token", "ci"), Actor("bot", "convox-bot")])
sentences = st.lists(
    words | people | st.just(Channel("C01")) | st.builds(CommandLine, words), max_size=4
).map(lambda parts: Sentence.of(*parts))
counts = st.integers(0, 60).map(lambda n: {f"{'s' * n}-{at}": (at, n) for at in range(n)})
moments = st.integers(-9_999, 9_999).map(lambda seconds: NOW + timedelta(seconds=seconds))


@st.composite
def progresses(draw: st.DrawFn) -> Progress:
    services = draw(counts)
    settling = Settling(service=draw(names), seconds=20.0, until=draw(st.none() | moments))
    return Progress(
        watched=draw(st.floats(0, 9e4)),
        services=services,
        complete=dict.fromkeys(services, Completion(at=1.0, pods=1)) if draw(st.booleans()) else {},
        waiting=draw(words),
        settling=draw(st.none() | st.just(settling)),
        remarks=draw(many),
        clearing=draw(words),
        routes=draw(many),
        unrouted=draw(many),
        first_pods=draw(words),
    )


@st.composite
def promotions(draw: st.DrawFn, phase: Phase):
    flags: dict[str, Any] = {
        name: draw(st.booleans()) for name in ("force", "overwrite", "removed", "nothing_ran", "blameless")
    }
    who: dict[str, Any] = {
        name: draw(st.none() | people)
        for name in ("declined_by", "cancelled_by", "taken_over_by", "stopped_by")
    }
    return replace(
        WAITING,
        **flags,
        **who,
        phase=phase,
        kind=draw(st.sampled_from(["promote", "rollback"])),
        restarts=("web", "n" * 63) * draw(st.integers(0, 20)),
        cautions=draw(many),
        along=(draw(sentences),) * draw(st.integers(0, 20)),
        anyway=draw(st.none() | words),
        requested_by=draw(people),
        cause=draw(sentences),
        reason=draw(sentences),
        back_to=draw(st.none() | st.just("RAAAAAAAAAA")),
        superseded_by=draw(st.none() | st.just("RNEWERONEXX")),
        waits_for=draw(st.none() | st.sampled_from([WaitsFor(what="free"), WaitsFor(what="time", at=NOW)])),
        countdown=draw(st.none() | st.just(Countdown(until=60.0, at=NOW))),
        started_at=draw(st.none() | moments),
        touched_at=draw(st.none() | moments),
        settled_at=NOW if phase in SETTLED else None,
        progress=draw(progresses()),
        revision=draw(st.integers(0, 10**9)),
    )


@pytest.mark.parametrize("phase", Phase)
@settings(max_examples=times(15, soak=1000))
@given(data=st.data())
def test_slack_takes_any_card(phase, data):
    promotion = data.draw(promotions(phase))
    images = {f"service{at}": word for at, word in enumerate(data.draw(many))}
    payload = card_of(
        promotion,
        app=replace(APP, active_release=data.draw(st.sampled_from([NEW.id, OLD.id, None]))),
        release=replace(NEW, description=data.draw(words)),
        build=replace(BUILD, images=images, reused=tuple(images)),
        previous=data.draw(st.none() | st.just(OLD)),
        source=data.draw(st.none() | st.just(listed(replace(OLD, description=data.draw(words))))),
        approvals=[replace(YES, actor=data.draw(people)) for _ in range(data.draw(st.integers(0, 9)))],
        notes=data.draw(many),
        closed=data.draw(sentences),
        last_log=data.draw(words),
        spares_build=data.draw(st.booleans()),
        plans=data.draw(st.booleans()),
    )

    for method in ("chat.postMessage", "chat.update"):
        assert problems(payload, method=method) == []
    assert len(payload["text"]) <= 4000
    assert characters(payload["blocks"]) <= MOST_BLOCKS
    labels = [e for block in payload["blocks"] if block["type"] == "actions" for e in block["elements"]]
    assert all(each["accessibility_label"] and each["text"]["text"] in payload["text"] for each in labels)


@pytest.mark.parametrize("phase", sorted(SETTLED))
@settings(max_examples=times(15, soak=1000))
@given(data=st.data())
def test_slack_takes_any_ending_and_any_lines(phase, data):
    lines = [
        Line(at=NOW, object=data.draw(names), text=data.draw(words), key=str(number))
        for number in range(data.draw(st.integers(0, 3)))
    ]
    ended = data.draw(promotions(phase))

    assert problems(terminal(ended, lines), method="chat.postMessage") == []
    if lines:
        assert problems(message(lines[:1]), method="chat.postMessage") == []


@settings(max_examples=times(50, soak=1000))
@given(kind=st.sampled_from(["notice", "build", "ask", "reminder"]), said=sentences, app=names)
def test_slack_takes_any_notice(kind, said, app):
    due = Notice(
        id=7, channel="C01", said=Sentence.of("told: ", said), nonce="", tried_at=None, since=NOW,
        kind=kind, app=app, release="RABCDEFGHIJ", promotion="PABCDEFGHIJ",
    )  # fmt: skip

    assert problems(notice(due), method="chat.postMessage") == []


@settings(max_examples=times(50, soak=1000))
@given(
    title=st.text(min_size=1, max_size=80),
    text=st.text(max_size=LONGEST_INPUT),
    origin=st.text(max_size=2000),
)
def test_slack_takes_any_dialog(title, text, origin):
    field = FormField(name="value", label="Value", kind="lines", hint="A line each.", text=text)
    view = modal(Form(title=title, submit="Set", fields=(field,)), origin)

    assert problems({"view": view}, method="views.open") == []
