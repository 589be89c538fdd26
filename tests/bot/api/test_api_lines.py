"""`GET /promotions/{id}/lines`: a promotion as text, from its first line to its verdict, resumable."""

import re
from datetime import timedelta
from functools import partial

import pytest
from aiohttp import ClientPayloadError

from bot.api.formats import TextFormat, rows_of
from bot.api.lines import follow
from bot.api.names import Names
from bot.api.streams import POLL_SECONDS
from core.policy.authorization import parse_policy
from core.records.line import Line
from core.usecases.viewer import LINES_AT_ONCE
from tests.bot.api.asking import policy_of
from tests.bot.api.serving import all_told
from tests.core.world import ALICE, BOB, ONE_APPROVAL, by
from tests.fakes import START, broken

LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ system/k8s/\S+ \S")


async def test_a_good_promotion_is_told_from_its_first_line_to_ok(api):
    made = await api.world.build()
    promotion = await api.world.promote(made.release.id)

    *lines, last = await api.lines(promotion.id)

    assert last == "OK"
    assert lines == await api.world.lines(promotion.id)
    assert all(LINE.match(line) for line in lines)
    assert lines[0].endswith("system/k8s/atom/app Status: Running => Pending")


async def test_a_stream_goes_on_after_any_number_of_lines(api):
    await api.world.good()
    made = await api.world.build()
    api.world.cluster.behaves[made.release.id] = lambda _: broken()
    promotion = await api.world.promote(made.release.id)
    whole = await api.lines(promotion.id)

    assert whole[-1].startswith("ERROR: rolled back to R")
    assert any(line.startswith("  ") for line in whole), "evidence spans several lines"
    for after in range(len(whole) + 2):
        assert await api.lines(promotion.id, after) == whole[after:], after


async def test_an_id_may_be_typed_in_lower_case(api):
    promotion = await api.world.promote((await api.world.build()).release.id)

    assert (await api.lines(promotion.id.lower()))[-1] == "OK"


async def test_a_long_stream_is_read_in_parts_and_whole(api, monkeypatch):
    promotion = await api.world.promote((await api.world.build()).release.id)
    async with api.store.transaction() as tx:
        more = [Line(at=START, object="web", text=str(n), key=str(n)) for n in range(2 * LINES_AT_ONCE)]
        await tx.add_lines(promotion.id, more)
    taken, real = [], type(api.store.read).lines

    async def lines(read, *given):
        found = await real(read, *given)
        taken.append(len(found))
        return found

    monkeypatch.setattr(type(api.store.read), "lines", lines)
    *told, last = await api.lines(promotion.id)

    assert last == "OK"
    assert [line.rpartition(" ")[2] for line in told[-len(more) :]] == [line.text for line in more]
    assert max(taken) == LINES_AT_ONCE
    assert sum(taken) == len(told)


async def test_lines_are_sent_as_they_come_and_the_stream_ends_with_the_verdict(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    made = await api.world.build()
    promotion = (await api.world.ask(made.release.id)).promotion

    answer = await api.get(f"/promotions/{promotion.id}/lines")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"

    await api.world.decider.approve(by(BOB), promotion.id)

    assert b"Status: Running => Pending" in await answer.content.readline()
    assert (await answer.text()).splitlines()[-1] == "OK"


async def test_who_declined_is_told_by_name(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    promotion = (await api.world.ask((await api.world.build()).release.id)).promotion
    await api.world.decider.decline(by(BOB), promotion.id, "not on a\nFriday")

    assert await api.lines(promotion.id) == ["ERROR: declined by @u02bob: not on a Friday"]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "9" * 30, "١"])
async def test_a_number_of_lines_is_a_number(api, after):
    answer = await api.get("/promotions/PAAAAAAAAAA/lines", params={"after": after})

    assert answer.status == 422
    assert (await answer.json())["error"] == "after is the number of lines already received: 0 or more"


