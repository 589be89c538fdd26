"""What a registry says of a tag, from a server that answers as registries do: with and without a login, and not at all."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot import registry
from bot.registry import ACCEPT, ImageTag, RegistryClient
from core.errors import Unreachable
from core.records.registry_account import RegistryAccount
from tests.core.world import ALICE

MANIFEST = b'{"schemaVersion": 2}'
DIGEST = "sha256:" + hashlib.sha256(MANIFEST).hexdigest()


@dataclass
class Registry:
    """A registry of one image, `team/web:v1`."""

    asks: str = ""
    named: bool = True
    status: int = 200
    slow: bool = False
    token: str = '{"token": "t0ken"}'
    manifest: bytes = MANIFEST
    seen: list[tuple[str, str]] = field(default_factory=list)

    async def manifest_of(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        self.seen.append((request.method, given))
        if self.slow:
            await asyncio.sleep(60)
        assert request.headers["Accept"] == ACCEPT
        if self.asks and not given:
            challenge = self.asks.replace("HERE", str(request.url.origin()))
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        if given.startswith("Basic") and given != basic("bot", "pa:ss"):
            return web.Response(status=401)
        if request.match_info["tag"] != "v1":
            return web.Response(status=404)
        headers = {"Docker-Content-Digest": DIGEST} if self.named else {}
        return web.Response(status=self.status, body=self.manifest, headers=headers)

    async def give_token(self, request: web.Request) -> web.Response:
        self.seen.append(("token", request.headers.get("Authorization", "")))
        assert request.query == {"service": "registry", "scope": "repository:team/web:pull"}
        return web.Response(text=self.token)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


BEARER = 'Bearer realm="HERE/token",service="registry",scope="repository:team/web:pull"'


@asynccontextmanager
async def serving(made: Registry) -> AsyncGenerator[tuple[str, RegistryClient]]:
    app = web.Application()
    app.router.add_route("*", "/v2/team/web/manifests/{tag}", made.manifest_of)
    app.router.add_get("/token", made.give_token)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield f"127.0.0.1:{server.port}", RegistryClient(session)


def login(host: str, password: str = "pa:ss") -> RegistryAccount:
    return RegistryAccount(
        app="myapp",
        host=host,
        user="bot",
        secret=password,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        created_by=ALICE,
    )


@pytest.mark.parametrize("named", [True, False])
async def test_a_tag_is_what_the_registry_names_or_what_its_manifest_is(named: bool):
    made = Registry(named=named)
    async with serving(made) as (host, client):
        assert await client.digest(f"{host}/team/web:v1", None) == DIGEST
    assert [method for method, _ in made.seen] == (["HEAD"] if named else ["HEAD", "GET"])


@pytest.mark.parametrize("known", [True, False])
async def test_a_token_is_got_where_the_registry_says_with_the_login_or_without(known: bool):
    made = Registry(asks=BEARER, token='{"access_token": "t0ken"}' if known else '{"token": "t0ken"}')
    async with serving(made) as (host, client):
        assert await client.digest(f"{host}/team/web:v1", login(host) if known else None) == DIGEST
    assert made.seen == [
        ("HEAD", ""),
        ("token", basic("bot", "pa:ss") if known else ""),
        ("HEAD", "Bearer t0ken"),
    ]


async def test_a_registry_that_wants_the_login_itself_gets_it():
    made = Registry(asks='Basic realm="x"')
    async with serving(made) as (host, client):
        assert await client.digest(f"{host}/team/web:v1", login(host)) == DIGEST
    assert made.seen == [("HEAD", ""), ("HEAD", basic("bot", "pa:ss"))]


@pytest.mark.parametrize(
    ("made", "tag", "password", "says"),
    [
        (Registry(), "v2", "", "HOST has no team/web:v2"),
        (Registry(status=500), "v1", "", "HOST answers HTTP 500"),
        (Registry(status=302), "v1", "", "HOST answers HTTP 302"),
        (Registry(asks='Basic realm="x"'), "v1", "", "HOST asks for a login"),
        (Registry(asks='Basic realm="x"'), "v1", "wrong", "HOST does not let bot see team/web"),
        (Registry(asks="Negotiate"), "v1", "", "HOST asks for a login"),
        (
            Registry(asks='Bearer realm="ftp://x/token"'),
            "v1",
            "",
            "HOST asks for a login",
        ),
        (Registry(asks=BEARER, token="[]"), "v1", "", "HOST gives no token that can be read"),
        (Registry(asks=BEARER, token="x"), "v1", "", "HOST gives no token that can be read"),
        (Registry(named=False, manifest=b"x" * 5_000_000), "v1", "", "127.0.0.1 answers with more than"),
    ],
)
async def test_why_nobody_says_what_a_tag_names(made: Registry, tag: str, password: str, says: str):
    async with serving(made) as (host, client):
        with pytest.raises(Unreachable) as raised:
            await client.digest(f"{host}/team/web:{tag}", login(host, password) if password else None)
        assert str(raised.value).startswith(says.replace("HOST", host))


async def test_a_registry_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry, "PATIENCE_SECONDS", 0.05)
    async with serving(Registry(slow=True)) as (host, client):
        with pytest.raises(Unreachable, match=r"does not answer within 0\.05 s$"):
            await client.digest(f"{host}/team/web:v1", None)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Unreachable, match="^127.0.0.1:9 does not answer"):
            await RegistryClient(session).digest("127.0.0.1:9/team/web:v1", None)


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("nginx", "https://registry-1.docker.io/v2/library/nginx/manifests/latest"),
        ("team/web:2", "https://registry-1.docker.io/v2/team/web/manifests/2"),
        ("docker.io/team/web:2", "https://registry-1.docker.io/v2/team/web/manifests/2"),
        ("registry.example/a/b/c:v1", "https://registry.example/v2/a/b/c/manifests/v1"),
        ("registry.example:5000/web", "https://registry.example:5000/v2/web/manifests/latest"),
        ("localhost/web:v1", "http://localhost/v2/web/manifests/v1"),
        ("localhost:5000/web:v1", "http://localhost:5000/v2/web/manifests/v1"),
    ],
)
def test_where_an_image_is_asked_for(image: str, url: str):
    assert ImageTag.of(image).url == url
