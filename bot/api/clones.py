"""`POST /builds/{id}/clone`: the pod of a build tells what it has cloned, and is told what to build of it.

The body is what a shell writes most easily: a line each of the commit, its author, its time, its subject and how many
submodules and pointers of Git LFS it has, and behind them convox.yml as it is.
"""

from aiohttp import web

from bot.api.build_runs import build_id, build_token
from bot.http.bodies import read_bytes
from core.building.clones import ClonedSource, CloneReceiver
from core.errors import Unreadable

LINES = 5


class ClonesEndpoint:
    """Takes what pods have cloned."""

    def __init__(self, receiver: CloneReceiver) -> None:
        self._receiver = receiver

    async def create(self, request: web.Request) -> web.Response:
        """Store what was cloned, and answer the script of the container that builds."""
        build, token = build_id(request), build_token(request)
        await self._receiver.check(build, token)  # before a stranger's body is read
        script = await self._receiver.receive(build, token, cloned_source(await read_bytes(request)))
        return web.Response(text=script, headers={"Cache-Control": "no-store"})


def cloned_source(body: bytes) -> ClonedSource:
    """Return what a pod tells; raise Unreadable where it is not put together as said above."""
    parts = body.decode("utf-8", "replace").split("\n", LINES)
    # Pods of an earlier version count submodules alone.
    counts = parts[4].split() if len(parts) > LINES else []
    if len(counts) not in {1, 2} or not all(each.isdecimal() for each in counts):
        raise Unreadable(f"a clone is told in {LINES} lines, and behind them convox.yml")
    commit, author, committed_at, subject, _, manifest = parts
    return ClonedSource(
        commit=commit.strip(),
        author=author,
        committed_at=committed_at,
        subject=subject,
        submodules=int(counts[0][:9]),
        pointers=int(counts[1][:9]) if len(counts) > 1 else 0,
        manifest=manifest,
    )
