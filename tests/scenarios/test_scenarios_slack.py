"""What Slack sees of promotions, whatever happens to Slack meanwhile; on the simulated cluster."""

from collections.abc import AsyncIterator

import pytest

from bot.playground.slack import DROP, Outage
from bot.views.thread import LAST_LINES
from core.ports.outbox import Card
from tests.scenarios.arrangement import ALICE, BOB, CAROL, CHANNEL, GUEST, STRANGER
from tests.scenarios.conftest import Open
from tests.scenarios.harness import VERDICTS, Stage

PATIENT = {"deadline": "200s", "longest": "600s"}
APPROVED = {**PATIENT, "approvals": "{promote: {count: 1}}", "unpinned": "true"}


@pytest.fixture
def plane():
    """The cluster makes no difference to Slack."""


@pytest.fixture
def speed() -> float:
    """Looking a lost message up takes a minute, and nothing here is about how fast a cluster is."""
    return 20.0


@pytest.fixture
async def stage(open_stage: Open) -> AsyncIterator[Stage]:
    """A stage on which no rollout is late, however busy the machine is."""
    async with open_stage() as made:
        made.rule(**PATIENT)
        await made.create_app()
        yield made


async def check_thread(stage: Stage, promotion: str) -> None:
    """Check what holds of every promotion: one card, every line once and in order, one verdict, at the end."""
    card = await stage.card(promotion)
    *messages, last = await stage.thread(promotion)
    lines = last.partition(f"\n{LAST_LINES}\n")[2]
    shown = "\n".join(text.strip("`\n") for text in [*messages, lines] if text)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        shown = shown.replace(entity, sign)
    assert shown == "\n".join(str(line) for line in await stage.lines(promotion))
    assert last.startswith(VERDICTS)
    assert not any(row.startswith(VERDICTS) for text in messages for row in text.split("\n"))
    named = [m for m in stage.slack.messages(card.channel) if f"promotion:{promotion}" in str(m.blocks)]
    assert named in ([], [card])
    assert all(message.ts > card.ts for message in stage.slack.thread(card.channel, card.ts))


def parents(stage: Stage) -> list[str]:
    """Return the main view of the channel: what the bot said there, oldest first."""
    return [message.ts for message in stage.slack.messages(CHANNEL) if not message.is_reply]


async def ends(stage: Stage, promotion: str, phase: str) -> None:
    assert (await stage.ended(promotion)).phase == phase
    await check_thread(stage, promotion)


async def test_each_promotion_has_one_card_and_one_verdict_at_the_end_of_its_thread(stage: Stage):
    good = await stage.promote(await stage.build(web="v1"))
    await ends(stage, good, "Running")
    bad = await stage.promote(await stage.build(web="v2-crash"))
    await ends(stage, bad, "Reverted")
    stage.rule(**APPROVED)
    declined = await stage.promote(await stage.build(web="v3"))
    await stage.command(f"decline {declined}", user=CAROL)
    await ends(stage, declined, "Declined")

    cards = [(await stage.card(promotion)).ts for promotion in (good, bad, declined)]
    assert parents(stage) == cards
    posted = [call.args for call in stage.slack.calls if call.method == "chat.postMessage"]
    assert [args.get("thread_ts") for args in posted].count(None) == len(cards)
    assert "thread_ts" not in posted[0]


async def test_a_workspace_without_plans_and_tables_reads_cards_in_words_and_lists_as_code(stage: Stage):
    stage.slack.refuse_blocks("plan", "table")
    promotion = await stage.promote(await stage.build(web="v1"))
    await ends(stage, promotion, "Running")

    assert (await stage.command("releases")).startswith("```\nID")
    assert (await stage.command("releases")).startswith("```\nID")
    refused = [each for each in stage.slack.violations if "unsupported type" in each]
    # One call each, whatever is sent afterwards.
    assert len([each for each in refused if "plan" in each]) == 1
    assert len([each for each in refused if "table" in each]) == 1
    assert stage.slack.violations == refused
    stage.slack.violations.clear()


@pytest.mark.parametrize("how", [Outage.ERROR, Outage.DROP, Outage.REFUSE])
async def test_a_rollout_ends_while_slack_is_down_and_the_thread_catches_up(stage: Stage, how: Outage):
    release = await stage.build(web="v1")
    promotion = await stage.promote(release)
    await stage.card(promotion)
    await stage.slack.go_down(how)

    await stage.phase(promotion, "Running")
    card = await stage.bot.store.read.card(promotion)
    assert not stage.ending(card.ts)
    await stage.slack.come_up()
    await ends(stage, promotion, "Running")
    assert parents(stage) == [card.ts]


async def test_slack_that_is_down_from_the_start_delays_the_card_and_not_the_rollout(stage: Stage):
    release = await stage.build(web="v1")
    await stage.slack.go_down(Outage.ERROR)
    status, answer = await stage.do(f"releases promote {release} -a myapp")

    assert (status, answer["text"]) == (200, f"Promoting {release}...")
    await stage.phase(answer["promotion"], "Running")
    assert parents(stage) == []
    assert (await stage.http("GET", "/healthz"))[0] == 200
    await stage.slack.come_up()
    await ends(stage, answer["promotion"], "Running")
    assert len(parents(stage)) == 1


