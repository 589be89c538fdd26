"""The script that fetches a source, run by a real shell with real clients, from a bot on loopback that is away for as long as a test says."""

import io
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.cluster.builds.script import FETCH, PAUSES

AWAY = 0  # no answer: the connection ends
PAUSE = [int(each) for each in PAUSES.split()]
SHORT = len([each for each in PAUSE if 0 < each < 60]) + 1  # tries of the first minute


@dataclass
class Bot:
    """What answers: the statuses in turn, the last one for ever."""

    answers: list[int]
    url: str = ""
    shown: list[str] = field(default_factory=list)


def archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"FROM"))
    return packed.getvalue()


@pytest.fixture
def bot() -> Iterator[Bot]:
    made = Bot([200])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.shown.append(self.headers.get("Authorization", ""))
            status = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            if status == AWAY:
                return
            content = archive() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetched(place: Path, bot: Bot) -> tuple[int, str, list[int]]:
    """Return how the script ended, its message for a kubelet, and for how many seconds it waited between its tries."""
    programs, told, slept = place / "bin", place / "told", place / "slept"
    for each in (place / "tmp", place / "source", programs):
        each.mkdir(exist_ok=True)
    (programs / "sleep").write_text(f"#!/bin/sh\necho $1 >>{slept}\n")
    (programs / "sleep").chmod(0o755)
    busybox = shutil.which("busybox")
    if busybox:  # as in the image of BuildKit
        (programs / "wget").symlink_to(busybox)
    script = (
        FETCH.replace("/tmp/", f"{place}/tmp/")
        .replace("-C /source", f"-C {place}/source")
        .replace("/dev/termination-log", str(told))
    )
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "SOURCE_URL": f"{bot.url}/source",
        "SOURCE_TOKEN": "0",
    }
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, check=False)
    pauses = [int(each) for each in slept.read_text().split()] if slept.exists() else []
    return done.returncode, told.read_text() if told.exists() else "", pauses


BUSYBOX = pytest.mark.skipif(not shutil.which("busybox"), reason="no busybox")


@BUSYBOX
def test_a_bot_whose_node_is_lost_is_waited_for_until_another_has_it(tmp_path: Path, bot: Bot):
    bot.answers = [*[AWAY] * 10, 503, 503, 200]
    code, told, pauses = fetched(tmp_path, bot)
    assert (code, told) == (0, "")
    assert sum(pauses) >= 7 * 60, "what a lost node costs, as deploy/README.md says"
    assert (tmp_path / "source" / "Dockerfile").read_text() == "FROM"
    assert set(bot.shown) == {"Bearer 0"}


def test_one_that_never_comes_is_given_up_and_named(tmp_path: Path, bot: Bot):
    bot.answers = [503]
    code, told, pauses = fetched(tmp_path, bot)
    assert (code, told) == (1, f"the source could not be fetched from {bot.url}/source\n")
    assert pauses == PAUSE


@BUSYBOX
@pytest.mark.parametrize("status", [401, 404])
def test_a_refusal_is_believed_after_a_minute(tmp_path: Path, bot: Bot, status: int):
    """A proxy may say so of a bot that is away for a moment."""
    bot.answers = [status]
    code, _, pauses = fetched(tmp_path, bot)
    assert (code, len(pauses)) == (1, SHORT - 1)


@BUSYBOX
@pytest.mark.parametrize("status", [408, 429])
def test_what_will_be_otherwise_is_no_refusal(tmp_path: Path, bot: Bot, status: int):
    bot.answers = [*[status] * (SHORT + 3), 200]
    assert fetched(tmp_path, bot)[0] == 0
