"""What an event says, rendered from the records as they are when it is told."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.outgoing.cloud_events import MOST_TEXT, CloudEventRenderer
from bot.outgoing.receiver import Undelivered
from bot.outgoing.webhooks import WebhookReceiver
from core.records.outgoing_event import OutgoingEvent, Subscription
from tests.core.world import ALICE, World, by, world


@pytest.fixture
async def w(tmp_path):
    async with world(tmp_path) as made:
        yield made


def event(type_: str, subject: str, **changes: Any) -> OutgoingEvent:
    values: dict[str, Any] = {"id": 1, "key": "k", "app": "myapp", "actor": ALICE, "action": "", "detail": {}}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return OutgoingEvent(**(values | {"type": type_, "subject": subject, "at": at} | changes))


async def data(w: World, told: OutgoingEvent) -> dict[str, Any]:
    renderer = CloudEventRenderer(w.store.read, rack="convox", link=lambda c, ts: f"https://s/{c}/{ts}")
    found: dict[str, Any] = json.loads(await renderer.body(told))["data"]
    return found


async def test_a_promotion_is_told_with_the_address_of_its_card_once_it_has_one(w: World):
    asked = (await w.ask((await w.build()).release.id)).promotion
    told = event("promotion.requested", asked.id)
    assert (await data(w, told))["promotion"]["url"] == ""
    await w.store.outbox.card_posted(asked.id, "17.5", 0)
    assert (await data(w, told))["promotion"]["url"] == "https://s/C1/17.5"


async def test_long_text_is_cut_and_a_release_without_a_build_has_none(w: World):
    changed = await w.registrar.set_environment(by(ALICE), "myapp", [("A", "b")])
    assert changed.release is not None
    assert "build" not in await data(w, event("release.created", changed.release.id))
    said = await data(w, event("freeze.set", "myapp", detail={"reason": "x" * 5000}))
    assert len(said["reason"]) == MOST_TEXT


async def test_what_is_gone_is_given_up(w: World):
    renderer = CloudEventRenderer(w.store.read, rack="convox", link=lambda _c, _ts: "")
    receiver = WebhookReceiver(None, renderer, w.clock)
    hook = Subscription(id="W", kind="webhook", created_at=w.clock.now(), created_by=ALICE)
    for told in (
        event("promotion.settled", "PNOWHERE000"),
        event("build.ended", "BNOWHERE000", action="build.fail"),
    ):
        said = await receiver.deliver(hook, told)
        assert isinstance(said, Undelivered)
        assert said.drop == "rejected"
