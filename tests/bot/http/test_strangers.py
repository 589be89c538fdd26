"""What strangers do to a port: each is answered in one sentence or let go, and nobody else has to wait for it."""

import asyncio
import logging
import random
import socket

import pytest

from bot.http import connection
from bot.http.bodies import BODIES
from bot.http.connection import HttpConnection
from tests.bot.http.port import GET, HALF, HOST, opened, posting, reply_of

SECRET = "c2VjcmV0LXRva2VuCg"


async def until(true) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_half_a_request_is_told_so_and_let_go():
    async with opened(header_seconds=0.05) as port, await port.connect(HALF) as client:
        reply = reply_of(await client.rest())

    assert reply.status == 408
    assert reply.error == "no whole request came within 0.05 seconds"


async def test_a_byte_now_and_then_buys_no_time():
    async with opened(header_seconds=0.1) as port, await port.connect() as client:
        ended = asyncio.create_task(client.rest())
        for byte in HALF * 100:
            await client.send(bytes([byte]))
            await asyncio.sleep(0.01)
            if ended.done():
                break
        assert reply_of(await ended).status == 408


async def test_a_connection_is_kept_between_requests_and_has_its_time_for_each():
    async with opened(header_seconds=0.1, idle_seconds=30.0) as port, await port.connect(GET) as client:
        assert (await client.reply()).status == 200
        await asyncio.sleep(0.3)  # longer than headers may take
        await client.send(GET)
        assert (await client.reply()).status == 200
        await client.send(HALF)
        assert reply_of(await client.rest()).status == 408


async def test_a_connection_between_two_requests_is_let_go_without_a_word():
    async with opened(idle_seconds=0.05) as port, await port.connect(GET) as client:
        assert (await client.reply()).status == 200
        assert await client.rest() == b""


async def test_who_waits_longest_without_a_whole_request_gives_way_and_everybody_else_is_served(
    caplog: pytest.LogCaptureFixture,
):
    """1,136 half requests used to stop everything and to write 70 MB of log."""
    async with opened(connections=20, header_seconds=60.0) as port:
        with caplog.at_level(logging.DEBUG):
            halves = [await port.connect(HALF) for _ in range(300)]
            replies = [reply_of(await half.rest()) for half in halves[:280]]
            assert (await port.ask(GET)).status == 200
        for half in halves:
            await half.close()

    assert {(reply.status, reply.headers["retry-after"]) for reply in replies} == {(503, "2")}
    assert {reply.error for reply in replies} == {"too many wait here; try again in a moment"}
    assert 1 <= len(caplog.records) < 20
    assert "20 connections are open, the limit of this port" in caplog.text
    assert SECRET not in caplog.text


async def test_a_connection_between_two_requests_stays_while_halves_give_way():
    async with opened(connections=3, header_seconds=60.0) as port, await port.connect(GET) as kept:
        assert (await kept.reply()).status == 200
        halves = [await port.connect(HALF) for _ in range(10)]
        assert (await port.ask(GET)).status == 200
        await kept.send(GET)
        assert (await kept.reply()).status == 200
        for half in halves:
            await half.close()


async def test_where_only_kept_connections_are_open_the_oldest_gives_way():
    async with opened(connections=2) as port:
        kept = [await port.connect(GET) for _ in range(2)]
        assert [(await client.reply()).status for client in kept] == [200, 200]
        assert (await port.ask(GET)).status == 200
        assert await kept[0].rest() == b""
        for client in kept:
            await client.close()


async def test_where_everybody_is_being_answered_the_next_is_told_when_to_come_back():
    async with opened(connections=2, closing_seconds=30.0) as port:
        busy = [await port.connect(GET.replace(b"/ok", b"/wait")) for _ in range(2)]
        await until(lambda: len(port.asked) == 2)
        async with await port.connect(GET) as client:
            refused = reply_of(await client.rest())
        crowd = [await port.connect(GET) for _ in range(20)]
        port.go.set()
        assert [(await client.reply()).body for client in busy] == [b"done\n", b"done\n"]
        for client in [*busy, *crowd]:
            await client.close()
        await asyncio.sleep(0)
        assert (await port.ask(GET)).status == 200

    assert (refused.status, refused.headers["retry-after"]) == (503, "2")
    assert refused.error == "too many are connected; try again in a moment"
    assert port.asked == ["wait", "wait", "/ok"]


async def test_who_was_turned_away_is_not_carried_out(monkeypatch: pytest.MonkeyPatch):
    """A whole request can be here, and not yet begun, in the moment in which its sender has to give way."""
    begin = HttpConnection.begin

    def too_late(connection: HttpConnection) -> None:
        connection.give_way()
        begin(connection)

    monkeypatch.setattr(HttpConnection, "begin", too_late)
    async with opened() as port, await port.connect(GET) as client:
        assert reply_of(await client.rest()).status == 503
    assert port.asked == []


