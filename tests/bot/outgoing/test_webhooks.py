"""Webhooks over real HTTP: signed, in order, again until they are taken, and nobody keeps anybody else waiting."""

import asyncio
import logging
from dataclasses import replace

import pytest
from aiohttp import web

from bot.outgoing.receiver import Undelivered
from bot.outgoing.webhooks import WebhookReceiver, answered, new_webhook_session
from core.errors import Unavailable
from core.records.outgoing_event import OutgoingEvent
from tests.bot.outgoing.receiving import hook, subscribe, tell, telling, told
from tests.core.world import ALICE, BOB, ONE_APPROVAL, World, by, world


@pytest.fixture
async def w(tmp_path):
    async with world(tmp_path) as made:
        yield made


async def test_a_promotion_is_told_from_request_to_verdict_in_order_and_signed(w: World):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to)
        made = await w.build()
        promotion = await w.promote(made.release.id)
        await tell(sender)
        assert to.types == [
            "build.ended",
            "release.created",
            "promotion.requested",
            "promotion.started",
            "promotion.settled",
        ]
        assert to.refused == 0
        last = to.taken[-1]
        assert {key: last[key] for key in ("specversion", "subject", "datacontenttype")} == {
            "specversion": "1.0",
            "subject": promotion.id,
            "datacontenttype": "application/json",
        }
        assert last["source"].startswith("urn:convox-bot:")
        data = last["data"]
        assert (data["rack"], data["app"], data["actor"]) == ("convox", "myapp", "bot:convox-bot")
        assert data["promotion"]["ending"] == "OK"
        assert data["promotion"]["phase"] == "Running"
        assert data["promotion"]["requestedBy"] == "@u01alice"
        assert data["release"]["id"] == made.release.id
        assert data["build"]["id"] == made.build.id
        assert to.headers[-1]["webhook-id"] == last["id"]
        assert to.headers[-1]["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert len({each["id"] for each in to.taken}) == len(to.taken)
        known = await told(w)
        assert (known.delivered, known.waiting, known.answer) == (5, 0, "200")


async def test_approvals_declines_and_freezes_are_told_with_their_words(tmp_path):
    async with world(tmp_path, policy=ONE_APPROVAL) as w, hook() as to, telling(w) as sender:
        await subscribe(w, to, types=("promotion.*", "freeze.*"))
        first = (await w.ask((await w.build()).release.id)).promotion
        await w.decider.decline(by(BOB), first.id, reason="not on a Friday")
        second = (await w.ask((await w.build()).release.id)).promotion
        await w.decider.approve(by(BOB), second.id)
        await w.idle()
        await w.freezer.freeze(by(ALICE), "*", reason="holidays", until=None)
        await w.freezer.unfreeze(by(ALICE), "*")
        await tell(sender)
        assert to.types == [
            "promotion.requested",
            "promotion.declined",
            "promotion.settled",
            "promotion.requested",
            "promotion.approved",
            "promotion.started",
            "promotion.settled",
            "freeze.set",
            "freeze.ended",
        ]
        declined, frozen = to.taken[1]["data"], to.taken[-2]["data"]
        assert (declined["actor"], declined["promotion"]["reason"]) == ("@u02bob", "not on a Friday")
        assert (frozen["app"], frozen["reason"]) == ("*", "holidays")


async def test_nothing_is_told_of_other_apps_other_types_or_of_before(w: World):
    async with hook() as to, telling(w) as sender:
        await w.build()
        await w.registrar.create_app(by(ALICE, "C2"), "shop")
        await subscribe(w, to, apps=("shop*",), types=("release.created",))
        await w.build()
        made = await w.build("shop")
        await tell(sender)
        assert [(each["type"], each["subject"]) for each in to.taken] == [
            ("convox-bot.release.created", made.build.id)
        ]


async def test_no_value_of_an_environment_is_told(w: World):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to)
        await w.good()
        changed = await w.registrar.set_environment(by(ALICE), "myapp", [("TOKEN", "hunter2hunter2")])
        assert changed.release is not None
        await w.promote(changed.release.id)
        await w.freezer.freeze(by(ALICE), "myapp", reason="leaked: hunter2hunter2", until=None)
        await tell(sender)
        assert "hunter2hunter2" not in str(to.taken)
        assert to.types.count("release.created") == 2


