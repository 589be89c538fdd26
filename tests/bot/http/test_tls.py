"""TLS by files: who asks is answered by https, a certificate is renewed without a restart, and strangers are bounded before they have agreed on it."""

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.client import RackClient
from bot.cli.rack_url import CliError, RackUrl
from bot.http.certificate import CertificateError, CertificateFiles, WatchedCertificate, read_certificate
from bot.settings import SettingsError, read_settings
from bot.tls_settings import TlsSettings
from bot.wiring.tls import served_certificate
from tests.bot.http.certificates import NOW, PrivateCa
from tests.bot.http.port import GET, HOST, Client, Port, opened
from tests.fakes import JumpingClock


@pytest.fixture
def ca(tmp_path: Path) -> PrivateCa:
    return PrivateCa(tmp_path)


def trusting(ca: PrivateCa) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca.file)


async def connected(port: Port, ca: PrivateCa) -> Client:
    reader, writer = await asyncio.open_connection(HOST, port.number, ssl=trusting(ca))
    return Client(reader, writer)


def serial(client: Client) -> str:
    return client.writer.get_extra_info("peercert")["serialNumber"]


async def test_who_trusts_the_ca_is_answered_in_https_and_nobody_in_the_clear(ca, caplog):
    served = WatchedCertificate(ca.pair())
    async with opened(served.context) as port:
        async with await connected(port, ca) as client:
            await client.send(GET)
            assert (await client.reply()).status == 200
            await client.send(GET)
            assert (await client.reply()).status == 200
        async with await port.connect(GET) as plain:
            assert await plain.rest() == b""
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(HOST, port.number, ssl=ssl.create_default_context())
    assert port.asked == ["/ok", "/ok"]
    assert "sent cannot be read as TLS: SSLError" in caplog.text


