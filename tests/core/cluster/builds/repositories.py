"""Repositories of git on loopback, served by git itself, and the bot that a clone is told to."""

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from core.cluster.builds.clone import CLONE, clone_environment
from core.ports.builds import GitClone
from core.records.git_address import INSECURE

WHO = {
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada Lovelace",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+00:00",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+00:00",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass
class Host:
    """Serves the repositories of a folder by HTTP, `private` ones to whoever has the token; takes what is told."""

    folder: Path
    url: str = ""
    token: str = "the-token"
    told: list[tuple[str, bytes]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    away: int = 0
    elsewhere: str = ""
    old: bool = False

    def repository(self, name: str, files: dict[str, str]) -> str:
        """Make a repository with one commit on main; return its id."""
        at = self.folder / name
        git(at, "init", "-q", "-b", "main", str(at))
        return self.commit(name, files, "first")

    def commit(self, name: str, files: dict[str, str], subject: str) -> str:
        at = self.folder / name
        for path, text in files.items():
            (at / path).parent.mkdir(parents=True, exist_ok=True)
            (at / path).write_text(text)
        git(at, "add", "-A")
        git(at, "commit", "-q", "--allow-empty", "-m", subject)
        return git(at, "rev-parse", "HEAD")


def git(at: Path, *words: str) -> str:
    at.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["git", *words], cwd=at, env=os.environ | WHO, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@contextmanager
def served(folder: Path) -> Iterator[Host]:
    host = Host(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._backend(b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path != "/clone":
                self._backend(body)
            elif host.away:
                host.away -= 1
                self._answer(503, b"")
            else:
                host.told.append((self.headers["Authorization"], body))
                self._answer(200, b"echo built\n")

        def _backend(self, body: bytes) -> None:
            given = self.headers.get("Authorization", "")
            host.shown.append(given)
            if self.path.startswith("/moved") and host.elsewhere:
                self._answer(301, b"", ("Location", host.elsewhere + self.path.removeprefix("/moved")))
                return
            wanted = base64.b64encode(f"x-access-token:{host.token}".encode()).decode()
            if self.path.startswith("/private") and given != f"Basic {wanted}":
                self._answer(401, b"", ("WWW-Authenticate", 'Basic realm="git"'))
                return
            path, _, query = self.path.partition("?")
            variables = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(host.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": "" if host.old else self.headers.get("Git-Protocol", ""),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            }
            done = subprocess.run(
                ["git", "http-backend"], env=variables, input=body, capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
            status = int(fields.pop("Status", "200").split()[0])
            self._answer(status, content, *fields.items())

        def _answer(self, status: int, content: bytes, *fields: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Ran:
    """How the script ended: what it wrote for a kubelet, and what lies where the source goes."""

    code: int
    message: str
    output: str
    source: Path
    script: str


def ran(
    place: Path, host: Host, clone: GitClone, *, token: str = "", wget: str = "wget", bot: str = ""
) -> Ran:
    """Run the script of the first container by a real shell, with a real git, in a folder in place of the container's."""
    own, source, told = place / "tmp", place / "source", place / "told"
    programs = place / "bin"
    for each in (own, source, programs):
        each.mkdir(exist_ok=True)
    (programs / "sleep").write_text("#!/bin/sh\n")
    (programs / "sleep").chmod(0o755)
    if wget == "busybox" and (busybox := shutil.which("busybox")) and not (programs / "wget").exists():
        (programs / "wget").symlink_to(busybox)
    script = (
        CLONE.replace("/tmp", str(own))
        .replace("/source", str(source))
        .replace("/dev/termination-log", str(told))
    )
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "CLONE_URL": f"{bot or host.url}/clone",
            "SOURCE_TOKEN": "0" * 64,
            **clone_environment(clone, INSECURE),
            **({"GIT_USER": "x-access-token", "GIT_TOKEN": token} if token else {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(
        code=done.returncode,
        message=told.read_text() if told.exists() else "",
        output=done.stdout + done.stderr,
        source=source,
        script=(own / "build.sh").read_text() if (own / "build.sh").exists() else "",
    )
