"""What each may ask for in a minute: one number for each budget, whatever was asked, and no more numbers than there is room for."""

import ast
import inspect
import sys
import textwrap

import pytest

from bot.command import commands
from bot.command import forms as command_forms
from bot.command.commands import Approve, Command, Help, Logs, Promote, Rollback
from bot.handlers import budgets as module
from bot.handlers.budgets import BRAKES, Budgets, Cost, RateLimit, admitted
from bot.handlers.costs import cost_of
from bot.handlers.dispatch import Handlers
from bot.http.errors import TooManyRequests
from core.actor import Actor, Caller
from tests.bot.handling import budgets_of, handlers_of
from tests.core.world import world
from tests.fakes import JumpingClock

SIXTY = RateLimit(minute=60)


@pytest.mark.parametrize(
    ("limit", "at_once"),
    [(SIXTY, 60), (RateLimit(minute=600), 60), (RateLimit(minute=5), 5), (RateLimit(minute=1), 1)],
)
def test_so_many_are_taken_at_once_and_then_as_many_as_the_minute_has(limit: RateLimit, at_once: int):
    whole_at, taken, wait = 0.0, 0, 0.0
    while not wait:
        whole_at, wait = admitted(whole_at, 0.0, limit)
        taken += not wait
    assert taken == at_once
    assert wait == pytest.approx(limit.interval)
    again, none = admitted(whole_at, wait, limit)
    assert again == pytest.approx(whole_at + limit.interval)
    assert none == 0.0
    assert admitted(again, wait, limit)[1] == pytest.approx(limit.interval)


def test_who_has_asked_for_nothing_lately_has_no_more_than_everybody():
    assert admitted(5.0, 1_000.0, SIXTY) == (1_001.0, 0.0)


def test_a_refusal_takes_nothing_and_says_when():
    clock = JumpingClock()
    made = budgets_of(clock, changes=2)
    made.take("slack:U1", Cost.CHANGE)
    made.take("slack:U1", Cost.CHANGE)
    for _ in range(5):
        with pytest.raises(TooManyRequests) as refused:
            made.take("slack:U1", Cost.CHANGE)
        assert refused.value.retry_after == 30
    assert (
        str(refused.value)
        == "too many changes in a short time: at most 2 a minute; the next one is taken in 30 s"
    )
    made.take("slack:U2", Cost.CHANGE)
    clock.jump(30)
    made.look("slack:U1", Cost.CHANGE)
    made.take("slack:U1", Cost.CHANGE)
    with pytest.raises(TooManyRequests):
        made.look("slack:U1", Cost.CHANGE)


def test_however_many_come_no_more_is_kept_and_those_beyond_share_one(monkeypatch):
    monkeypatch.setattr(module, "MOST", 100)
    clock = JumpingClock()
    made = Budgets(clock, {Cost.STRANGER: RateLimit(minute=2)})
    for number in range(100):
        made.take(f"address {number}", Cost.STRANGER)
    made.take("address 100", Cost.STRANGER)
    made.take("address 101", Cost.STRANGER)
    with pytest.raises(TooManyRequests):
        made.take("address 102", Cost.STRANGER)
    made.take("address 7", Cost.STRANGER)
    assert len(made._whole_at) == 101
    clock.jump(60)  # all but the shared one are whole again, and forgotten
    made.take("address 102", Cost.STRANGER)
    assert len(made._whole_at) < 5


def test_what_has_no_limit_is_not_bounded():
    made = Budgets(JumpingClock(), {})
    for _ in range(1_000):
        made.take("slack:U1", Cost.CHANGE)


def told() -> set[str]:
    """The commands that the dispatcher carries out by changing something, as it names them."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Handlers._carry_out)))
    cases = [case.pattern for case in ast.walk(tree) if isinstance(case, ast.match_case)]
    classes = [each.cls for case in cases for each in ast.walk(case) if isinstance(each, ast.MatchClass)]
    return {ast.unparse(each).rpartition(".")[2] for each in classes}


def every_command() -> set[type[Command]]:
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    assert commands
    assert command_forms
    # A dataclass with slots is made twice, and the first is nobody's.
    known = {each for each in below(Command) if getattr(sys.modules[each.__module__], each.__name__) is each}
    return {each for each in known if not inspect.isabstract(each)}


def test_whatever_changes_something_is_a_change_or_a_brake_and_nothing_else_is():
    def cost(kind: type[Command]) -> Cost:
        return cost_of(object.__new__(kind))

    names = told()
    for kind in every_command():
        changes = bool({each.__name__ for each in kind.__mro__} & names)
        assert (cost(kind) is not Cost.READ) is changes, kind.__name__
    assert cost_of(Help()) is Cost.READ
    assert {cost(each) for each in (Approve, Rollback)} == {Cost.BRAKE}
    assert cost(Promote) is Cost.CHANGE
    assert cost(Logs) is Cost.READ


async def test_who_has_used_up_everything_still_approves_and_rolls_back(tmp_path):
    async with world(tmp_path) as w:
        handlers = handlers_of(w, budgets=budgets_of(w.clock, reads=1, changes=1))
        caller = Caller(actor=Actor("slack", "U01ALICE"), channel="C1", source="slack")

        async def refusal(command: Command):
            return (await handlers.handle(command, caller)).answer.refusal

        assert await refusal(Help()) is None
        assert isinstance(await refusal(Help()), TooManyRequests)
        assert isinstance(await refusal(Help()), TooManyRequests)
        answered = await handlers.handle(Help(), caller)
        assert answered.answer.ephemeral
        for _ in range(50):
            found = await refusal(Approve(promotion="PABCDEFGHIJ"))
            assert found.status == 404
    assert BRAKES.minute == 600
