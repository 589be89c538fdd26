"""A watch goes wrong in eleven ways; none of them may lose a change, spin, or claim to be live when it is not."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.cluster.api.address import Address
from core.cluster.watching.reflector import MAX_LINE, Reflector, ReflectorOptions, WatchEvent
from core.errors import Rejected, Unreachable
from core.waiting import first_of
from tests.core.cluster.faultserver import (
    HANG,
    Answer,
    FaultServer,
    FreeClock,
    event,
    faulty,
    pod,
    pods,
    refused,
    status,
    stream,
)

AT = Address(kind="Pod", namespace="ns", rack="convox", app="myapp")
TUNING = ReflectorOptions(idle=30.0, backoff=(0.5, 30.0))


class Run:
    """One reflector against one server, until the server hangs on its last watch."""

    reflector: Reflector

    def __init__(self, server: FaultServer, clock: FreeClock) -> None:
        self.server = server
        self.clock = clock
        self.changes: list[WatchEvent] = []
        self.live = asyncio.Event()

    def take(self, change: WatchEvent) -> None:
        self.changes.append(change)
        if change.type == "STALE":
            self.live.clear()
        if change.type == "SYNC":
            self.live.set()

    @property
    def told(self) -> list[str]:
        return [c.type + (f":{c.object['metadata']['name']}" if c.object else "") for c in self.changes]

    @property
    def relevant(self) -> list[str]:
        """What was told after the watch was open for the first time."""
        return self.told[self.told.index("SYNC") + 1 :]


@asynccontextmanager
async def reflecting(
    *watches: Answer,
    lists: list[Answer] | None = None,
    tuning: ReflectorOptions = TUNING,
    clock: FreeClock | None = None,
) -> AsyncIterator[Run]:
    clock = clock or FreeClock()
    async with faulty(clock) as (server, client):
        server.watches = [*watches, HANG]
        server.lists = lists or server.lists
        run = Run(server, clock)
        reflector = Reflector(
            client,
            AT,
            run.take,
            clock=clock,
            label_selector="app=myapp",
            tuning=tuning,
        )
        run.reflector = reflector
        task = asyncio.create_task(reflector.run(), name="reflector under test")
        await first_of(task, server.hanging.wait())
        if task.done():
            task.result()
        # The headers of the last watch are under way: its SYNC says that they have come.
        await run.live.wait()
        try:
            yield run
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_a_list_is_told_then_followed_from_exactly_its_version():
    async with reflecting(stream(event("MODIFIED", pod("a", 11)), event("DELETED", pod("b", 12)))) as run:
        assert run.told == ["ADDED:a", "ADDED:b", "SYNC", "MODIFIED:a", "DELETED:b"]
        assert run.server.watched_from == ["10", "12"]
        first = run.server.calls[0][1]
        assert "resourceVersion" not in first, "a list without a version is the consistent read"
        assert first["labelSelector"] == "app=myapp"
        assert run.server.calls[1][1]["allowWatchBookmarks"] == "true"
        assert 8 <= int(run.server.calls[1][1]["timeoutSeconds"]) <= 11


async def test_items_of_a_list_get_the_kind_that_lists_leave_out():
    bare = {"metadata": {"name": "a", "uid": "a", "resourceVersion": "1"}}
    async with reflecting(lists=[pods(10, bare)]) as run:
        assert run.changes[0].object is not None
        assert (run.changes[0].object["kind"], run.changes[0].object["apiVersion"]) == ("Pod", "v1")


async def test_long_lists_come_in_pages_and_an_expired_page_begins_again():
    lists = [pods(9, pod("a", 1), more="p2"), refused(410, "Expired"), pods(10, pod("b", 2), more="p2")]
    async with reflecting(lists=[*lists, pods(11, pod("c", 3))]) as run:
        assert run.told == ["STALE", "ADDED:b", "ADDED:c", "SYNC"]
        assert run.server.watched_from == ["11"]


async def test_a_watch_that_ends_at_once_without_a_word_is_a_failure_and_backs_off():
    async with reflecting(*[stream()] * 6) as run:
        assert len(run.clock.pauses) == 6
        assert run.clock.pauses[-1] > run.clock.pauses[0]
        assert run.server.listed == 1


@pytest.mark.parametrize(
    "answer",
    [Answer(status=500, body=b""), Answer(status=502, body=b"<html>\nBad Gateway</html>\n")],
    ids=["empty 500", "a proxy's page"],
)
async def test_a_server_error_marks_the_watch_stale_and_backs_off(answer: Answer):
    async with reflecting(*[answer] * 4) as run:
        assert run.told.count("STALE") == 4
        assert len(run.clock.pauses) == 4
        assert run.told[-1] == "SYNC"
        assert run.server.listed == 1, "nothing is lost by an error: no new list"


async def test_pauses_grow_to_half_a_minute_and_no_further():
    async with reflecting(*[Answer(status=503, body=b"")] * 12) as run:
        assert all(p <= 30.0 for p in run.clock.pauses)
        assert run.clock.pauses[-1] >= 15.0


async def test_a_busy_server_is_left_alone_for_as_long_as_it_asks():
    busy = Answer(status=429, body=status(429, "TooManyRequests"), headers={"Retry-After": "7"})
    async with reflecting(busy) as run:
        assert run.clock.pauses == [7.0]


async def test_no_server_can_make_it_blind_for_an_hour():
    busy = Answer(status=429, body=status(429, "TooManyRequests"), headers={"Retry-After": "3600"})
    async with reflecting(busy) as run:
        assert run.clock.pauses == [60.0]


class Elapsing(FreeClock):
    """Some seconds pass between any two looks at it."""

    def monotonic(self) -> float:
        self.seconds += 6.0
        return self.seconds


async def test_a_watch_that_has_lived_breaks_for_the_first_time_though_nothing_happened_in_it():
    async with reflecting(*[stream(end="abort")] * 6, clock=Elapsing()) as run:
        assert len(run.clock.pauses) == 6
        assert max(run.clock.pauses) <= 0.5


async def test_a_refresh_tells_what_was_missed_and_watches_on_from_there():
    lists = [pods(10, pod("a", 1), pod("b", 2)), pods(20, pod("a", 15), pod("c", 12))]
    async with reflecting(lists=lists) as run:
        await run.reflector.refresh(5.0)
        await run.server.watched(2)
        await run.reflector.refresh(5.0)
        await run.server.watched(3)
        assert run.relevant[:3] == ["DELETED:b", "MODIFIED:a", "ADDED:c"]
        assert set(run.relevant[3:]) <= {"SYNC"}
        assert run.server.watched_from == ["10", "20", "20"]
        assert run.clock.pauses == []


async def test_a_refresh_that_fails_changes_nothing_and_says_so():
    lists = [pods(10, pod("a", 1)), Answer(status=503, body=b""), pods(20, pod("a", 15))]
    async with reflecting(lists=lists) as run:
        with pytest.raises(Unreachable):
            await run.reflector.refresh(5.0)
        assert run.relevant == []
        assert run.server.watched_from == ["10"]


async def test_a_list_that_takes_long_after_an_expiry_makes_stale():
    expired = json.dumps({"type": "ERROR", "object": status(410, "Expired")}).encode() + b"\n"
    lists = [pods(10, pod("a", 1)), Answer(end="silent"), pods(20, pod("a", 15))]
    tuning = ReflectorOptions(idle=30.0, relist=0.2)
    async with reflecting(
        stream(event("MODIFIED", pod("a", 11)), expired), lists=lists, tuning=tuning
    ) as run:
        assert run.relevant == ["MODIFIED:a", "STALE", "MODIFIED:a", "SYNC"]
        stale = next(c for c in run.changes if c.type == "STALE")
        assert "did not answer within 0.2 s (list pods)" in stale.why


async def test_refused_credentials_are_read_anew_once_and_then_back_off():
    async with reflecting(*[refused(401, "Unauthorized")] * 4) as run:
        assert len(run.clock.pauses) == 2, "two tries, each with a renewal in between"
        assert run.told[-1] == "SYNC"


@pytest.mark.parametrize("where", ["event", "status"])
async def test_an_expired_version_lists_again_and_tells_what_vanished(where: str):
    gone = status(410, "Expired", "too old resource version")
    expired = stream(event("ERROR", gone)) if where == "event" else Answer(status=410, body=gone)
    lists = [pods(10, pod("a", 1), pod("b", 2)), pods(30, pod("b", 20), pod("c", 21))]
    async with reflecting(expired, lists=lists) as run:
        assert run.told[-4:] == ["DELETED:a", "MODIFIED:b", "ADDED:c", "SYNC"]
        assert run.server.watched_from[-1] == "30"
        assert run.server.listed == 2


async def test_a_version_that_expires_for_ever_does_not_spin():
    async with reflecting(*[refused(410, "Expired")] * 8) as run:
        assert len(run.clock.pauses) == 8
        assert run.server.listed == 9


async def test_an_aborted_connection_resumes_after_the_last_event():
    async with reflecting(stream(event("MODIFIED", pod("a", 11)), end="abort")) as run:
        assert run.relevant == ["MODIFIED:a", "STALE", "SYNC"]
        assert run.server.watched_from == ["10", "11"]
        assert run.server.listed == 1


async def test_half_a_line_is_dropped_and_told_again_by_the_server():
    cut = stream(event("MODIFIED", pod("a", 12)), b'{"type":"MODIFIED","obj')
    async with reflecting(cut, stream(event("MODIFIED", pod("b", 13)))) as run:
        assert run.relevant == ["MODIFIED:a", "MODIFIED:b"]
        assert run.server.watched_from == ["10", "12", "13"]


async def test_an_event_may_come_in_pieces():
    whole = event("MODIFIED", pod("a", 11))
    async with reflecting(stream(whole[:20], whole[20:])) as run:
        assert run.relevant == ["MODIFIED:a"]


async def test_a_bookmark_moves_the_version_on_and_tells_nothing():
    mark = {"kind": "Pod", "metadata": {"resourceVersion": "99"}}
    async with reflecting(stream(event("BOOKMARK", mark))) as run:
        assert run.relevant == []
        assert run.server.watched_from == ["10", "99"]


async def test_a_silent_watch_is_stale_and_opened_anew_without_a_list_or_a_pause():
    async with reflecting(HANG, tuning=ReflectorOptions(idle=0.05)) as run:
        await run.server.watched(3)
        assert set(run.server.watched_from) == {"10"}
        assert run.server.listed == 1
        assert run.clock.pauses == []
        assert run.told[:5] == ["ADDED:a", "ADDED:b", "SYNC", "STALE", "SYNC"]
        assert "was silent for" in run.changes[3].why


async def test_whoever_doubts_a_watch_has_it_opened_anew_at_once():
    async with reflecting(HANG) as run:
        run.clock.seconds += 16
        assert run.reflector.silent == 16
        run.reflector.doubt()
        await run.server.watched(2)
        assert "was silent for 16 s" in next(c.why for c in run.changes if c.type == "STALE")


async def test_a_watch_that_ends_in_time_was_no_silence_and_nothing_is_stale():
    """Short watches make the server speak: the end of one and the beginning of the next are words of it."""
    async with reflecting(
        stream(event("MODIFIED", pod("a", 11))), stream(event("MODIFIED", pod("b", 12)))
    ) as run:
        assert run.relevant == ["MODIFIED:a", "MODIFIED:b"]
        assert run.server.listed == 1


@pytest.mark.parametrize(
    "line",
    [b"no json\n", b'{"type": "MODIFIED"}\n', b"[1]\n", event("MODIFIED", {"metadata": {"name": "a"}})],
)
async def test_a_line_that_cannot_be_read_is_healed_by_a_list(line: bytes):
    lists = [pods(10, pod("a", 1)), pods(20, pod("a", 15))]
    async with reflecting(stream(line), lists=lists) as run:
        assert run.relevant == ["STALE", "MODIFIED:a", "SYNC"]


async def test_a_line_without_an_end_does_not_fill_the_memory():
    big = b"x" * (1 << 20)
    chunks = stream(*[big] * (MAX_LINE // len(big) + 1))
    async with reflecting(chunks, lists=[pods(10, pod("a", 1)), pods(20, pod("a", 1))]) as run:
        assert run.server.listed == 2
        assert run.server.watched_from[-1] == "20"


async def test_a_pod_made_anew_under_its_name_is_another_pod():
    lists = [pods(10, pod("a", 1, uid="old")), pods(20, pod("a", 15, uid="new"))]
    async with reflecting(refused(410, "Expired"), lists=lists) as run:
        assert run.told == ["ADDED:a", "STALE", "DELETED:a", "ADDED:a", "SYNC"]


async def test_a_missing_right_is_raised_to_the_caller():
    message = 'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "ns"'
    with pytest.raises(Rejected, match=r"the bot may not list pods in namespace ns; .* app-manifest myapp"):
        async with reflecting(lists=[refused(403, "Forbidden", message)]):
            pass


async def test_it_is_not_in_sync_before_its_watch_is_open():
    async with reflecting(Answer(status=500, body=b"")) as run:
        assert run.told == ["ADDED:a", "ADDED:b", "STALE", "SYNC"]


async def test_what_is_told_stale_says_why():
    async with reflecting(Answer(status=503, body=status(503, "ServiceUnavailable", "etcd is away"))) as run:
        stale = next(c for c in run.changes if c.type == "STALE")
        assert "etcd is away" in stale.why
