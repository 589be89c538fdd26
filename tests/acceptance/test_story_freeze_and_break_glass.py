"""An app is frozen on a quiet day; then there is an emergency: who is refused, who gets through, and who is told."""

from core.promotion import Phase
from tests.scenarios.arrangement import BOB, CHANNEL, policy
from tests.scenarios.harness import Stage

PATIENT = {"deadline": "200s", "longest": "600s", "unpinned": "true"}


async def test_a_freeze_is_called_refuses_and_is_broken(stage: Stage):
    await stage.running(web="v1")
    stage.rule(**PATIENT)
    path = stage.settings.convox_policy
    assert path is not None
    text = policy(**PATIENT).replace("scale, logs, admin]", "scale, logs, admin, freeze]")
    text = text.replace(
        "members:\n", f"  fireman: [break-glass]\nmembers:\n  - {{who: [{BOB}], roles: [fireman]}}\n"
    )
    window = "freezes:\n  windows:\n    - {from: '2000-01-01 00:00', to: '2090-01-01 00:00', reason: a long window}\n"
    path.write_text(text, encoding="utf-8")
    stage.bot.policy.reload()

    said = await stage.command('freeze myapp until 23:59 Europe/Berlin "the launch"')
    assert "Freezing myapp... OK" in said
    release = await stage.build(web="v2")
    refused = await stage.command(f"releases promote {release} -a myapp")
    assert "myapp is frozen by" in refused
    assert "the launch" in refused
    assert "break-glass" in refused
    assert "no, myapp is frozen" in await stage.command(f"why {release} -a myapp")
    assert "Unfreezing myapp... OK" in await stage.command("unfreeze myapp")

    path.write_text(text + window, encoding="utf-8")
    stage.bot.policy.reload()
    assert "a long window" in await stage.command(f"releases promote {release} -a myapp")
    forbidden = await stage.command(f'releases promote {release} -a myapp --break-glass "it is down"')
    assert "you may not break the glass for myapp" in forbidden
    await stage.command(f'releases promote {release} -a myapp --break-glass "checkout is down"', user=BOB)
    promotion = await stage.newest()
    assert (await stage.ended(promotion.id)).phase is Phase.RUNNING
    assert promotion.requested_by.id == BOB
    await stage.quiet()
    told = [m.text for m in stage.slack.messages(CHANNEL)]
    assert any("broke the glass" in text and "checkout is down" in text for text in told)
    assert "broke the glass" in (await stage.card(promotion.id)).text
