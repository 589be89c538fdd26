"""`make play` as the process that it is: its words, its port, its end, and a kill in the middle of a rollout."""

import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.playground.examples import examples
from bot.playground.wiring import free_port
from tests.controlplane.processes import Process, free_ports
from tests.serve.program import SCRIPT, ended, start, until

ALICE, MYAPP = "U01ALICE", "C10MYAPP"
Play = Callable[..., Process]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Return `play(port)`: a playground with its state in the test's folder."""
    started: list[Process] = []

    def begin(port: int) -> Process:
        words = ("playground", "--port", str(port), "--state", "state")
        started.append(start(tmp_path, {}, str(SCRIPT), *words, log=f"{len(started)}.log"))
        return started[-1]

    yield begin
    for program in started:
        program.kill()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def address(program: Process) -> str:
    """Return the one address that is printed."""

    def printed() -> str | None:
        found = re.findall(r"https?://[^\s]+", program.log.read_text())
        return found[0] if found else None

    return await until(printed, program)


async def state(session: aiohttp.ClientSession, page: str) -> dict[str, Any]:
    async with session.get(f"{page}/do/state") as response:
        return await response.json()


async def do(session: aiohttp.ClientSession, page: str, what: str, **body: Any) -> None:
    document = {"user": ALICE, "channel": MYAPP, **body}
    async with session.post(f"{page}/do/{what}", json=document) as response:
        answer = await response.json()
        assert answer["ok"], answer


def is_reply(message: dict[str, Any]) -> bool:
    return message.get("thread_ts", message["ts"]) != message["ts"]


async def test_a_kill_in_the_middle_of_a_rollout_loses_neither_the_card_nor_the_ending(
    play: Play, session: aiohttp.ClientSession
):
    (port,) = free_ports(1)
    program = play(port)
    page = await address(program)
    steps = (await until(lambda: offered(session, page), program))[2]
    await do(session, page, "send", text=steps["command"])

    async def rolling() -> dict[str, Any] | None:
        messages = (await state(session, page))["messages"]
        return next(
            (m for m in messages if m["text"].startswith("🔄 Rolling out") and "thread_ts" in m), None
        )

    card = await until(rolling, program)
    program.kill()
    program = play(port)
    assert await address(program) == page

    async def ending() -> list[str] | None:
        messages = (await state(session, page))["messages"]
        said = [m["text"] for m in messages if is_reply(m)]
        return said if said[-1].startswith(("OK", "ERROR:")) else None

    said = await until(ending, program, within=60)
    assert said[-1].startswith("ERROR: removed, there was no release to go back to: image ")
    assert len([text for text in said if text.startswith("ERROR:")]) == 1

    async def told() -> list[dict[str, Any]] | None:
        cards = [m for m in (await state(session, page))["messages"] if not is_reply(m)]
        return cards if "Removed" in cards[0]["text"].splitlines()[0] else None

    assert [message["ts"] for message in await until(told, program)] == [card["ts"]]


async def test_a_second_one_names_the_first_and_how_to_have_another_beside_it(
    play: Play, session: aiohttp.ClientSession
):
    ports = free_ports(2)
    first = play(ports[0])
    page = await address(first)
    before = await until(lambda: offered(session, page), first)
    second = play(ports[1])

    assert await ended(second) == 1

    there, how = second.log.read_text().splitlines()
    assert there == f"A playground runs already with what is kept in ./state: {page}"
    assert how.startswith("Use that one, or start another beside it, with a folder of its own:   ")
    assert how.endswith("convox-bot playground --state ./state-2")
    assert await offered(session, page) == before


async def offered(session: aiohttp.ClientSession, page: str) -> list[dict[str, str]]:
    steps: list[dict[str, str]] = (await state(session, page))["first_steps"]
    return steps


async def test_reset_begins_anew_at_the_same_address_and_ctrl_c_ends_it_quietly(
    play: Play, session: aiohttp.ClientSession
):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        program = play(taken)
        page = await address(program)
        before = await until(lambda: offered(session, page), program)
        await do(session, page, "send", text="hello")
        await do(session, page, "button", index=0)

        async def anew() -> dict[str, Any] | None:
            try:
                found = await state(session, page)
            except aiohttp.ClientError:
                return None  # between the two lives
            return found if found["first_steps"] not in ([], before) else None

        assert (await until(anew, program))["messages"] == []
        await until(lambda: "Reset: it has begun anew" in program.log.read_text(), program)

    program.send(signal.SIGINT)
    assert await ended(program) == 0
    said = program.log.read_text()
    assert (
        f"convox-bot build -a myapp {examples() / 'myapp'}   (a broken one: -m broken/convox.yml)\n" in said
    )
    assert said.startswith(f"Port {taken} is taken by another program; this playground takes ")
    assert len(re.findall(r"https?://", said)) == 1
    assert (
        said.splitlines()[-1]
        == "Stopped. What was done is kept in ./state; the next start goes on from there."
    )
    assert len(said.splitlines()) == 7


def test_a_port_that_does_not_exist_is_refused():
    with pytest.raises(OSError, match="there is no port 70000"):
        free_port(70_000)
