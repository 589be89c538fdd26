"""A network that does not do what was wanted: each is a sentence with what to do now, and status 1."""

import asyncio
import http.server
import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from importlib import metadata

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.cli import client
from bot.cli.main import main
from bot.cli.network_problems import unreachable, version_hint
from tests.bot.api.serving import serving

NOW = datetime.now(UTC)


def certificate(folder, *, address="127.0.0.1", begins=NOW - timedelta(days=2), ends=NOW + timedelta(days=2)):
    """A certificate that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "tls.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


class Proxy(http.server.BaseHTTPRequestHandler):
    """Who stands between, and has no bot behind it."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(502)
        self.end_headers()
        self.wfile.write(b"<html>Bad Gateway</html>")

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as made:
        made.handle_error = lambda *_: None
        serving = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield made
        made.shutdown()
        serving.join()


def with_tls(proxy, file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    proxy.socket = context.wrap_socket(proxy.socket, server_side=True)


def said(monkeypatch, capsys, url):
    monkeypatch.setenv("RACK_URL", url)
    assert main(["do", "apps"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "t0ken" not in err
    sentence, hint = err.splitlines()
    return sentence, hint


@pytest.mark.parametrize(
    ("made", "trusted", "sentence", "hint"),
    [
        ({}, False, "is not taken: self-signed certificate", "SSL_CERT_FILE names a file with the authority"),
        ({"ends": NOW - timedelta(days=1)}, True, "is not taken: certificate has expired", "is the clock of this machine right? It says 20"),
        ({"begins": NOW + timedelta(days=1)}, True, "is not taken: certificate is not yet valid", "is the clock of this machine right? It says 20"),
        ({"address": "127.0.0.9"}, True, "is not taken: IP address mismatch", "RACK_URL has to name the host as the certificate does"),
        ({}, True, "answers HTTP 502, but not as a convox-bot: what stands between has no bot", "it may have been carried out: look before you repeat it"),
    ],
)  # fmt: skip
def test_a_certificate_that_is_not_taken_says_why(
    proxy, tmp_path, monkeypatch, capsys, made, trusted, sentence, hint
):
    file = certificate(tmp_path, **made)
    with_tls(proxy, file)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    told, advice = said(monkeypatch, capsys, f"https://convox:t0ken@127.0.0.1:{proxy.server_port}")
    assert sentence in told
    assert advice.startswith(hint)


def test_a_port_without_tls_says_so(proxy, monkeypatch, capsys):
    told, hint = said(monkeypatch, capsys, f"https://convox:t0ken@127.0.0.1:{proxy.server_port}")
    assert "speaks no TLS that works" in told
    assert hint.startswith("is that the port for https?")


def test_a_proxy_without_a_bot_behind_it_is_told_from_a_wrong_address(proxy, monkeypatch, capsys):
    told, hint = said(monkeypatch, capsys, f"http://convox:t0ken@127.0.0.1:{proxy.server_port}")
    assert told.endswith("what stands between has no bot behind it just now")
    assert hint.startswith("it may have been carried out")


def test_nobody_there_and_a_host_that_nobody_knows(monkeypatch, capsys, unused_tcp_port):
    told, hint = said(monkeypatch, capsys, f"http://convox:t0ken@127.0.0.1:{unused_tcp_port}")
    assert told.endswith("cannot be reached: Connection refused")
    assert hint == "is `convox-bot serve` running, and does RACK_URL name its API_PORT?"

    problem = unreachable("nowhere.example", socket.gaierror(-2, "Name or service not known"))
    assert (problem.sentence, problem.lasting) == (
        "nowhere.example cannot be reached: Name or service not known",
        False,
    )
    assert problem.hint.startswith("is the host of RACK_URL right")
    assert unreachable("x", TimeoutError()).sentence == "x cannot be reached: TimeoutError"
    cut = unreachable("x", ssl.SSLEOFError())
    assert (cut.sentence, cut.lasting) == ("x speaks no TLS that works: it broke off", False)


@pytest.fixture
async def api(tmp_path, monkeypatch):
    async with serving(tmp_path) as made:
        monkeypatch.setenv("RACK_URL", made.url)
        yield made


async def test_who_is_not_understood_by_another_version_is_told(api, monkeypatch, capsys):
    monkeypatch.setattr("bot.api.authentication.version", lambda: "9.9.9")
    assert await asyncio.to_thread(main, ["do", "nonsense"]) == 1
    assert "the rack runs convox-bot 9.9.9 and this is " in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["do", "apps"]) == 0
    assert "9.9.9" not in capsys.readouterr().err


async def test_which_version_it_is_learns_only_who_has_a_token(api):
    assert client.VERSION_HEADER in (await api.get("/openapi.json")).headers
    for path in ("/openapi.json", "/healthz"):
        assert client.VERSION_HEADER not in (await api.client.get(path)).headers


async def test_a_program_that_is_not_installed_compares_nothing(api, monkeypatch, capsys):
    def nowhere(_):
        raise metadata.PackageNotFoundError

    monkeypatch.setattr("importlib.metadata.version", nowhere)
    assert await asyncio.to_thread(main, ["do", "nonsense"]) == 1
    assert "the rack runs" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("theirs", "ours"), [(None, "1"), ("", "1"), ("1", "1"), ("unknown", "1"), ("1", "unknown")]
)
def test_versions_that_say_nothing_are_not_told(theirs, ours):
    assert version_hint(theirs, ours) == ""
