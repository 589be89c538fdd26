"""What people decide about a promotion, on both clusters: cancel, take over, approve, decline."""

from datetime import timedelta

from tests.scenarios.arrangement import ALICE, BOB, CAROL
from tests.scenarios.harness import Stage


async def hanging(stage: Stage) -> str:
    """Promote a release that never becomes ready, and return the promotion once it hangs."""
    promotion = await stage.promote(await stage.build(web="v2-neverready"))
    await stage.line(promotion, "its health check GET :3000/health answers 503")
    return promotion


async def test_a_rollout_is_cancelled_with_its_button(stage: Stage):
    good = await stage.running(web="v1")
    promotion = await hanging(stage)
    answer = await stage.click(promotion, "cancel", user=BOB)

    assert answer == "```\nCancelling deployment of myapp... OK\n```"
    ended = await stage.ended(promotion)
    assert (ended.phase, ended.cancelled_by.id) == ("Reverted", BOB)
    await stage.tells("cancelled", promotion)
    await stage.runs(good)
    assert (await stage.bot.store.read.app("myapp")).active_release == good
    assert "app is not updating" in await stage.command("apps cancel")


async def test_a_first_rollout_is_cancelled_from_the_terminal_and_removed(stage: Stage):
    promotion = await hanging(stage)
    status, answer = await stage.do("apps cancel myapp")

    assert (status, answer["text"]) == (200, "Cancelling deployment of myapp... OK")
    ended = await stage.ended(promotion)
    assert (ended.phase, ended.removed) == ("Reverted", True)
    await stage.tells("first-cancelled", promotion)
    assert await stage.items("deployments") == []


async def test_force_takes_over_what_hangs(stage: Stage):
    await stage.running(web="v1")
    hangs = await hanging(stage)
    third = await stage.build(web="v3")

    refused = await stage.command(f"releases promote {third}", user=BOB)
    holder = (await stage.bot.store.read.promotion(hangs)).release
    assert refused.startswith(f"```\nERROR: app is currently updating: <@{ALICE}> promotes {holder} since ")
    taken = await stage.ended(await stage.promote(third, "--force", user=BOB))
    lost = await stage.ended(hangs)

    assert (lost.phase, lost.superseded_by) == ("Superseded", third)
    assert (taken.phase, taken.release) == ("Running", third)
    await stage.tells("taken-over", hangs)
    await stage.tells("takes-over", taken.id)
    await stage.runs(third)


async def test_a_rollback_takes_over_and_never_goes_back_to_the_release_in_flight(stage: Stage):
    good = await stage.running(web="v1")
    hangs = await hanging(stage)
    await stage.command(f"releases rollback {good}")
    promotion = await stage.ended((await stage.newest()).id)

    assert (await stage.ended(hangs)).phase == "Superseded"
    assert (promotion.phase, promotion.kind, promotion.back_to) == ("Running", "rollback", good)
    await stage.tells("rolled-back-over", promotion.id)
    await stage.runs(promotion.release)


async def test_somebody_else_must_approve_and_is_told_to_the_late(stage: Stage):
    stage.rule(approvals="{promote: {count: 1}}", unpinned="true")
    release = await stage.build(web="v1")
    promotion = await stage.promote(release)

    assert (await stage.card(promotion)).text.startswith(f"⏳ Waiting for approval 0/1 · myapp · {release}")
    own = await stage.click(promotion, "approve", user=ALICE)
    assert own.startswith(
        f"```\nERROR: you may not approve {promotion}: you asked for it, and somebody else must"
    )
    assert await stage.items("deployments") == []
    approved = await stage.click(promotion, "approve", user=CAROL)
    assert approved == f"```\nApproving {promotion}... OK\nPromoting {release}...\n```"
    late = await stage.command(f"approve {promotion}", user=BOB)
    (approval,) = await stage.bot.store.read.approvals(promotion)
    assert late.startswith(f"```\nERROR: already approved by <@{CAROL}> at {approval.at:%H:%M} UTC")

    assert (await stage.ended(promotion)).phase == "Running"
    await stage.tells("approved", promotion)
    await stage.runs(release)


async def test_a_decline_ends_it_with_its_reason_and_changes_nothing(stage: Stage):
    stage.rule(approvals="{promote: {count: 1}}", unpinned="true")
    promotion = await stage.promote(await stage.build(web="v1"))
    answer = await stage.command(f"decline {promotion} not on a Friday", user=CAROL)

    assert answer == f"```\nDeclining {promotion}... OK\n```"
    ended = await stage.ended(promotion)
    assert (ended.phase, ended.declined_by.id, str(ended.reason)) == ("Declined", CAROL, "not on a Friday")
    await stage.tells("declined", promotion)
    assert await stage.items("deployments") == []
    late = await stage.command(f"approve {promotion}", user=BOB)
    assert late.startswith(f"```\nERROR: already declined by <@{CAROL}> at {ended.settled_at:%H:%M} UTC")


async def test_an_approval_that_nobody_gives_expires(stage: Stage):
    stage.rule(approvals="{promote: {count: 1, expires: 2s}}", unpinned="true")
    promotion = await stage.promote(await stage.build(web="v1"))
    ended = await stage.ended(promotion)

    assert ended.phase == "Expired"
    assert ended.settled_at >= ended.requested_at + timedelta(seconds=2)
    await stage.tells("expired", promotion)
    assert await stage.items("deployments") == []
    late = await stage.command(f"approve {promotion}", user=CAROL)
    assert late.startswith(f"```\nERROR: {promotion} has expired: nobody can approve it any more")
