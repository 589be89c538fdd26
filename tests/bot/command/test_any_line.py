"""Whatever is typed, the answer is what was asked for or a clear sentence, and no sentence has a value in it."""

from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings

from bot.command.commands import Command
from bot.command.lexer import encode
from bot.command.parser import parse
from bot.views.answers import slack_answer
from core.errors import Unexpected, UserError
from tests.bot.command.lines import RELEASE, SECRET, delivered
from tests.bot.handling import handlers_of
from tests.core.world import ALICE, World, by
from tests.soak import times


def told(error: UserError) -> str:
    """Return all that somebody is told of a refusal."""
    assert str(error).strip()
    assert all(line.isprintable() for line in str(error).splitlines())
    return f"{error}\n{error.hint}"


def understood(text: str, *, slack: bool, app: str) -> Command | UserError:
    """Return what a line asks for, or why it is refused."""
    try:
        return parse(text, linked_app=app, slack=slack)
    except UserError as error:
        return error


@given(delivered)
def test_a_line_is_understood_or_refused_in_a_sentence_without_a_value(line: tuple[str, bool]):
    text, slack = line
    command = understood(text, slack=slack, app="web")
    if isinstance(command, UserError):
        assert len(str(command)) < 300
        assert SECRET not in told(command)
        return
    assert SECRET.lower() not in " ".join(command.warnings).lower()
    # What was understood can be typed, put on a button and understood again.
    again = parse(encode(command.typed) if slack else command.typed, slack=slack)
    assert replace(again, warnings=()) == replace(command, warnings=())


@settings(
    max_examples=times(150, soak=20_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(delivered)
@example(("releases promote", False))
@example((f"env set A={SECRET * 2} --promote", False))
async def test_a_command_is_carried_out_or_refused_and_nothing_breaks(w: World, line: tuple[str, bool]):
    text, slack = line
    if not await w.store.read.release_entries("myapp", 1):
        await w.good()
    newest = await w.store.read.release_entries("myapp", 1)
    typed = text.replace(RELEASE, newest[0].id)
    command = understood(typed, slack=slack, app="myapp")
    if isinstance(command, UserError):
        return
    answer = (await handlers_of(w).handle(command, by(ALICE, "C1"))).answer
    await w.idle()

    assert not isinstance(answer.refusal, Unexpected)
    assert slack_answer(answer)["text"].strip()
    if answer.refusal is not None:
        assert SECRET.lower() not in f"{told(answer.refusal)}\n{answer.hint}".lower()