async def test_what_is_not_taken_waits_and_what_follows_it_too_but_not_other_subjects(w: World):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, types=("promotion.*",))
        await w.promote((await w.build()).release.id)

        async def down() -> web.Response:
            return web.Response(status=503, headers={"Retry-After": "120"})

        to.answer = down
        await tell(sender)
        known = await told(w)
        assert (known.waiting, known.delivered, known.answer) == (3, 0, "503")
        assert known.failing_since is not None
        assert to.types == ["promotion.requested"], "in order: nothing of it goes ahead"
        await tell(sender)
        assert len(to.taken) == 1, "left alone for as long as it asks for"
        w.clock.jump(121)
        to.answer = None
        await tell(sender)
        assert to.types == [
            "promotion.requested",
            "promotion.requested",
            "promotion.started",
            "promotion.settled",
        ]
        assert to.taken[0]["id"] == to.taken[1]["id"], "who is told twice knows it again"
        assert (await told(w)).failing_since is None


async def test_after_a_day_it_is_given_up_and_said(w: World, caplog):
    caplog.set_level(logging.WARNING)
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, types=("freeze.set",))

        async def down() -> web.Response:
            return web.Response(status=500)

        to.answer = down
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
        for _ in range(40):
            await tell(sender)
            w.clock.jump(3600)
        known = await told(w)
        assert (known.waiting, known.dropped, known.delivered) == (0, 1, 0)
        assert 20 < len(to.taken) < 40
        assert "hooks.test) is not told of" in caplog.text
        backlog = (await w.store.outgoing.backlog())["webhook"]
        assert (backlog.dropped, backlog.waiting, backlog.oldest) == ({"expired": 1}, 0, None)


async def test_a_slow_receiver_holds_up_no_other(w: World):
    async with hook() as slow, hook() as quick, telling(w) as sender:
        released = asyncio.Event()

        async def wait() -> web.Response:
            await released.wait()
            return web.Response()

        slow.answer = wait
        await subscribe(w, slow, "WSLOWWWWWWW", types=("freeze.set",))
        await subscribe(w, quick, "WQUICKKKKKK", types=("freeze.set",))
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
        await sender._round()
        async with asyncio.timeout(5):
            await quick.told.wait()
        assert slow.taken == []
        released.set()
        await tell(sender)
        assert len(slow.taken) == 1


async def test_killed_between_the_call_and_its_note_it_is_told_again_with_the_same_id(tmp_path, monkeypatch):
    async with hook() as to:
        async with world(tmp_path) as w:
            await subscribe(w, to, types=("freeze.set",))
            await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
            async with telling(w) as sender:

                async def dies(*_: object) -> None:
                    raise Unavailable("the process is gone")

                monkeypatch.setattr(w.store.outgoing, "delivered", dies)
                await tell(sender)
        async with world(tmp_path) as w, telling(w) as sender:
            await tell(sender)
            await tell(sender)
        assert len(to.taken) == 2
        assert to.taken[0] == to.taken[1]


async def test_the_loop_tells_whoever_is_woken_for_and_goes_on_after_a_disk_in_trouble(w: World, monkeypatch):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, types=("freeze.set",))
        real, troubles = w.store.outgoing.owed, [Unavailable("full"), ValueError("odd")]

        async def troubled():
            if troubles:
                raise troubles.pop()
            return await real()

        monkeypatch.setattr(w.store.outgoing, "owed", troubled)
        task = asyncio.create_task(sender.run())
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
        sender.wake()
        async with asyncio.timeout(5):
            await to.told.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert troubles == []


async def test_an_error_of_ours_puts_one_event_off_and_a_database_in_trouble_the_subscription(
    w: World, monkeypatch
):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, types=("freeze.set",))
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
        real = WebhookReceiver.deliver

        async def odd(*_: object) -> None:
            raise ValueError("odd")

        monkeypatch.setattr(WebhookReceiver, "deliver", odd)
        await tell(sender)
        assert (await told(w)).answer == "something went wrong here"
        w.clock.jump(10)

        async def full(*_: object) -> None:
            raise Unavailable("the disk is full")

        monkeypatch.setattr(WebhookReceiver, "deliver", full)
        await tell(sender)
        monkeypatch.setattr(WebhookReceiver, "deliver", real)
        await tell(sender)
        assert to.taken == [], "left alone for a while"
        w.clock.jump(31)
        await tell(sender)
        assert len(to.taken) == 1


