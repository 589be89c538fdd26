"""From the records to the payload: what a card is told from, and how often that is read."""

from dataclasses import replace
from pathlib import Path

from bot.slack import render
from bot.slack.render import MessageRenderer
from core.lifecycle.outlook import read_outlook
from core.policy.authorization import Policy
from core.policy.rules import AppRules, ChannelRules, Rules
from core.ports.outbox import ThreadDue
from core.promotion import Phase
from core.records.line import Line
from tests.core.world import BOB, ONE_APPROVAL, World, by, manifest, until, world
from tests.fakes import START, broken, progressing


def renderer(w: World) -> MessageRenderer:
    return MessageRenderer(w.store, w.cluster, w.promoter._access, w.clock, lambda _channel, _ts: "")


async def test_the_manifest_of_a_card_that_waits_is_read_once(tmp_path: Path, monkeypatch):
    read: list[str] = []

    async def counted(_cluster, build, _environment):
        read.append(build.id)
        return ("key without effect",)

    monkeypatch.setattr(render, "notes_on", counted)
    async with world(tmp_path, policy=ONE_APPROVAL) as w:
        cards = renderer(w)
        asked = (await w.ask((await w.build()).release.id)).promotion
        for _ in range(3):
            assert "note: key without effect" in (await cards.card(asked.id))["text"]
        assert len(read) == 1
        await w.decider.decline(by(BOB, "C1"), asked.id)
        assert "note:" not in (await cards.card(asked.id))["text"]
        assert cards._notes == {}
        assert len(read) == 1


async def test_what_is_to_come_is_looked_up_once_for_what_runs_while_a_card_waits(
    tmp_path: Path, monkeypatch
):
    looked: list[str | None] = []

    async def counted(*given):
        looked.append(given[-1].id if given[-1] else None)
        return await read_outlook(*given)

    monkeypatch.setattr(render, "read_outlook", counted)
    async with world(tmp_path, policy=ONE_APPROVAL) as w:
        cards = renderer(w)
        first = (await w.ask((await w.build()).release.id)).promotion
        await w.decider.approve(by(BOB, "C1"), first.id)
        await w.end(first.id)
        asked = (await w.ask((await w.build(text=manifest(digit="1"))).release.id)).promotion
        for _ in range(3):
            text = (await cards.card(asked.id))["text"]
        assert looked == [first.release]
        assert "images: web 0000000 → 1111111\n" in text
        assert "objects: 1 changed (Diff names them)\n" in text
        assert f"last rollout: `{first.release}` went live" in text

        async with w.store.transaction() as tx:
            await tx.save_app(replace(await tx.app("myapp"), active_release=None))
        await cards.card(asked.id)
        assert looked == [first.release, None]
        await w.decider.decline(by(BOB, "C1"), asked.id)
        assert "last rollout" not in (await cards.card(asked.id))["text"]
        assert cards._outlooks == {}


async def test_a_card_that_failed_shows_the_row_of_the_log_that_is_stored(w: World):
    good = await w.good()
    bad = (await w.build()).release.id
    w.cluster.behaves[bad] = lambda _: broken()
    failed = await w.promote(bad)
    proof = Line(
        at=START,
        object="web-1",
        text="last log lines of web-1:\n  KeyError: x",
        key="evidence:other",
        kind="evidence",
    )
    async with w.store.transaction() as tx:
        await tx.add_lines(failed.id, [proof])
    text = (await renderer(w).card(failed.id))["text"]

    assert "last log line: " in text
    assert f"`{(await w.store.read.release('myapp', good)).build}` → " in text


async def test_a_live_release_offers_the_way_back_until_another_is_live(w: World):
    await w.good()
    second = await w.promote((await w.build()).release.id)
    assert f"Buttons: Roll back to {second.back_to}." in (await renderer(w).card(second.id))["text"]
    await w.good()
    assert "Buttons:" not in (await renderer(w).card(second.id))["text"]


async def test_a_change_of_variables_that_a_person_stops_leaves_its_build_free_and_says_so(w: World):
    await w.good()
    changed = await w.registrar.set_environment(by(BOB, "C1"), "myapp", [("KEY", "1")])
    w.cluster.behaves[changed.release.id] = lambda _: progressing()
    asked = (await w.ask(changed.release.id)).promotion
    await until(w, asked.id, Phase.UPDATING)
    await w.decider.cancel(by(BOB, "C1"), asked.id)
    ended = await w.end(asked.id)
    cards = renderer(w)
    terminal = await cards.post(_terminal(ended.id))

    assert ended.phase is Phase.REVERTED
    assert (await w.store.read.release_status(ended.release)).spares_build
    for text in ((await cards.card(ended.id))["text"], terminal["text"]):
        assert "is on hold, and its build is not;" in text


async def test_how_loud_a_thread_is_follows_the_channel_of_its_card(tmp_path: Path, monkeypatch):
    async with world(tmp_path) as w:
        loud = Policy(
            everything=True,
            apps=(AppRules(match=("*",), rules=Rules(verbosity="verbose")),),
            channels=(ChannelRules(channel="C1", verbosity="quiet"),),
        )
        monkeypatch.setattr(w.promoter._access, "_policy", lambda: loud)
        asked = await w.promote((await w.build()).release.id)
        cards = renderer(w)
        assert "reply_broadcast" not in await cards.post(_terminal(asked.id))
        for channel, quiet in (("C1", True), ("C2", False)):
            due = ThreadDue(
                subject=asked.id,
                app=asked.app,
                channel=channel,
                ts="1.0",
                waiting=1,
                ending=False,
                since=START,
            )
            assert (cards.shown(due) is not None) is quiet


def _terminal(promotion: str):
    from core.ports.outbox import Post

    return Post(id=1, subject=promotion, kind="terminal", nonce="", attempts=1, tried_at=None)