async def test_headers_together_take_no_more_than_their_share():
    async with opened(header_bytes=50_000, header_seconds=60.0) as port:
        line = b"X-Filler: " + b"x" * 4_000 + b"\r\n"
        greedy = await port.connect(b"GET /ok HTTP/1.1\r\nHost: x\r\n" + line * 8)
        modest = await port.connect(HALF)
        more = await port.connect(b"GET /ok HTTP/1.1\r\nHost: x\r\n" + line * 6)
        assert reply_of(await greedy.rest()).status == 503
        await modest.send(b"\r\n\r\n")
        await more.send(b"\r\n")
        assert [(await modest.reply()).status, (await more.reply()).status] == [200, 200]
        for client in (greedy, modest, more):
            await client.close()


async def test_bodies_that_do_not_end_take_no_more_than_their_share_and_small_ones_pass():
    """600 of them used to take 820 MB."""
    async with opened(bodies_bytes=1_000_000) as port:
        greedy = [await port.connect(posting(1_000_000, b"x" * 100_000)) for _ in range(40)]
        assert (await port.ask(posting(5, b"small"))).body == b"5\n"
        refused = await asyncio.gather(*(c.reply() for c in greedy[:25]), return_exceptions=True)
        assert port.app[BODIES].total <= 1_000_000
        for client in greedy:
            await client.close()
        await until(lambda: port.app[BODIES].total == 0)

    statuses = [reply.status for reply in refused if not isinstance(reply, BaseException)]
    assert statuses.count(503) >= 20
    assert {reply.error for reply in refused if not isinstance(reply, BaseException)} == {
        "more is being sent to this port than it takes at once"
    }


async def test_one_body_that_alone_is_too_much_for_all_is_told_so():
    async with opened(bodies_bytes=1_000) as port:
        assert (await port.ask(posting(2_000, b"x" * 2_000))).status == 503


async def test_a_body_that_does_not_come_is_waited_for_as_long_as_was_said():
    async with opened(body_seconds=0.05) as port:
        reply = await port.ask(posting(100, b"some"))

    assert (reply.status, reply.error) == (408, "the body did not come within 0.05 seconds")


@pytest.mark.parametrize(
    "request_bytes",
    [
        posting(5_000_000),
        b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"10000\r\n" + b"x" * 65536 + b"\r\n",
    ],
    ids=["announced", "found out"],
)
async def test_more_than_is_taken_is_not_read(request_bytes: bytes):
    async with opened(body_bytes=1_000) as port:
        reply = await port.ask(request_bytes)

    assert (reply.status, reply.error) == (413, "the body is larger than 0 MiB")


async def test_who_asks_before_sending_is_invited_when_the_body_is_wanted():
    expecting = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    async with opened() as port, await port.connect(expecting) as client:
        assert (await client.reply()).status == 100
        await client.send(b"body")
        assert (await client.reply()).body == b"4\n"


async def test_an_expectation_that_nobody_knows_is_refused_in_a_sentence():
    async with opened() as port:
        reply = await port.ask(b"GET /ok HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n")

    assert (reply.status, reply.error) == (417, "Expectation Failed")


async def test_who_does_not_read_an_answer_is_let_go():
    async with (
        opened(reader_seconds=0.1) as port,
        await port.connect(GET.replace(b"/ok", b"/large")) as client,
    ):
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: port.over == ["large"])


async def test_who_reads_slowly_but_steadily_gets_all_of_it():
    async with (
        opened(reader_seconds=30.0) as port,
        await port.connect(GET.replace(b"/ok", b"/large")) as client,
    ):
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        raw = b""
        while not raw.endswith(b"0\r\n\r\n"):
            raw += await client.reader.read(1 << 16)
    assert raw.count(b"x") == 64 << 16


async def test_an_answer_that_nobody_fetches_does_not_outlive_its_connection(monkeypatch: pytest.MonkeyPatch):
    """It fits into the buffers, so nobody waits for it to be read; what is left of it would be kept for ever."""
    lost = []
    was_lost = HttpConnection.connection_lost

    def noted(connection: HttpConnection, error: BaseException | None) -> None:
        lost.append(error)
        was_lost(connection, error)

    monkeypatch.setattr(HttpConnection, "connection_lost", noted)
    async with opened(idle_seconds=0.05, closing_seconds=0.1) as port:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, (HOST, port.number))
            await loop.sock_sendall(client, GET.replace(b"/ok", b"/middle"))
            await until(lambda: lost)


async def test_where_no_file_is_left_it_is_said_now_and_then(caplog: pytest.LogCaptureFixture):
    """asyncio says it a hundred times a second, each time with a traceback."""
    async with opened():
        for _ in range(200):
            logging.getLogger("asyncio").error(
                "socket.accept() out of system resource\nsocket: …", exc_info=OSError(24)
            )
        logging.getLogger("asyncio").error("something else")

    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == ["no connection can be accepted: this process may open no more files"] * 10 + [
        "something else"
    ]


