"""An approval is asked for, and things change before anybody clicks: the click starts nothing, says what has changed, and one asks again."""

from core.promotion import Phase
from tests.scenarios.arrangement import BOB, CAROL
from tests.scenarios.harness import Stage

PATIENT = {"deadline": "200s", "longest": "600s", "unpinned": "true"}
APPROVED = {**PATIENT, "approvals": "{promote: {count: 1}}"}


async def test_the_active_release_changes_before_the_click(stage: Stage):
    first = await stage.running(web="v1")
    stage.rule(**PATIENT, settle="20s")
    between, last = await stage.build(web="v2"), await stage.build(web="v3")
    running = await stage.promote(between)
    await stage.phase(running, "Updating")
    stage.rule(**APPROVED)
    asked = await stage.promote(last, "--force")
    assert (await stage.ended(running)).phase is Phase.RUNNING

    told = await stage.click(asked, "approve", user=BOB)
    changed = (
        f"what was approved has changed since: the active release was {first} and is {between}; ask again"
    )
    assert f"ERROR: {asked} was refused: {changed}" in told
    refused = await stage.ended(asked)
    assert (refused.phase, refused.touched_at) == (Phase.REFUSED, None)
    assert changed in (await stage.thread(asked))[-1]
    await stage.runs(between)

    again = await stage.promote(last)
    assert again != asked
    assert f"Approving {again}... OK" in await stage.click(again, "approve", user=BOB)
    assert (await stage.ended(again)).phase is Phase.RUNNING
    await stage.runs(last)


async def test_the_environment_changes_before_the_click(stage: Stage):
    first = await stage.running(web="v1")
    stage.rule(**APPROVED)
    asked = await stage.promote(await stage.build(web="v2"))
    card = await stage.card(asked)
    (block,) = (each for each in card.blocks if "promotion.approve" in str(each))
    await stage.command("env set LEVEL=debug -a myapp --promote", user=BOB)
    newer = await stage.newest()

    # As whoever had the confirm dialog of the button open when the card changed.
    before = len(stage.slack.ephemerals(CAROL))
    pressed = "promotion.approve", block["block_id"]
    delivery = await stage.slack.click(CAROL, card.channel, card.ts, *pressed)
    assert delivery.ok
    told = await stage.answer(CAROL, before)
    assert f"{asked} was superseded by {newer.release}" in told
    assert (await stage.ended(asked)).phase is Phase.SUPERSEDED
    await stage.runs(first)

    assert "you asked for it, and somebody else" in await stage.click(newer.id, "approve", user=BOB)
    assert f"Approving {newer.id}... OK" in await stage.click(newer.id, "approve", user=CAROL)
    assert (await stage.ended(newer.id)).phase is Phase.RUNNING
    await stage.runs(newer.release)
