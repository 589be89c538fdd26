"""Whatever kind of thing Slack delivers counts once, however often and in whatever order it comes, over restarts too."""

import random
import sqlite3
from typing import Any, get_args

from bot.playground.slack.envelopes import Envelope
from bot.playground.slack.state import Message
from core.ports.inbox import DeliveryKind
from tests.scenarios.arrangement import ALICE, BOB, CAROL, CHANNEL
from tests.scenarios.harness import Stage


def facts(stage: Stage) -> dict[str, int]:
    """Return what must not change when something is delivered once more."""
    with sqlite3.connect(stage.settings.convox_database) as connection:
        counted = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in (
                "audit",
                "promotions",
                "releases",
                "builds",
                "approvals",
                "notices",
                "outbox",
                "lines",
                "intake",
            )
        }
    return counted | {
        "messages": len(stage.slack.store.messages),
        "answers": len(stage.slack.store.ephemerals),
        "views": len(stage.slack.store.views),
    }


def filled(stage: Stage, user: str) -> dict[str, Any] | None:
    """Return the modal that somebody has before them, once it is known what it asks for."""
    view = stage.slack.views.modal(user)
    return view if view and "submit" in view else None


async def handled(stage: Stage) -> None:
    """Wait until nothing is left to be carried out or to be told."""

    async def none() -> bool:
        return not await stage.bot.store.inbox.pending(after=0, limit=1)

    await stage.until(none)
    await stage.quiet()


async def first(stage: Stage, envelope: Envelope, kept: list[Envelope]) -> None:
    """Deliver something for the first time and wait for its answer."""
    before = len(stage.slack.store.ephemerals)
    kept.append(envelope)
    await stage.slack.deliver(envelope)
    await stage.until(lambda: len(stage.slack.store.ephemerals) > before)
    await handled(stage)


async def announced(stage: Stage, release: str) -> Message:
    return await stage.until(
        lambda: next((m for m in stage.slack.messages(CHANNEL) if f"Release {release}" in m.text), None)
    )


async def test_every_envelope_twice_shuffled_and_after_a_restart_changes_nothing(stage: Stage):
    slack, kept = stage.slack, list[Envelope]()
    stage.rule(
        announce_builds="true",
        unpinned="true",
        approvals=f"{{promote: {{count: 1, from: [{BOB}, {CAROL}]}}}}",
    )
    one, two = await stage.build(web="v1"), await stage.build(web="v2")
    notice = await announced(stage, one)

    await first(stage, slack.click_envelope(ALICE, CHANNEL, notice.ts, "build.promote"), kept)
    promotion = (await stage.newest()).id
    card = await stage.card(promotion)
    mention = await slack.say(CAROL, CHANNEL, "@convox remind", thread_ts=card.ts)
    kept.append(slack.mention_envelope(mention))
    await stage.until(lambda: any("waits for 1 approval" in m.text for m in slack.thread(CHANNEL, card.ts)))
    await handled(stage)
    # The event that `say` has delivered has an id of its own; the one that is kept comes for the first time now.
    await slack.deliver(kept[-1])
    await handled(stage)
    await first(stage, slack.click_envelope(BOB, CHANNEL, card.ts, "promotion.approve"), kept)
    await stage.ended(promotion)
    await first(stage, slack.command_envelope(BOB, CHANNEL, "env set A=1"), kept)
    await first(
        stage,
        slack.shortcut_envelope(ALICE, CHANNEL, (await announced(stage, two)).ts, "promote_build"),
        kept,
    )
    waiting = await stage.newest()
    assert waiting.release == two
    other = await stage.card(waiting.id)
    await slack.deliver(form := slack.click_envelope(CAROL, CHANNEL, other.ts, "promotion.decline"))
    kept.append(form)
    view = await stage.until(lambda: filled(stage, CAROL))
    why = {"reason": {"entered": {"type": "plain_text_input", "value": "not now"}}}
    await first(stage, slack.views.submit_envelope(CAROL, view["id"], why), kept)
    await slack.deliver(opened := slack.views.home_envelope(BOB))
    kept.append(opened)
    await stage.until(lambda: slack.views.home(BOB))
    await slack.deliver(form := slack.command_envelope(ALICE, CHANNEL, "env set B"))
    kept.append(form)
    view = await stage.until(lambda: filled(stage, ALICE))
    block = next(each for each in view["blocks"] if each["type"] == "input")
    value = {block["block_id"]: {block["element"]["action_id"]: {"type": "plain_text_input", "value": "2"}}}
    await first(stage, slack.views.submit_envelope(ALICE, view["id"], value), kept)
    await handled(stage)

    before = facts(stage)
    shuffled = random.Random(9).sample(kept * 2, 2 * len(kept))
    for envelope in shuffled:
        await slack.deliver(envelope, first_attempt=1)
    await handled(stage)
    assert facts(stage) == before
    await stage.restart()
    for envelope in reversed(shuffled):
        await slack.deliver(envelope, first_attempt=2)
    await handled(stage)
    assert facts(stage) == before
    with sqlite3.connect(stage.settings.convox_database) as connection:
        found = dict(connection.execute("SELECT kind, count(*) FROM intake GROUP BY kind").fetchall())
    assert found.keys() >= set(get_args(DeliveryKind)), "every kind of delivery is among them"
