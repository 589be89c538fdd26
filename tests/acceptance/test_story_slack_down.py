"""Slack is away for five minutes in the middle of a rollout: it ends all the same, and everything is told afterwards, once."""

import pytest

from tests.scenarios.arrangement import ALICE, CHANNEL
from tests.scenarios.harness import VERDICTS, Stage

AWAY = 300.0  # seconds


@pytest.mark.parametrize("how", ["error", "refuse"])
async def test_slack_is_down_for_five_minutes(stage: Stage, how: str):
    stage.rule(announce_builds="true", approvals="{promote: {count: 0}}")
    await stage.running(web="v1")
    release = await stage.build(web="v2")
    promotion = await stage.promote(release, user=ALICE)
    card = await stage.card(promotion)

    await stage.slack.go_down(how)
    began = stage.cluster.clock.monotonic()
    ended = await stage.phase(promotion, "Running")
    status, _ = await stage.http("GET", "/readyz")
    assert status == 503, "whoever looks is told that Slack is away"
    status, answer = await stage.do("releases -a myapp")
    assert (status, release in answer["text"]) == (200, True), "control is not lost with Slack"
    third = await stage.build(web="v3")
    await stage.until(lambda: stage.cluster.clock.monotonic() - began >= AWAY)
    await stage.slack.come_up()

    assert (await stage.ended(promotion)).settled_at == ended.settled_at
    await stage.quiet()
    thread = [message.text for message in stage.slack.thread(CHANNEL, card.ts)]
    assert sum(text.startswith(VERDICTS) for text in thread) == 1
    lines = [row for text in thread for row in text.split("\n") if "system/k8s/" in row]
    assert len(lines) == len(set(lines)), "no line is told twice"
    assert sum("Status: Updating =&gt; Running" in row for row in lines) == 1
    announced = [m for m in stage.slack.messages(CHANNEL) if f"Release {third}" in m.text]
    assert len(announced) == 1
