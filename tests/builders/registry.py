"""A real registry on loopback: Debian's `docker-registry`, with or without a login, and what a test asks of it."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.registry import ACCEPT

USER, PASSWORD = "bot", "push-password"
_HASHED = "$2b$04$abcdefghijklmnopqrstuuR2vT3O8vTqFm61bJJAOx.b4W57TY./u"
_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: "{host}"}}
"""
_LOGIN = "auth: {{htpasswd: {{realm: images, path: {folder}/htpasswd}}}}\n"


@dataclass
class Registry:
    """A registry that runs.

    Attributes:
        host: as it stands in front of an image.
    """

    host: str
    session: aiohttp.ClientSession

    async def digest(self, repository: str, tag: str) -> str:
        """Return the digest of what a tag names."""
        async with self._get(f"{repository}/manifests/{tag}") as answer:
            return answer.headers["Docker-Content-Digest"]

    async def manifest(self, repository: str, reference: str) -> Any:
        async with self._get(f"{repository}/manifests/{reference}") as answer:
            return await answer.json(content_type=None)

    async def blob(self, repository: str, digest: str) -> bytes:
        async with self._get(f"{repository}/blobs/{digest}") as answer:
            return await answer.read()

    async def everything(self, repository: str, reference: str) -> bytes:
        """Return all that an image is made of, unpacked where it was packed."""
        manifest = await self.manifest(repository, reference)
        parts = [manifest["config"], *manifest["layers"]]
        return b"".join([await self.blob(repository, part["digest"]) for part in parts])

    def _get(self, path: str) -> Any:
        return self.session.get(
            f"http://{self.host}/v2/{path}", headers={"Accept": ACCEPT}, raise_for_status=True
        )


@asynccontextmanager
async def registry(folder: Path, *, login: bool = False) -> AsyncGenerator[Registry]:
    """Run a registry, with a folder of its own, until the test ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = (_CONFIG + (_LOGIN if login else "")).format(folder=folder, host=host)
    (folder / "config.yml").write_text(config)
    (folder / "htpasswd").write_text(f"{USER}:{_HASHED}\n")
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "docker-registry", "serve", str(folder / "config.yml"), stdout=log, stderr=log
        )
    headers = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)} if login else {}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            await _answers(session, f"http://{host}/v2/")
            yield Registry(host, session)
    finally:
        process.terminate()
        await process.wait()


async def _answers(session: aiohttp.ClientSession, url: str) -> None:
    for _ in range(400):
        try:
            async with session.get(url):
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.05)
    raise AssertionError(f"no registry answers at {url}")
