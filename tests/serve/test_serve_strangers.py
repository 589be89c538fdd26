"""`convox-bot serve` under what once stopped it: half requests, and bodies that never end."""

import asyncio
import resource
import socket
import time
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.controlplane.processes import free_ports
from tests.serve.conftest import LOOPBACK, Door, Serve, Settings
from tests.serve.program import until

HALVES, BODIES = 1_136, 600
WAVE = 150  # connections of the attacker at once
FILES = 140  # that the bot may open, with some thirty of its own
LARGEST_LOG = 20_000
LARGEST_GROWTH = 100 << 20


def memory_of(pid: int) -> int:
    """Return the bytes that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) << 10


async def attack(port: int, count: int, data: bytes) -> list[socket.socket]:
    """Open connections that say this and no more, and keep the newest of them."""
    loop, kept = asyncio.get_running_loop(), []
    for _ in range(count):
        made = socket.socket()
        made.setblocking(False)
        kept.append(made)
        await loop.sock_connect(made, (LOOPBACK, port))
        with suppress(ConnectionError):  # it has been turned away
            await loop.sock_sendall(made, data)
        if len(kept) > WAVE:
            kept.pop(0).close()
    return kept


async def test_half_requests_and_endless_bodies_stop_nobody_and_fill_neither_memory_nor_log(
    settings: Settings, tmp_path: Path, serve: Serve, session: aiohttp.ClientSession
):
    (port,) = free_ports(1)
    del settings["SLACK_APP_TOKEN"]
    settings |= {"SLACK_SIGNING_SECRET": "shh", "HOST": LOOPBACK, "PORT": str(port)}
    program = serve(settings)
    # As few files as few systems give: a connection that cannot be accepted stops all others.
    resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    door = Door(session, settings)
    await door.answers("/healthz", 200, program)
    before = memory_of(program.pid)

    half = b"POST /commands HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2VjcmV0"
    halves = await attack(int(settings["API_PORT"]), HALVES, half)
    looks_signed = (
        f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
        f"X-Slack-Request-Timestamp: {int(time.time())}\r\nX-Slack-Signature: v0={'0' * 64}\r\n\r\n"
    ).encode()
    bodies = await attack(port, BODIES, looks_signed + b"x" * 900_000)

    assert (await door.get("/healthz"))[0] == 200
    await until(lambda: memory_of(program.pid) < before + LARGEST_GROWTH, program)
    log = (tmp_path / "bot-0.log").read_text()
    assert len(log) < LARGEST_LOG
    assert "Traceback" not in log
    assert "c2VjcmV0" not in log
    for connection in [*halves, *bodies]:
        connection.close()
