"""Who is told of a build: its card, what stands in its thread, its one ending; and asking for the same once more."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from core.actor import Actor, Caller
from core.errors import Conflict, Forbidden, NotFound
from core.lifecycle.build_ending import EVIDENCE_LINES
from core.lifecycle.build_telling import MOST_THREAD_LINES, card_channel, log_lines, step_lines
from core.policy.authorization import parse_policy
from core.ports.builds import JobLogLine
from core.records.build import BuildStatus
from tests.bot.api.asking import policy_of
from tests.core.building.nursery import DONE, FAILED, MANIFEST, RUNS, Builds, builds, start
from tests.core.world import ALICE, BOB, by

LOG = [
    "Building web (1/1)",
    "#1 [internal] load build definition from Dockerfile",
    "#5 [1/2] FROM docker.io/library/alpine:3.22",
    "#5 0.5 [2/2] written by a step",
    "#6 [2/2] RUN make",
    "#6 0.2 no rule",
    "#6 ERROR: exit code: 2",
    "error: failed to solve: exit code: 2",
]
LINES = [JobLogLine(str(number), line) for number, line in enumerate(LOG)]
VERBOSE = 'apps:\n  - match: ["*"]\n    verbosity: verbose\n'
STEPS = ["[1/2] FROM docker.io/library/alpine:3.22", "[2/2] RUN make", "ERROR: exit code: 2"]


@pytest.fixture
async def b(tmp_path: Path) -> AsyncGenerator[Builds]:
    async with builds(tmp_path) as made:
        yield made


def here(actor: Actor = ALICE) -> Caller:
    return by(actor, "C01SHOP")


def terminal() -> Caller:
    return Caller(actor=Actor("token", "ci"), source="http")


async def asked(b: Builds, caller: Caller, **more):
    given = {"manifest": MANIFEST, "source": b.sources.add(), **more}
    return (await start(b.starter, caller, "myapp", **given)).run


async def thread(b: Builds, build: str) -> list[str]:
    return [str(line) for _, line in await b.w.store.read.lines(build)]


async def card_of(b: Builds, run):
    return await b.w.store.read.card(run.id)


async def test_what_is_asked_for_in_slack_has_a_card_there_with_its_steps_and_one_ending(b: Builds):
    b.jobs.lines = LINES[:5]
    run = await b.end((await asked(b, here())).id)
    assert run.status is BuildStatus.COMPLETE
    assert (await card_of(b, run)).channel == "C1"
    assert [line.split(" ", 1)[1] for line in await thread(b, run.id)] == STEPS[:2]
    (due,) = await b.w.store.outbox.cards_due()
    await b.w.store.outbox.card_posted(run.id, "1.0", due.wanted)
    (under,) = await b.w.store.outbox.threads_due()
    assert (under.app, under.ending, under.waiting) == ("myapp", True, 2)
    # The card tells it: no message is posted beside it.
    assert await b.w.store.outbox.notices.due() == []
    assert b.w.announcer.woken > 0


async def test_of_what_fails_the_last_lines_stand_in_the_thread(b: Builds):
    b.jobs.looks, b.jobs.lines = [RUNS, FAILED], LINES
    run = await b.end((await asked(b, here())).id)
    *steps, evidence = [line for _, line in await b.w.store.read.lines(run.id)]
    assert [line.text for line in steps] == STEPS
    assert (evidence.kind, evidence.text.split("\n")) == ("evidence", [f"the last lines of {run.id}:", *LOG])
    assert len(LOG) <= EVIDENCE_LINES


async def test_what_a_step_writes_is_no_step_and_one_that_images_share_is_told_once(b: Builds):
    lines = step_lines([*LOG, LOG[2].replace("#5", "#9")], b.w.clock.now())
    assert list(dict.fromkeys(line.key for line in lines)) == STEPS
    assert len(lines) == len(STEPS) + 1


async def test_in_a_verbose_channel_the_thread_has_the_log_as_it_is(b: Builds):
    b.w.policy = parse_policy(policy_of("build, view", who="U01ALICE") + VERBOSE)
    b.jobs.looks, b.jobs.lines = [RUNS, FAILED], LINES
    run = await b.end((await asked(b, here())).id)
    *told, evidence = [line for _, line in await b.w.store.read.lines(run.id)]
    assert [str(line) for line in told] == [text for text in LOG if text.strip()]
    assert {line.kind for line in told} == {"log"}
    assert evidence.kind == "evidence"


async def test_a_thread_has_so_many_lines_of_a_log_and_says_where_the_rest_is(b: Builds):
    now, texts = b.w.clock.now(), [f"line {number}" for number in range(1, 11)]
    assert [str(line) for line in log_lines(texts, now, last=10)] == texts
    cut = log_lines(texts, now, last=MOST_THREAD_LINES + 4)
    assert [str(line) for line in cut[:-1]] == texts[:6]
    assert str(cut[-1]) == "[the thread has the first 2,000 lines; `builds logs` has the rest]"
    (only,) = log_lines(texts, now, last=MOST_THREAD_LINES + 50)
    assert only.key == cut[-1].key


@pytest.mark.parametrize("how", ["cancelled", "alone"])
async def test_one_that_is_stopped_ends_its_thread_too(b: Builds, how):
    b.hold()
    run = await asked(b, here())
    if how == "cancelled":
        await b.starter.cancel(here(BOB), run.id)
    else:
        await asked(b, here(BOB), only_newest=True)
    await b.w.store.outbox.card_posted(run.id, "1.0", 0)
    assert [each.subject for each in await b.w.store.outbox.threads_due() if each.ending] == [run.id]


async def test_each_turn_changes_the_cards_of_those_that_wait(b: Builds):
    b.hold()
    first, second = await asked(b, here()), await asked(b, here())
    for run in (first, second):
        await b.w.store.outbox.card_posted(run.id, f"{run.id}.0", 0)
    assert await b.w.store.outbox.cards_due() == []
    async with b.w.store.transaction() as tx:
        await tx.save_build_run(first.started(tx.now), was=first.status)
    due = {each.card.subject: each.phase for each in await b.w.store.outbox.cards_due()}
    assert due == {first.id: "running", second.id: "created"}


@pytest.mark.parametrize(
    ("said", "promote", "told"),
    [
        ("    deadline: 10m", False, True),
        ("    deadline: 10m", True, False),
        ("    announce_builds: false", False, False),
        ("    verbosity: quiet", False, False),
    ],
)
async def test_of_what_a_terminal_asks_for_a_channel_hears_as_of_announced_builds(
    b: Builds, said, promote, told
):
    b.w.policy = rules_of(said)
    run = await b.end((await asked(b, terminal(), to_promote=promote)).id)
    assert run.status is BuildStatus.COMPLETE
    card = await card_of(b, run)
    assert (card is not None and card.channel == "C1") is told
    assert await b.w.store.outbox.notices.due() == []


async def test_a_push_is_seen_in_the_channel_of_its_app_however_quiet_that_is(b: Builds):
    policy = rules_of("    verbosity: quiet\n    announce_builds: false")
    app = await b.w.store.read.app("myapp")
    push = Caller(actor=Actor("webhook", "github.com/shop/web"), source="http")
    assert card_channel(push, app, policy, to_promote=False) == "C1"
    assert card_channel(terminal(), app, policy, to_promote=False) is None


async def test_in_slack_a_card_is_seen_where_it_was_asked_for_however_quiet_that_is(b: Builds):
    await b.w.registrar.unlink(by(ALICE, "C1"), "myapp")
    b.w.policy = rules_of("    verbosity: quiet\n    announce_builds: false")
    assert (await card_of(b, await asked(b, here(), to_promote=True))).channel == "C01SHOP"


def rules_of(said: str):
    return parse_policy(f"apps:\n  - match: ['*']\n{said}\n", open_to_all=True)


async def test_a_channel_that_was_linked_meanwhile_is_told_by_a_notice(b: Builds):
    await b.w.registrar.unlink(by(ALICE, "C1"), "myapp")
    b.hold()
    run = await asked(b, terminal())
    assert await card_of(b, run) is None
    b.w.policy = rules_of("    channel: C02APP")
    await b.end(run.id)
    assert [each.kind for each in await b.w.store.outbox.notices.due()] == ["build"]


# Once more


async def failed(b: Builds, **more):
    b.jobs.looks = [RUNS, FAILED]
    return await b.made(**more)


async def test_what_has_failed_is_asked_for_once_more_as_it_was_and_its_source_goes_with_success(b: Builds):
    run = await failed(b, description="add cart\n\nlong", git_sha="abc", no_cache=True, to_promote=True)
    assert list(b.sources.kept) == [run.request.source]
    b.hold()
    queued = await b.starter.retry(here(BOB), run.id)
    assert queued.run.request == replace(run.request, promote=False)
    assert (queued.run.id != run.id, queued.run.created_by, queued.ahead) == (True, BOB, 0)
    assert (await card_of(b, queued.run)).channel == "C1"
    b.jobs.looks = [DONE]
    assert (await b.end(queued.run.id)).status is BuildStatus.COMPLETE
    assert b.sources.kept == {}


async def test_a_source_is_built_from_once_at_a_time_however_often_it_failed(b: Builds):
    run = await failed(b)
    b.hold()
    again = (await b.starter.retry(by(ALICE), run.id)).run
    with pytest.raises(Conflict, match="has its build already"):
        await b.starter.retry(by(ALICE), run.id)
    b.jobs.looks = [FAILED]
    assert (await b.end(again.id)).status is BuildStatus.FAILED
    b.hold()
    assert (await b.starter.retry(by(ALICE), again.id)).run.request.source == run.request.source


async def test_what_has_no_source_any_more_says_what_to_run_instead(b: Builds):
    run = await b.made()
    with pytest.raises(Conflict, match=f"the source of {run.id} is gone") as refused:
        await b.starter.retry(by(ALICE), run.id)
    assert "`convox-bot build`" in str(refused.value.hint)


async def test_what_still_goes_on_is_not_asked_for_once_more(b: Builds):
    b.hold()
    run = await asked(b, here())
    with pytest.raises(Conflict, match="has not ended: it is created"):
        await b.starter.retry(by(ALICE), run.id)


async def test_only_what_the_cluster_built_and_one_who_may_build_is_asked_for_once_more(b: Builds):
    made = await b.w.build()
    with pytest.raises(Conflict, match="was made elsewhere, so it is built again there"):
        await b.starter.retry(by(ALICE), made.build.id, app="myapp")
    with pytest.raises(NotFound):
        await b.starter.retry(by(ALICE), "BNOWHEREXXX")
    run = await failed(b)
    b.w.policy = parse_policy(policy_of("view"))
    with pytest.raises(Forbidden):
        await b.starter.retry(terminal(), run.id)


async def test_a_rack_that_builds_nothing_any_more_says_so(b: Builds):
    run = await failed(b)
    b.jobs.missing = "CONVOX_REGISTRY is not set"
    with pytest.raises(Conflict, match="CONVOX_REGISTRY"):
        await b.starter.retry(by(ALICE), run.id)