async def test_an_error_between_two_events_puts_the_subscription_off(w: World, monkeypatch):
    async with hook() as to, telling(w) as sender:
        await subscribe(w, to, types=("freeze.set",))
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
        real = w.store.outgoing.due

        async def odd(_: str) -> OutgoingEvent | None:
            raise ValueError("odd")

        monkeypatch.setattr(w.store.outgoing, "due", odd)
        await tell(sender)
        monkeypatch.setattr(w.store.outgoing, "due", real)
        w.clock.jump(31)
        await tell(sender)
        assert len(to.taken) == 1


async def test_what_is_removed_is_told_nothing_more_nor_what_waited(w: World):
    async with hook() as to, telling(w) as sender:
        made = await subscribe(w, to)
        await w.build()
        await w.store.outgoing.remove(made, by=ALICE)
        await tell(sender)
        assert to.taken == []
        assert [each.id for each in await w.store.outgoing.subscriptions()] == ["github", "kubernetes"]


async def test_what_a_webhook_has_taken_stays_counted_when_it_is_removed(w: World):
    async with hook() as to, telling(w) as sender:
        made = await subscribe(w, to, types=("freeze.*",))

        async def gone() -> web.Response:
            return web.Response(status=410)

        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
        await tell(sender)
        to.answer = gone
        await w.freezer.unfreeze(by(ALICE), "myapp")
        await tell(sender)
        before = (await w.store.outgoing.backlog())["webhook"]
        assert (before.delivered, before.dropped) == (1, {"gone": 1})
        await w.store.outgoing.remove(made, by=ALICE)
        assert (await w.store.outgoing.backlog())["webhook"] == before


async def test_a_redirect_is_not_followed_and_nobody_beside_the_bot_is_reached(w: World):
    async with hook() as inside, hook() as to:

        async def elsewhere() -> web.Response:
            return web.Response(status=302, headers={"Location": inside.url})

        to.answer = elsewhere
        await subscribe(w, to, types=("freeze.set",))
        await w.freezer.freeze(by(ALICE), "myapp", reason="x", until=None)
        async with telling(w) as sender:
            await tell(sender)
        assert (await told(w)).answer == "302, and a redirect is not followed"
        assert inside.taken == []
        w.clock.jump(10)
        async with telling(w, private=False) as sender:
            await tell(sender)
        assert (await told(w)).answer == "its address is not one of the internet, or not https"
        assert len(to.taken) == 1


async def test_a_name_that_stands_for_an_address_beside_the_bot_is_not_reached(w: World):
    async with hook() as to:
        made = await subscribe(w, to)
        event = OutgoingEvent(
            id=1,
            key="k",
            type="freeze.set",
            app="*",
            subject="*",
            at=w.clock.now(),
            actor=ALICE,
            action="freeze.set",
            detail={},
        )
        renderer = type("Renderer", (), {"body": staticmethod(lambda _event: _bytes())})()
        async with new_webhook_session(private=False) as session:
            receiver = WebhookReceiver(session, renderer, w.clock)
            for url, said in (
                ("https://localhost.localdomain.test/in", "it cannot be reached"),
                ("https://ip6-localhost/in", "it"),
                (to.url.replace("127.0.0.1", "localhost").replace("http:", "https:"), "its address is not"),
            ):
                delivery = await receiver.deliver(replace(made, url=url), event)
                assert isinstance(delivery, Undelivered)
                assert delivery.answer.startswith(said)
        assert to.taken == []


async def _bytes() -> bytes:
    return b"{}"


@pytest.mark.parametrize(
    ("status", "headers", "after", "drop"),
    [
        (410, {}, 0.0, "gone"),
        (500, {"Retry-After": "60"}, 60.0, None),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0, None),
        (404, {}, 0.0, None),
    ],
)
def test_a_status_says_whether_and_when_it_is_tried_again(status, headers, after, drop):
    said = answered(status, headers)
    assert isinstance(said, Undelivered)
    assert (said.after, said.drop) == (after, drop)