async def test_a_whole_answer_comes_through_however_slowly_it_is_read(ca):
    async with opened(WatchedCertificate(ca.pair()).context) as port, await connected(port, ca) as client:
        await client.send(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(0.05)
        assert len(await client.rest()) > 64 << 16


async def test_a_new_certificate_is_shown_to_new_connections_and_the_old_ones_go_on(ca):
    served = WatchedCertificate(ca.pair())
    async with opened(served.context) as port, await connected(port, ca) as before:
        first = serial(before)
        assert not served.look()
        ca.pair()
        assert served.look()
        assert not served.look()
        async with await connected(port, ca) as after:
            assert serial(after) != first
            await after.send(GET)
            assert (await after.reply()).status == 200
        await before.send(GET)
        assert (await before.reply()).status == 200


async def test_half_of_a_new_pair_is_not_shown_and_is_said_once(ca, caplog):
    caplog.set_level(logging.INFO)
    clock, files = JumpingClock(), ca.pair()
    served = WatchedCertificate(files)
    async with opened(served.context) as port:
        async with await connected(port, ca) as client:
            first = serial(client)
        whole = files.key.read_bytes()
        ca.pair()
        renewed = files.key.read_bytes()
        files.key.write_bytes(whole)  # nobody looks yet
        keeping = asyncio.create_task(served.keep(clock))
        await seen(lambda: "the one before is shown on" in caplog.text)
        async with await connected(port, ca) as client:
            assert serial(client) == first
        # As whoever mounts a Secret exchanges it: at once.
        files.key.with_name("new").write_bytes(renewed)
        files.key.with_name("new").rename(files.key)
        await seen(lambda: "was read anew" in caplog.text)
        async with await connected(port, ca) as client:
            assert serial(client) != first
        keeping.cancel()
    assert caplog.text.count("the one before is shown on") == 1
    assert "is not that of the certificate" in caplog.text


async def seen(true) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_a_new_one_that_can_be_read_only_later_is_shown_then(ca, monkeypatch):
    files = ca.pair()
    served = WatchedCertificate(files)
    ca.pair()
    with monkeypatch.context() as patch:
        patch.setattr("bot.http.certificate._read", refuse)
        with pytest.raises(CertificateError, match="Permission denied"):
            served.look()
        assert not served.look(), "it was said"
    assert served.look(), "neither its time nor its size has changed since"


def refuse(path):
    raise CertificateError(f"{path} cannot be read: Permission denied")


async def test_files_that_go_away_and_come_back_as_they_were_change_nothing(ca):
    files = ca.pair()
    served = WatchedCertificate(files)
    aside = files.key.rename(files.key.with_name("aside"))
    with pytest.raises(CertificateError, match="tls.key cannot be read: No such file"):
        served.look()
    aside.rename(files.key)
    assert not served.look()


async def test_a_request_that_comes_with_the_end_of_the_handshake_is_answered(ca):
    """TLS 1.3 lets a client send both in one packet, and the handshake is over before anybody has heard of it."""
    async with opened(WatchedCertificate(ca.pair()).context) as port:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting(ca).wrap_bio(incoming, outgoing, server_hostname="localhost")
        reader, writer = await asyncio.open_connection(HOST, port.number)

        async def until_done(step):
            while True:
                with suppress(ssl.SSLWantReadError):
                    return step()
                writer.write(outgoing.read())
                incoming.write(await reader.read(1 << 16))

        async with asyncio.timeout(30):
            await until_done(tls.do_handshake)
            tls.write(GET)
            writer.write(outgoing.read())
            assert (await until_done(lambda: tls.read(1 << 16))).startswith(b"HTTP/1.1 200 ")
        writer.transport.abort()


async def test_whoever_never_says_a_word_is_let_go(ca):
    async with opened(WatchedCertificate(ca.pair()).context, header_seconds=0.05) as port:
        async with await port.connect() as client:
            assert await client.rest() == b""
        async with await connected(port, ca) as client:
            assert await asyncio.wait_for(client.rest(), 30)  # 408, in TLS


async def test_those_who_agree_on_nothing_give_way_to_whoever_asks(ca):
    async with opened(WatchedCertificate(ca.pair()).context, connections=4) as port:
        silent = [await port.connect() for _ in range(12)]
        async with await connected(port, ca) as client:
            await client.send(GET)
            assert (await client.reply()).status == 200
        gone = [asyncio.create_task(each.rest()) for each in silent]
        await seen(lambda: sum(each.done() for each in gone) >= 8)
        for each in silent:
            await each.close()
        await asyncio.gather(*gone)


async def test_beyond_the_last_connection_that_is_being_answered_nobody_is_told_in_the_clear(ca):
    tls = WatchedCertificate(ca.pair()).context
    async with opened(tls, connections=1) as port, await connected(port, ca) as client:
        await client.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await seen(lambda: port.asked == ["wait"])
        async with await port.connect() as other:
            assert await other.rest() == b""
        port.go.set()
        assert (await client.reply()).status == 200


async def test_a_connection_that_is_reset_in_the_handshake_leaves_nothing(ca, caplog):
    async with opened(WatchedCertificate(ca.pair()).context, connections=2) as port:
        for _ in range(5):
            with socket.create_connection((HOST, port.number)) as made:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                made.send(b"\x16\x03\x01")
            await asyncio.sleep(0)
        async with await connected(port, ca) as client:
            await client.send(GET)
            assert (await client.reply()).status == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def bad(ca: PrivateCa, what: str) -> CertificateFiles:
    files = ca.pair(passphrase=b"secret" if what == "passphrase" else b"")
    match what:
        case "missing":
            files.certificate.unlink()
        case "folder":
            files.key.unlink()
            files.key.mkdir()
        case "text":
            files.certificate.write_text("no PEM")
        case "swapped":
            files.key.write_bytes(files.certificate.read_bytes())
        case "another":
            kept = files.certificate.read_bytes()
            ca.pair()
            files.certificate.write_bytes(kept)
        case _:
            assert what == "passphrase"
    return files


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("missing", "tls.crt cannot be read: No such file or directory"),
        ("folder", "tls.key cannot be read: Is a directory"),
        ("text", "tls.crt holds no certificate in PEM"),
        ("swapped", "tls.key holds no private key in PEM"),
        ("passphrase", "tls.key has a passphrase: store it without one"),
        ("another", "is not that of the certificate in"),
    ],
)
def test_what_cannot_be_used_is_told_at_the_start(ca, what: str, sentence: str):
    files = bad(ca, what)
    with pytest.raises(CertificateError, match=sentence):
        read_certificate(files)
    given = {"CONVOX_TLS_CERT": str(files.certificate), "CONVOX_TLS_KEY": str(files.key)}
    with pytest.raises(
        SettingsError, match=f"CONVOX_TLS_CERT and CONVOX_TLS_KEY cannot be used: .*{sentence}"
    ):
        served_certificate(read_settings(TlsSettings, given, dotenv=None))


def test_one_that_has_ended_is_shown_on_and_complained_of(ca, caplog):
    served = WatchedCertificate(ca.pair(begins=NOW - timedelta(days=90), ends=NOW - timedelta(days=1)))
    served.complain(NOW)
    assert "nobody takes the certificate in" in caplog.text
    assert "it has ended at" in caplog.text
    assert "holds only from" in WatchedCertificate(ca.pair(begins=NOW + timedelta(days=1))).facts.why_not(NOW)
    caplog.clear()
    WatchedCertificate(ca.pair()).complain(NOW)
    assert not caplog.text


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"CONVOX_TLS_CERT": "a"}, "are set together, or neither"),
        ({"CONVOX_TLS_KEY": "a"}, "are set together, or neither"),
    ],
)
def test_half_a_pair_is_no_setting(given, problem: str):
    with pytest.raises(SettingsError, match=problem):
        read_settings(TlsSettings, given, dotenv=None)


def test_without_a_certificate_the_ports_speak_http():
    assert served_certificate(read_settings(TlsSettings, {}, dotenv=None)) is None


async def test_the_client_believes_a_private_ca_that_its_environment_names(ca, monkeypatch):
    async with opened(WatchedCertificate(ca.pair()).context) as port:

        def get():
            client = RackClient(
                RackUrl.read(f"https://convox:token@localhost:{port.number}"), pause=lambda _: None
            )
            return list(client.stream("/ok"))

        with pytest.raises(CliError, match="is not taken: unable to get local issuer"):
            await asyncio.to_thread(get)
        monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
        assert await asyncio.to_thread(get) == ["ok"]
