"""Looks that fail, hang or break: a sentence each, within the time, and never a traceback."""

import asyncio

from bot.admin.doctor.bounded import AGAIN, OUR_FAULT, Look, look_at_all
from bot.admin.doctor.check import HealthCheck
from core.errors import Unreachable
from storage.errors import SchemaTooNew


def look(name, found=None, error=None):
    async def take():
        if error is not None:
            raise error
        return [found or HealthCheck(name=name)]

    return Look(name, take)


async def test_what_fails_is_said_and_the_others_are_looked_at():
    looks = [
        look("a"),
        look("b", error=Unreachable("the cluster\n   is away")),
        look("c", error=SchemaTooNew("too new")),
        look("d", error=LookupError("x")),
        look("e"),
    ]

    found = await look_at_all(looks, at_once=2, seconds=10)

    assert [(each.name, each.problem, each.remedy) for each in found] == [
        ("a", "", ""),
        ("b", "the cluster is away", AGAIN),
        ("c", "too new", AGAIN),
        ("d", "could not be looked at: LookupError: x", OUR_FAULT),
        ("e", "", ""),
    ]


async def test_what_hangs_is_cancelled_and_named_with_what_waits_behind_it():
    ended = []

    async def hang():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("hung")

    found = await look_at_all([look("a"), Look("b", hang), look("c")], at_once=1, seconds=0.05)

    assert [each.name for each in found] == ["a", "not looked at"]
    assert found[1].problem == "no answer within 0.05 s, so nothing is known of b, c"
    assert ended == ["hung"]


async def test_nothing_is_looked_at_at_once():
    assert await look_at_all([], at_once=1, seconds=10) == []


async def test_more_than_may_are_never_under_way():
    under_way, most = 0, 0

    async def take():
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return []

    assert await look_at_all([Look(str(n), take) for n in range(9)], at_once=3, seconds=10) == []
    assert most == 3