MARK = b"hunter2-hunter2"
MALFORMED = {
    "no HTTP": MARK + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + MARK + b"\r\n\r\n",
    "a header without colon": b"GET /ok HTTP/1.1\r\n" + MARK + b"\r\n\r\n",
    "a control character": b"GET /ok HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \x00" + MARK + b"\r\n\r\n",
    "a long header": b"GET /ok HTTP/1.1\r\nAuthorization: " + MARK * 2_000 + b"\r\n\r\n",
    "many headers": b"GET /ok HTTP/1.1\r\n"
    + b"".join(b"X-%d: %s\r\n" % (n, MARK) for n in range(200))
    + b"\r\n",
    "a long address": b"GET /" + MARK * 2_000 + b" HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /body HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nX: "
    + MARK
    + b"\r\n\r\n",
    "length and chunks": b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nX: "
    + MARK
    + b"\r\n\r\n",
    "no number": b"POST /body HTTP/1.1\r\nContent-Length: " + MARK + b"\r\n\r\n",
    "a version": b"GET /ok HTTP/9.9\r\nX: " + MARK + b"\r\n\r\n",
    "an address that is none": b"GET http://[" + MARK + b"/ HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_http_is_a_sentence_and_one_line_of_the_log_without_what_was_sent(
    sent: bytes, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.DEBUG):
        async with opened() as port, await port.connect(sent) as client:
            reply = reply_of(await client.rest())

    assert (reply.status, reply.error) == (400, "this cannot be read as an HTTP request")
    (line,) = [record for record in caplog.records if record.name != "asyncio"]
    assert line.getMessage().startswith("what 127.0.0.1 sent cannot be read as HTTP: ")
    assert len(caplog.text) < 300
    assert "hunter2" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_token_as_long_as_those_of_a_ci_is_taken_and_a_longer_one_told_so(
    caplog: pytest.LogCaptureFixture,
):
    """GitLab names up to 200 groups in one, which base64 makes longer twice: with aiohttp's own bound a job was told nothing."""

    def asked(length: int) -> bytes:
        return b"GET /ok HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + MARK + b"x" * length + b"\r\n\r\n"

    with caplog.at_level(logging.DEBUG):
        async with opened() as port, await port.connect(asked(24_000)) as client:
            assert (await client.reply()).status == 200
        async with opened() as port, await port.connect(asked(connection.LONGEST_LINE)) as client:
            reply = reply_of(await client.rest())

    assert (reply.status, reply.error) == (431, "a header of this request is longer than 32,768 bytes")
    assert "let the job ask for one with fewer claims" in reply.body.decode()
    assert "hunter2" not in caplog.text


async def test_a_body_that_breaks_off_its_chunks_is_a_sentence(caplog: pytest.LogCaptureFixture):
    broken = b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz" + MARK + b"\r\n"
    with caplog.at_level(logging.DEBUG):
        async with opened() as port, await port.connect(broken) as client:
            reply = await client.reply()

    assert reply.status == 400
    assert "hunter2" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_flood_of_nonsense_is_some_lines_and_their_number(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        async with opened() as port:
            for _ in range(100):
                assert (await port.ask(b"nonsense\r\n\r\n")).status == 400

    assert len([record for record in caplog.records if record.name != "asyncio"]) <= 12


async def test_whatever_is_sent_is_answered_or_let_go_and_never_a_traceback(caplog: pytest.LogCaptureFixture):
    """Requests with some bytes changed, left out, doubled: the seed makes them the same each time."""
    dice = random.Random(7)
    seeds = [
        GET,
        posting(4, b"body"),
        HALF + b"\r\n\r\n",
        MALFORMED["length and chunks"] + b"5\r\nhello\r\n0\r\n\r\n",
    ]
    with caplog.at_level(logging.INFO):
        async with opened(header_seconds=0.2, idle_seconds=0.2, body_seconds=0.1) as port:
            for _ in range(300):
                sent = bytearray(dice.choice(seeds))
                for _ in range(dice.randint(1, 4)):
                    at = dice.randrange(len(sent))
                    sent[at : at + dice.choice([0, 1, 3])] = dice.choice(
                        [
                            b"\x00",
                            b"\r\n",
                            b":",
                            b"\xff",
                            b" ",
                            b"\t",
                            b"%",
                            b"HTTP/1.1",
                            bytes([dice.randrange(256)]),
                        ]
                    )
                async with await port.connect(bytes(sent)) as client:
                    client.writer.write_eof()
                    raw = await client.rest()
                assert raw == b"" or raw.startswith(b"HTTP/1.1 "), sent
            assert (await port.ask(GET)).status == 200

    assert "Traceback" not in caplog.text
