"""What a person sees at a real terminal, and that a pipe gets nothing of it."""

import asyncio
import io
import re

import pytest

from bot.cli import live_line
from bot.cli.live_line import Awaited, LiveLine, clock
from bot.cli.main import main
from bot.cli.output import say, say_verdict
from bot.cli.screen import coloured, columns, fit, harmless, rewritable, verdict
from core.policy.authorization import parse_policy
from tests.bot.api.serving import serving
from tests.bot.cli.glass import Glass
from tests.bot.cli.window import Window
from tests.core.world import BOB, ONE_APPROVAL, by
from tests.fakes import broken


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


async def awaiting(api):
    """Have something asked for that waits for an approval, and return its id."""
    api.world.policy = parse_policy(ONE_APPROVAL, open_to_all=True)
    return (await api.world.ask((await api.world.build()).release.id)).promotion.id


async def seen(window, *texts):
    await asyncio.to_thread(
        window.until, lambda lines: all(any(text in line for line in lines) for text in texts)
    )


async def piped(capsys, *words):
    await asyncio.to_thread(main, list(words))
    return capsys.readouterr().out.splitlines()


async def test_a_line_says_who_is_asked_until_it_starts_and_nothing_of_it_stays(api, capsys):
    promotion = await awaiting(api)
    with Window("do", "follow", promotion) as window:
        await seen(window, "Waiting for 1 approval by whoever may approve (0:0")
        await api.world.decider.approve(by(BOB), promotion)
        assert await asyncio.to_thread(window.end) == 0

    told = await piped(capsys, "do", "follow", promotion)
    assert "".join(window.lines).replace(" ", "") == "".join(told).replace(" ", "")
    assert window.lines[-1] == "OK"
    assert window.colour("OK") == "green"


async def test_ctrl_c_leaves_a_clean_screen_and_says_how_it_is_followed_on(api):
    promotion = await awaiting(api)
    with Window("do", "follow", promotion, columns=160) as window:
        await seen(window, "Waiting for 1 approval")
        window.type(b"\x03")
        assert await asyncio.to_thread(window.end) == 130

    (said,) = [line for line in window.lines if line]
    assert said == (
        f"{promotion} goes on without this terminal: `convox-bot do follow {promotion}` shows it again,"
        f" `convox-bot do cancel {promotion}` stops it"
    )


async def test_the_line_is_as_wide_as_the_terminal_is_now(api):
    promotion = await awaiting(api)
    with Window("do", "follow", promotion, columns=100) as window:
        await seen(window, "Waiting for 1 approval by whoever may approve (0:")
        window.resize(30, 40)
        await seen(window, "Waiting for 1 appro... (0:")
        window.resize(100, 40)
        await seen(window, "Waiting for 1 approval by whoever may approve (0:")
        assert len(window.lines) == 1


async def test_a_failure_is_red_and_with_no_color_nothing_is(api):
    await api.world.good()
    bad = await api.world.build()
    api.world.cluster.behaves[bad.release.id] = lambda _: broken()
    promotion = await api.world.promote(bad.release.id)

    with Window("do", "follow", promotion.id) as window:
        assert await asyncio.to_thread(window.end) == 1
    with Window("do", "follow", promotion.id, NO_COLOR="1") as plain:
        assert await asyncio.to_thread(plain.end) == 1

    assert window.colour("ERROR: rolled back") == "red"
    assert plain.colour("ERROR: rolled back") == "default"
    assert b"m" not in b"".join(re.findall(rb"\x1b\[[0-9;]*([a-zA-Z])", plain.written))


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"CI": "true", "NO_COLOR": "1"}])
async def test_what_cannot_rewrite_a_line_gets_whole_ones(api, env):
    promotion = await awaiting(api)
    with Window("do", "follow", promotion, **env) as window:
        await asyncio.to_thread(window.until, lambda _: True)
        await api.world.decider.approve(by(BOB), promotion)
        assert await asyncio.to_thread(window.end) == 0

    assert b"\x1b" not in window.written
    assert window.lines[-1] == "OK"


HOSTILE = "a\x1b]0;owned\x07\x1b[2J\u009b31m\u202eb"