async def test_rate_limits_are_honoured_and_nothing_is_lost(stage: Stage):
    release = await stage.build(web="v1")
    before = len(stage.slack.calls)
    stage.slack.fail_next("chat.postMessage", 429, times=2, retry_after=4)
    stage.slack.fail_next("chat.update", 429, retry_after=4)
    promotion = await stage.promote(release)

    await ends(stage, promotion, "Running")
    card = await stage.card(promotion)
    asked = (await stage.bot.store.read.promotion(promotion)).requested_at.timestamp()
    assert float(card.ts) >= asked + 8.0
    taken = [call for call in stage.slack.calls[before:] if call.method == "chat.postMessage"]
    assert len(taken) == 1 + len(await stage.thread(promotion))


@pytest.mark.parametrize("failure", [DROP, 500, "fatal_error"])
async def test_a_card_that_was_posted_without_an_answer_is_found_and_not_posted_again(
    stage: Stage, failure: str | int
):
    release = await stage.build(web="v1")
    stage.slack.fail_next("chat.postMessage", failure, after_effect=True)
    promotion = await stage.promote(release)

    await ends(stage, promotion, "Running")
    assert parents(stage) == [(await stage.card(promotion)).ts]


async def test_messages_of_a_thread_without_an_answer_are_found_and_not_posted_again(stage: Stage):
    release = await stage.build(web="v1")
    promotion = await stage.promote(release)
    await stage.card(promotion)
    stage.slack.fail_next("chat.postMessage", DROP, after_effect=True, times=2)

    await ends(stage, promotion, "Running")


async def test_a_post_that_never_arrived_is_sent_once_nobody_finds_it(stage: Stage):
    release = await stage.build(web="v1")
    stage.slack.fail_next("chat.postMessage", DROP)
    promotion = await stage.promote(release)

    await ends(stage, promotion, "Running")
    assert len(parents(stage)) == 1
    looked = [call.method for call in stage.slack.calls if call.method == "conversations.history"]
    assert len(looked) == 2


async def test_a_verdict_without_an_answer_is_said_once(stage: Stage):
    promotion = await stage.promote(await stage.build(web="v1"))
    await stage.line(promotion, "Status: Pending => Updating")
    await stage.quiet()
    # Everything that is left to say is lost on its way back, the verdict among it.
    stage.slack.fail_next("chat.postMessage", DROP, after_effect=True, times=100)
    await stage.phase(promotion, "Running")

    await ends(stage, promotion, "Running")


async def test_a_channel_without_the_bot_is_told_to_invite_it(stage: Stage):
    release = await stage.build(web="v1")
    # An app without a channel of its own is told of where somebody types.
    await stage.command("unlink")
    answer = await stage.command(f"releases promote {release} -a myapp", channel="C03RANDOM")

    promotion = await stage.newest()
    assert (
        str((await stage.phase(promotion.id, "Refused")).reason)
        == "I am not in this channel: /invite @convox"
    )
    assert answer.startswith("```\nERROR: I am not in this channel: /invite @convox")
    assert await stage.items("deployments") == []


async def test_what_slack_delivers_three_times_happens_once(stage: Stage):
    stage.rule(**APPROVED)
    release = await stage.build(web="v1")
    before = len(stage.slack.ephemerals(ALICE))
    asked = stage.slack.command_envelope(ALICE, CHANNEL, f"releases promote {release}")
    assert all(delivery.ok for delivery in await stage.slack.deliver(asked, times=3))
    await stage.answer(ALICE, before)
    promotion = (await stage.newest()).id
    card = await stage.card(promotion)
    clicked = stage.slack.click_envelope(CAROL, CHANNEL, card.ts, "promotion.approve")
    assert all(delivery.ok for delivery in await stage.slack.deliver(clicked, times=3))

    await ends(stage, promotion, "Running")
    assert len(await stage.bot.store.read.promotions("myapp", 10)) == 1
    assert len(await stage.bot.store.read.approvals(promotion)) == 1
    assert len(stage.slack.ephemerals(ALICE)) == before + 1
    assert len(stage.slack.ephemerals(CAROL)) == 1


async def test_two_people_click_at_once_and_the_later_is_told_who_was_first(stage: Stage):
    stage.rule(**APPROVED)
    promotion = await stage.promote(await stage.build(web="v1"))
    card = await stage.card(promotion)
    late = stage.slack.click_envelope(BOB, CHANNEL, card.ts, "promotion.approve")
    await stage.click(promotion, "approve", user=CAROL)
    before = len(stage.slack.ephemerals(BOB))
    await stage.slack.deliver(late)

    (approval,) = await stage.bot.store.read.approvals(promotion)
    answer = await stage.answer(BOB, before)
    assert answer.startswith(f"```\nERROR: already approved by <@{CAROL}> at {approval.at:%H:%M} UTC")
    await ends(stage, promotion, "Running")


