"""Approving, declining and stopping with a token: the same rules as in Slack, and no seat for a token."""

from core.policy.authorization import parse_policy
from core.promotion import Phase
from tests.core.world import ALICE, ONE_APPROVAL, by, until
from tests.fakes import progressing


async def waiting(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    return (await api.world.ask((await api.world.build()).release.id)).promotion


async def flying(api):
    made = await api.world.build()
    api.world.cluster.behaves[made.release.id] = lambda _: progressing()
    promotion = (await api.world.ask(made.release.id)).promotion
    await until(api.world, promotion.id, Phase.UPDATING)
    return promotion


async def test_a_token_never_fills_a_seat(api):
    promotion = await waiting(api)
    answer = await api.command(f"approve {promotion.id}")
    assert answer.status == 403
    error = (await answer.json())["error"]
    assert error == f"token:ci may not approve {promotion.id}: only a person can approve"
    assert (await api.store.read.promotion(promotion.id)).phase is Phase.AWAITING_APPROVAL


async def test_a_token_may_decline_and_is_named(api):
    promotion = await waiting(api)
    answer = await api.command(f"decline {promotion.id} tests are red")
    assert (answer.status, (await answer.json())["text"]) == (200, f"Declining {promotion.id}... OK")
    assert await api.lines(promotion.id) == ["ERROR: declined by token:ci: tests are red"]
    again = await api.command(f"decline {promotion.id}")
    assert again.status == 409
    assert (await again.json())["error"] == "already declined by token:ci at 12:00 UTC"


async def test_a_token_may_stop_a_rollout_and_is_named(api):
    good = await api.world.good()
    promotion = await flying(api)
    answer = await api.command("apps cancel myapp")
    assert (await answer.json())["text"] == "Cancelling deployment of myapp... OK"
    await api.world.end(promotion.id)
    assert (await api.lines(promotion.id))[-1] == f"ERROR: cancelled by token:ci, rolled back to {good}"


async def test_a_change_whose_promotion_is_refused_says_what_was_made(api):
    await api.world.good()
    promotion = await flying(api)
    answer = await api.command("env set FOO=bar --promote -a myapp")
    made = (await api.store.read.releases("myapp", 1))[0]
    body = await answer.json()
    assert answer.status == 409
    assert body["error"].startswith("app is currently updating: ")
    assert body["text"] == f"Setting FOO... OK\nRelease: {made.id}"
    await api.world.decider.cancel_app(by(ALICE), "myapp")
    await api.world.end(promotion.id)


async def test_a_decline_after_the_time_is_over_is_a_conflict(api):
    promotion = await waiting(api)
    api.world.clock.jump(86401)
    answer = await api.command(f"decline {promotion.id}")
    assert answer.status == 409
    assert (await answer.json())["error"] == f"{promotion.id} has expired: nobody can approve it any more"
