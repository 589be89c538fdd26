"""Who is told that something waits: those who can act, once, over restarts, and nobody after it is decided."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.actor import Actor, Caller
from core.errors import Conflict, Forbidden, NotFound, Unavailable
from core.policy.authorization import parse_policy
from core.ports.notices import Notice
from tests.core.world import ALICE, BOB, CAROL, World, by, world


def policy(who: str = "U02BOB, U03CAROL", **keys: str) -> str:
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    return f'apps: [{{match: ["*"], approvals: {{promote: {{count: 2, from: [{who}]}}}}{more}}}]\n'


async def told(w: World) -> list[Notice]:
    """Return what is to be told beside the announced build, as soon as the card is posted."""
    for promotion in await w.store.read.awaiting("myapp"):
        await w.store.outbox.card_posted(promotion.id, "1.1", 0)
    return [notice for notice in await w.store.outbox.notices.due() if notice.kind != "build"]


async def test_those_are_mentioned_who_can_still_approve_and_nobody_else(tmp_path: Path):
    async with world(tmp_path, policy=policy("U01ALICE, U02BOB, U03CAROL")) as w:
        await w.build()
        asked = (await w.ask()).promotion
        await w.decider.approve(by(CAROL), asked.id)
        done = await w.reminders.remind(by(ALICE), asked.id)
        assert done.whom == ("U02BOB",)
        (reminder,) = await told(w)
        assert (reminder.kind, reminder.whom, reminder.channel, reminder.thread) == (
            "reminder",
            ("U02BOB",),
            "C1",
            "1.1",
        )
        assert (
            str(reminder.said)
            == f"{asked.release} of myapp waits for 1 more approval, asked for by @u01alice"
        )


async def test_of_a_group_only_its_members_who_can_act_are_mentioned(tmp_path: Path):
    async with world(tmp_path, policy=policy('"group:S01LEADS"')) as w:
        w.directory.groups = {"S01LEADS": frozenset({"U01ALICE", "U02BOB", "U04GUEST"})}
        w.directory.guests = frozenset({"U04GUEST"})
        await w.build()
        asked = (await w.ask()).promotion
        assert (await w.reminders.remind(by(ALICE), asked.id)).whom == ("U02BOB",)


async def test_a_second_time_comes_after_ten_minutes_at_the_earliest(tmp_path: Path):
    async with world(tmp_path, policy=policy()) as w:
        await w.build()
        asked = (await w.ask()).promotion
        await w.reminders.remind(by(ALICE), asked.id)
        with pytest.raises(
            Conflict, match=r"they were reminded at 12:00 UTC already; again from 12:10 UTC on"
        ):
            await w.reminders.remind(by(BOB), asked.id)
        (first,) = await told(w)
        await w.store.outbox.notices.posted(first.id, "2.2")
        w.clock.jump(600)
        await w.reminders.remind(by(BOB), asked.id)
        assert len(await told(w)) == 1


async def test_the_policy_reminds_once_and_a_restart_neither_loses_nor_repeats_it(tmp_path: Path):
    async with world(tmp_path, policy=policy(remind_after="10m")) as w:
        await w.build()
        await w.ask()
        w.clock.jump(599)
        await w.reminders.remind_due(w.clock.now())
        assert await told(w) == []
        cluster = w.cluster
    cluster.clock.jump(2)
    for _ in range(2):
        async with world(tmp_path, policy=policy(remind_after="10m"), at=cluster) as w:
            await w.reminders.remind_due(w.clock.now())
            await w.reminders.remind_due(w.clock.now())
            (reminder,) = await told(w)
            assert reminder.whom == ("U02BOB", "U03CAROL")


async def test_it_can_be_put_off_in_place_of_the_policys_time(tmp_path: Path):
    async with world(tmp_path, policy=policy(remind_after="10m")) as w:
        await w.build()
        asked = (await w.ask()).promotion
        done = await w.reminders.remind(by(BOB), asked.id, after=3600)
        assert done.due_at == w.clock.now() + timedelta(hours=1)
        w.clock.jump(3599)
        await w.reminders.remind_due(w.clock.now())
        assert await told(w) == []
        w.clock.jump(1)
        await w.reminders.remind_due(w.clock.now())
        assert len(await told(w)) == 1


async def test_whoever_could_not_approve_it_puts_nobodys_reminder_off(tmp_path: Path):
    async with world(tmp_path, policy=policy("U02BOB, U01ALICE")) as w:
        await w.build()
        asked = (await w.ask()).promotion
        for actor, why in ((CAROL, "the policy wants one of @U02BOB for myapp"), (ALICE, "you asked for it")):
            with pytest.raises(
                Forbidden, match="^only who can approve it may put its reminder off; .*" + why
            ):
                await w.reminders.remind(by(actor), asked.id, after=3600)
        assert await w.store.read.reminder(asked.id) is None
        assert (await w.reminders.remind(by(CAROL), asked.id)).whom == ("U02BOB",)


async def test_whoever_only_looks_on_puts_nobodys_reminder_off(tmp_path: Path):
    async with world(tmp_path, policy=policy("U02BOB, U01ALICE")) as w:
        await w.build()
        asked = (await w.ask()).promotion
        w.policy = parse_policy(
            "roles: {looker: [view]}\nmembers: [{who: ['*'], roles: [looker]}]\n" + policy("U02BOB, U01ALICE")
        )
        with pytest.raises(Forbidden, match="you may not approve promotions of myapp"):
            await w.reminders.remind(by(CAROL), asked.id, after=3600)
        assert (await w.reminders.remind(by(BOB), asked.id, after=3600)).due_at


async def test_what_is_decided_meanwhile_reminds_nobody(tmp_path: Path):
    async with world(tmp_path, policy=policy(remind_after="10m")) as w:
        await w.build()
        asked = (await w.ask()).promotion
        await w.reminders.remind(by(ALICE), asked.id)
        await told(w)
        await w.decider.decline(by(BOB), asked.id, "")
        (late,) = [n for n in await w.store.outbox.notices.due() if n.kind == "reminder"]
        assert late.over
        w.clock.jump(601)
        await w.reminders.remind_due(w.clock.now())
        assert (await w.store.read.reminder(asked.id)).due_at is None
        with pytest.raises(Conflict, match="waits for no approval: it is Declined"):
            await w.reminders.remind(by(ALICE), asked.id)


async def test_where_nobody_is_named_the_channel_of_ask_is_told_and_told_again(tmp_path: Path):
    async with world(tmp_path, policy=policy("", ask="C09OPS")) as w:
        await w.build()
        asked = (await w.ask()).promotion
        (first,) = await told(w)
        assert (first.kind, first.channel, first.card, first.card_channel) == ("ask", "C09OPS", "1.1", "C1")
        done = await w.reminders.remind(by(ALICE), asked.id)
        assert (done.channel, done.whom) == ("C09OPS", ())
        assert [str(notice.said)[:9] for notice in await told(w)] == [asked.release[:9], "reminder:"]


async def test_whom_nobody_names_nobody_can_remind(tmp_path: Path):
    async with world(tmp_path, policy=policy("")) as w:
        await w.build()
        asked = (await w.ask()).promotion
        with pytest.raises(Conflict, match=f"nobody is left who could approve {asked.id}"):
            await w.reminders.remind(by(ALICE), asked.id)


async def test_of_another_app_it_is_not(tmp_path: Path):
    async with world(tmp_path, policy=policy()) as w:
        await w.build()
        asked = (await w.ask()).promotion
        with pytest.raises(NotFound, match="is of myapp, not of other"):
            await w.reminders.remind(by(ALICE), asked.id, app="other")


async def test_while_slack_cannot_say_who_is_in_a_group_it_waits(tmp_path: Path):
    async with world(tmp_path, policy=policy('"group:S01LEADS"', remind_after="10m")) as w:
        w.directory.groups = {"S01LEADS": frozenset({"U02BOB"})}
        await w.build()
        await w.ask()
        w.clock.jump(601)
        w.directory.down = True
        await w.reminders.remind_due(w.clock.now())
        assert await told(w) == []
        w.directory.down = False
        await w.reminders.remind_due(w.clock.now())
        assert len(await told(w)) == 1


async def test_a_token_is_told_that_slack_does_not_say_who_is_in_a_group(tmp_path: Path):
    async with world(tmp_path, policy=policy('"group:S01LEADS"')) as w:
        await w.build()
        asked = (await w.ask()).promotion
        w.directory.down = True
        ci = Caller(actor=Actor("token", "ci", "ci"), source="http")
        with pytest.raises(Unavailable, match="nobody was reminded, since Slack does not say who could be"):
            await w.reminders.remind(ci, asked.id)