async def test_no_text_commands_a_terminal_and_a_pipe_gets_what_it_is(api, capsys):
    await asyncio.to_thread(main, ["do", "env", "set", f"KEY={HOSTILE}", "-a", "myapp"])
    capsys.readouterr()
    with Window("do", "env", "get", "KEY", "-a", "myapp") as window:
        assert await asyncio.to_thread(window.end) == 0
    with Window("do", "env", "get", "KEY", "-a", "myapp", "-o", "json") as of_json:
        assert await asyncio.to_thread(of_json.end) == 0

    assert window.lines == [r"a\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eb"]
    assert b"\x1b" not in window.written + of_json.written
    assert await piped(capsys, "do", "env", "get", "KEY", "-a", "myapp") == [HOSTILE]


def test_the_line_counts_and_what_stays_is_written_above_it(monkeypatch):
    now, glass = [0.0], Glass()
    line = LiveLine(glass, lambda: now[0])
    monkeypatch.setattr(live_line, "_on", [line])
    line.show(Awaited(text="web is complete,\nwatching", left=65))
    assert glass.lines == ["web is complete, watching (1:05 left)"]

    now[0] = 7
    line.draw()
    say("a line of progress that comes meanwhile", glass)
    assert glass.lines == ["a line of progress that comes meanwhile", "web is complete, watching (0:58 left)"]

    line.show(None)
    line.draw()
    assert glass.lines == ["a line of progress that comes meanwhile"]
    line.show(Awaited(text="web"))
    line.end()
    line.draw()
    assert len(glass.lines) == 1


def test_the_line_is_drawn_anew_until_it_ends(monkeypatch):
    monkeypatch.setattr(live_line, "EVERY_SECONDS", 0.0)
    glass, times = Glass(), iter(range(1000000))
    line = LiveLine(glass, lambda: next(times))
    drawn = []

    def draw():
        drawn.append(1)
        if len(drawn) == 3:
            line.end()

    line.draw = draw
    line.run()
    assert len(drawn) == 3


def test_another_program_that_has_the_terminal_is_left_alone(monkeypatch):
    glass = Glass()
    glass.fileno = lambda: 1
    monkeypatch.setattr("os.tcgetpgrp", lambda _: -1)
    LiveLine(glass).show(Awaited(text="x", seconds=1))
    assert glass.lines == []


def test_wide_characters_take_two_cells():
    glass = Glass(20)
    glass.write(fit("承認を待っています、少々お待ちください", " (0:07)", 19))
    assert glass.lines[0].replace(" ", "").endswith("...(0:07)")
    assert len(glass.lines) == 1


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        ("abc", 9, "... (0:07"),
        ("abcdefghij", 15, "abcde... (0:07)"),
        ("abc", 10, "abc (0:07)"),
        ("e\u0301e\u0301e\u0301", 10, "e\u0301e\u0301e\u0301 (0:07)"),
        ("abcdefghij", 3, "..."),
        ("✈️✈️", 11, "✈️✈️ (0:07)"),
        ("", 0, ""),
    ],
)
def test_a_line_fits_and_keeps_its_end_as_long_as_there_is_room(text, cells, shown):
    assert fit(text, " (0:07)", cells) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0:00"), (7.9, "0:07"), (750, "12:30"), (3600, "1:00:00")]
)
def test_seconds_are_counted_as_by_a_clock(seconds, shown):
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("env", "tty", "colours"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR": "0"}, True, False),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colours_are_where_the_field_has_them(monkeypatch, env, tty, colours):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    out = Glass() if tty else io.StringIO()
    assert coloured(out) is colours
    assert ("\x1b" in verdict("OK", out)) is colours


def test_a_line_is_rewritten_on_a_terminal_alone(monkeypatch):
    assert rewritable(Glass())
    assert not rewritable(io.StringIO())
    with live_line.live_line(io.StringIO()) as show:
        assert show is None


def test_a_terminal_without_a_size_has_eighty_columns(monkeypatch):
    assert columns(io.StringIO()) == 80


def test_only_a_verdict_has_the_colour_of_one():
    glass = Glass(80)
    for line in ("OK (not verified: nothing ran)", "ERROR: x\x1b[2J", "else\x07"):
        say_verdict(line, glass)
    assert glass.lines == ["OK (not verified: nothing ran)", r"ERROR: x\u001b[2J", r"else\u0007"]
    assert [glass.screen.buffer[row][0].fg for row in range(3)] == ["green", "red", "default"]
    assert glass.screen.buffer[0][3].fg == "default"


def test_in_a_pipe_text_is_what_it_is():
    assert harmless(HOSTILE, io.StringIO()) == HOSTILE