@pytest.mark.parametrize("given", ["PAAAAAAAAAA", "RAAAAAAAAAA", "x", "P" + "A" * 500])
async def test_an_unknown_promotion_is_not_found(api, given):
    answer = await api.get(f"/promotions/{given}/lines")

    assert answer.status == 404
    assert (await answer.json())["error"].startswith("no such promotion")


async def test_the_policy_is_asked_for_the_verb_view(api):
    promotion = await api.world.promote((await api.world.build()).release.id)
    api.world.policy = parse_policy(policy_of("promote"))

    assert (await api.get(f"/promotions/{promotion.id}/lines")).status == 403


async def test_who_loses_the_right_while_listening_is_let_go_and_told_why_when_they_ask_again(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    promotion = (await api.world.ask((await api.world.build()).release.id)).promotion
    answer = await api.get(f"/promotions/{promotion.id}/lines")
    api.world.policy = parse_policy(policy_of("promote"))

    with pytest.raises(ClientPayloadError):
        await answer.text()
    assert (await api.get(f"/promotions/{promotion.id}/lines")).status == 403


async def test_logs_of_pods_cannot_move_the_readers_cursor_nor_pretend_a_verdict():
    text = "last log lines of web-1:\n  \x1b[31mred\x1b[0m\r\x07\nOK\nERROR: fake"

    rows = rows_of(Line(at=START, object="web-1", text=text, key="k", kind="evidence"))

    assert rows == ["last log lines of web-1:", "  red", "  OK", "  ERROR: fake"]


async def test_nobody_is_polled_for_once_the_reader_has_left(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    promotion = (await api.world.ask((await api.world.build()).release.id, actor=ALICE)).promotion
    looks = iter([True, True, False])
    before = api.world.clock.monotonic()

    chunks = follow(
        partial(api.world.viewer.lines, by(ALICE), promotion.id),
        TextFormat(Names(api.world.directory)),
        api.world.clock,
        after=0,
        listening=lambda: next(looks),
    )

    assert [chunk async for chunk in chunks] == []
    assert api.world.clock.monotonic() - before == 2 * POLL_SECONDS


async def test_a_stream_that_breaks_has_no_end_so_that_its_reader_asks_again(api, monkeypatch, caplog):
    promotion = await api.world.promote((await api.world.build()).release.id)

    async def failing(*_args, **_more):
        yield "one line\n"
        raise ZeroDivisionError

    monkeypatch.setattr("bot.api.lines.follow", failing)
    answer = await api.get(f"/promotions/{promotion.id}/lines")

    with pytest.raises(ClientPayloadError):
        await answer.text()
    assert "/promotions/{id}/lines failed while streaming" in caplog.text


async def test_a_stop_lets_readers_go_without_an_end_of_the_stream(api):
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    promotion = (await api.world.ask((await api.world.build()).release.id)).promotion
    answer = await api.get(f"/promotions/{promotion.id}/lines")

    await api.client.app.shutdown()

    with pytest.raises(ClientPayloadError):
        await answer.text()


async def aged(api, *records):
    for each in records:
        while await api.store.retention.age(each, api.world.clock.now() + timedelta(days=1)):
            pass


async def test_lines_that_are_not_kept_are_said_to_be_gone_before_the_verdict(api):
    await api.world.good()
    made = await api.world.build()
    api.world.cluster.behaves[made.release.id] = lambda _: broken()
    promotion = await api.world.promote(made.release.id)
    whole = await api.lines(promotion.id)
    await all_told(api.store, promotion.id)

    await aged(api, "lines")
    said, *evidence, verdict = await api.lines(promotion.id)
    assert said.endswith(
        "Z system/k8s/retention its lines are not kept any more: those of rollouts that ended more than 180 days ago are deleted"
        " (`retention` in the policy)"
    )
    assert verdict == whole[-1]
    assert evidence[0].startswith("last log lines of")
    assert await api.lines(promotion.id, 1) == [*evidence, verdict], "numbered as they are printed"

    await aged(api, "evidence")
    assert await api.lines(promotion.id) == [said, verdict]
    stored = await api.world.processes.failure_logs(by(ALICE), "myapp", promotion.id)
    assert stored.text.startswith("its logs are not kept any more")
