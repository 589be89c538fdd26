"""A real issuer on this machine: a discovery document and keys over HTTPS, and tokens signed with them."""

import base64
import json
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from bot.oidc.discovery import issuer_readers
from core.errors import Unreachable

AUDIENCE = "https://bot.example.com"
SUBJECT = "repo:acme/web:ref:refs/heads/main"


@cache
def rsa(name: str) -> RSAKey:
    """Keys cost a tenth of a second, so each is made once."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@cache
def curve(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


@cache
def certificate() -> tuple[bytes, bytes]:
    """Return a certificate of 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem), private


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate()[0].decode())


async def no_cluster(path: str) -> dict:
    raise Unreachable(f"nobody answers for {path}")


def readers(session, document=no_cluster):
    """Return who asks the issuers of this file, and a cluster where there is one."""
    return issuer_readers(session, document, trusting())


@dataclass
class Issuer:
    """One that signs what it is told to.

    Attributes:
        keys: those that it names; the first signs.
        asked: the paths that were asked for.
        answer: what it answers in place of its documents, by path.
    """

    url: str = ""
    keys: list = field(default_factory=lambda: [rsa("one"), curve("ec")])
    asked: list[str] = field(default_factory=list)
    answer: dict[str, web.Response] = field(default_factory=dict)

    async def configuration(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        document = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return self.answer.get(request.path) or web.json_response(document)

    async def jwks(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        document = {"keys": [key.as_dict(private=False) for key in self.keys]}
        return self.answer.get(request.path) or web.json_response(document)

    def claims(self, now: datetime, **more) -> dict:
        """Return what GitHub says of a job, with what is to be otherwise; None leaves a claim out."""
        at = int(now.timestamp())
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": SUBJECT,
            "jti": "d3b0",
            "iat": at,
            "nbf": at - 300,
            "exp": at + 300,
            "repository": "acme/web",
            "repository_owner": "acme",
            "ref": "refs/heads/main",
            "run_id": "123",
        } | more
        return {name: value for name, value in said.items() if value is not None}

    def token(self, now: datetime, *, key=None, header=None, **more) -> str:
        return signed(self.claims(now, **more), key or self.keys[0], header)


def signed(claims: dict, key, header: dict | None = None) -> str:
    """Return a token as anybody could make it who has the key, whatever a library would refuse to make."""
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    text = f"{segment({'typ': 'JWT', 'alg': algorithm, 'kid': key.kid} | (header or {}))}.{segment(claims)}"
    return f"{text}.{encoded(JWSRegistry.algorithms[algorithm].sign(text.encode(), key))}"


def segment(document: object) -> str:
    return encoded(json.dumps(document).encode())


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@asynccontextmanager
async def issuing():
    """Serve an issuer."""
    issuer = Issuer()
    application = web.Application()
    application.router.add_get("/.well-known/openid-configuration", issuer.configuration)
    application.router.add_get("/keys", issuer.jwks)
    runner = web.AppRunner(application)
    await runner.setup()
    with TemporaryDirectory() as folder:
        for name, content in zip(("cert", "key"), certificate(), strict=True):
            (Path(folder) / name).write_bytes(content)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert", f"{folder}/key")
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    issuer.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield issuer
    finally:
        await runner.cleanup()