async def test_a_restart_in_the_middle_resumes_and_tells_everything_once(stage: Stage):
    good = await stage.promote(await stage.build(web="v1"))
    await ends(stage, good, "Running")
    promotion = await stage.promote(await stage.build(web="v2"))
    await stage.line(promotion, "Created pod: web-")
    await stage.restart()

    await ends(stage, promotion, "Running")
    assert f"{(await stage.bot.store.read.promotion(promotion)).release}  active" in await stage.command(
        "releases"
    )
    assert len(parents(stage)) == 2


async def test_an_approval_is_given_after_a_restart(stage: Stage):
    stage.rule(**APPROVED)
    promotion = await stage.promote(await stage.build(web="v1"))
    await stage.card(promotion)
    await stage.restart()
    await stage.click(promotion, "approve", user=CAROL)

    await ends(stage, promotion, "Running")


async def test_a_restart_while_slack_is_down_loses_no_word(stage: Stage):
    promotion = await stage.promote(await stage.build(web="v1"))
    card = await stage.card(promotion)
    await stage.slack.go_down(Outage.ERROR)
    await stage.phase(promotion, "Running")
    await stage.stop()
    await stage.slack.come_up()
    await stage.start()

    await ends(stage, promotion, "Running")
    assert parents(stage) == [card.ts]


@pytest.mark.parametrize("how", ["dropped", "refreshed"])
async def test_a_lost_socket_is_opened_again(stage: Stage, how: str):
    if how == "dropped":
        stage.slack.drop_sockets()
    else:
        await stage.slack.disconnect_sockets()
    await stage.until(lambda: stage.slack.connected)

    assert "ID" in await stage.command("releases")


async def test_a_token_that_is_revoked_stops_the_words_and_not_the_rollout(stage: Stage):
    promotion = await stage.promote(await stage.build(web="v1"))
    card = await stage.card(promotion)
    stage.slack.fail_next("*", "invalid_auth", times=1000)

    await stage.phase(promotion, "Running")
    status, answer = await stage.do("releases -a myapp")
    assert (status, "active" in answer["text"]) == (200, True)
    assert stage.bot.slack.bot_token_refused
    status, body = await stage.http("GET", "/readyz")
    assert (status, "invalid_auth" in body) == (503, True)
    assert (await stage.http("GET", "/healthz"))[0] == 200
    # Whoever runs it gives it a good token and starts it again.
    await stage.slack.come_up()
    await stage.restart()
    await ends(stage, promotion, "Running")
    assert parents(stage) == [card.ts]


@pytest.mark.parametrize(
    ("user", "why"),
    [(GUEST, "guests may not do this"), (STRANGER, "people from other workspaces may not do this")],
)
async def test_guests_and_strangers_are_refused_whatever_they_do(stage: Stage, user: str, why: str):
    stage.rule(**APPROVED)
    release = await stage.build(web="v1")
    for words in ("releases", f"releases promote {release}", "env --reveal", "apps cancel", "apps"):
        assert why in await stage.command(words, user=user), words
    promotion = await stage.promote(release)
    assert why in await stage.click(promotion, "approve", user=user)
    assert why in await stage.click(promotion, "cancel", user=user)
    assert (await stage.bot.store.read.promotion(promotion)).phase == "AwaitingApproval"
    assert await stage.bot.store.read.approvals(promotion) == []


async def test_whoever_has_no_role_is_told_which_right_is_missing_and_whom_to_ask(stage: Stage):
    release = await stage.build(web="v1")
    answer = await stage.command(f"releases promote {release}", user=CAROL)

    assert answer.startswith(
        "```\nERROR: you may not promote myapp: that needs the role developer for it (ask <@"
    )
    assert await stage.bot.store.read.promotions("myapp", 10) == []


async def test_a_release_on_hold_is_promoted_for_a_reason_that_the_card_shows(stage: Stage):
    good = await stage.promote(await stage.build(web="v1"))
    await ends(stage, good, "Running")
    bad = await stage.promote(await stage.build(web="v2-notfound"))
    await ends(stage, bad, "Reverted")
    held = (await stage.bot.store.read.promotion(bad)).release
    again = await stage.promote(held, '--anyway "the registry is back"')

    assert "the registry is back" in (await stage.card(again)).text
    await ends(stage, again, "Reverted")


async def test_a_promotion_from_a_terminal_has_the_same_card_and_thread(stage: Stage):
    release = await stage.build(web="v1")
    _, answer = await stage.do(f"releases promote {release} -a myapp")
    promotion = answer["promotion"]
    status, streamed = await stage.http("GET", f"/promotions/{promotion}/lines")

    await ends(stage, promotion, "Running")
    *rows, last = streamed.removesuffix("\n").split("\n")
    assert (status, last) == (200, "OK")
    assert rows == [str(line) for line in await stage.lines(promotion)]
    _, rest = await stage.http("GET", f"/promotions/{promotion}/lines?after={len(rows) - 1}")
    assert rest == f"{rows[-1]}\nOK\n"
    card = await stage.bot.store.read.card(promotion)
    assert isinstance(card, Card)
    assert card.channel == CHANNEL
