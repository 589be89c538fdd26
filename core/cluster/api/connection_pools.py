"""The connections to one API server, in two pools, each connection asking by itself whether the other side still lives."""

import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes_asyncio.client import Configuration

CONTROL_CONNECTIONS = 16
# Longer lines than aiohttp's default come in watches: etcd takes 1.5 MiB an object.
READ_BUFFER = 2 << 20
# TCP asks after so many silent seconds, so often, so many times: a peer that is gone without a word is noticed within 25 s, and
# a router in between forgets no connection that is in use.
KEEP_ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class ConnectionPools:
    """Two pools: a watch holds its connection for seconds and must never keep a call waiting."""

    def __init__(self, configuration: Configuration) -> None:
        self.connection_identity = connection_identity(configuration)
        self._configuration = configuration
        self._pools: dict[bool, aiohttp.ClientSession] = {}
        # What a request must be told of the way to the server, found once: the environment stays, and reading it costs as much
        # as a small request does.
        self.proxy_options = _detours(configuration)

    def pool(self, *, watch: bool) -> aiohttp.ClientSession:
        """Return the pool for watches or for calls, made at its first use (its TLS context takes some 40 ms)."""
        if watch not in self._pools:
            connector = aiohttp.TCPConnector(
                limit=0 if watch else CONTROL_CONNECTIONS,
                ssl=_tls(self._configuration),
                socket_factory=keeping_alive,
            )
            self._pools[watch] = aiohttp.ClientSession(connector=connector, read_bufsize=READ_BUFFER)
        return self._pools[watch]

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()


def _detours(configuration: Configuration) -> dict[str, Any]:
    options = {
        "proxy": configuration.proxy or environment_proxy(str(configuration.host)),
        "proxy_headers": configuration.proxy_headers,
        "server_hostname": configuration.tls_server_name,
    }
    return {name: value for name, value in options.items() if value}


def environment_proxy(url: str) -> str | None:
    """Return the proxy that the environment names for a URL, as `HTTPS_PROXY` and `NO_PROXY` do.

    aiohttp's own `trust_env` also looks for a `~/.netrc` at each request, in a thread, and fails where that knows the host: who
    we are is said by a token.
    """
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


def keeping_alive(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket for an address (of `getaddrinfo`) that asks its peer whether it is there while nothing is said."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        # Not every system has each of them; its own defaults are better than none.
        if (option := getattr(socket, name, None)) is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made


def connection_identity(configuration: Configuration) -> tuple[object, ...]:
    """What a connection depends on, as opposed to what is sent with each request.

    Of files also their age: certificates are often replaced in place.
    """
    return (
        configuration.host,
        *(
            _edition(path)
            for path in (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
        ),
        configuration.verify_ssl,
        configuration.tls_server_name,
        configuration.proxy,
    )


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.disable_strict_ssl_verification:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _edition(path: str | None) -> tuple[object, ...]:
    """Return what changes when a file is written anew or another takes its place."""
    if not path:
        return ()
    try:
        found = Path(path).stat()
    except OSError:
        return (path,)
    return path, found.st_ino, found.st_mtime_ns, found.st_size
