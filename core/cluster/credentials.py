"""Who the bot is to the cluster: configuration, and tokens renewed before and when they are refused.

kubernetes_asyncio reads kubeconfig files, runs exec plugins and finds the service account; it renews nothing by
itself (its exec tokens die after about 15 minutes), so the renewal is here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import yaml
from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config import ConfigException, load_kube_config
from kubernetes_asyncio.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)
from kubernetes_asyncio.config.kube_config import KubeConfigLoader, load_kube_config_from_dict

from core.errors import Unreachable
from core.ports import Clock

# The kubelet replaces a projected token at 80 % of its life and never sooner than after minutes.
TOKEN_FILE_PERIOD = timedelta(minutes=1)
EXPIRY_MARGIN = timedelta(minutes=1)
# A plugin whose tokens are always about to expire must not be run for every request.
SHORTEST_PERIOD = timedelta(seconds=10)
LOADING_SECONDS = 30.0
# The library checks little of a kubeconfig: an empty file is a TypeError, a missing context an AssertionError.
UNREADABLE = (
    ConfigException,
    OSError,
    yaml.YAMLError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One reading of the configuration.

    Attributes:
        renew_at: when to read it again; None means only when the cluster refuses it.
    """

    configuration: Configuration
    renew_at: datetime | None = None


Source = Callable[[Clock], Awaitable[Loaded]]


def from_environment(environ: Mapping[str, str]) -> Source:
    """Return the source that a Kubernetes client would choose: `KUBECONFIG`, in-cluster, `~/.kube/config`."""
    if path := environ.get("KUBECONFIG"):
        return from_file(path)
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return in_cluster(environ)
    return from_file(str(Path.home() / ".kube" / "config"))


def from_file(path: str) -> Source:
    """Read a kubeconfig file (or several, as `KUBECONFIG` lists them); its plugins may write back to it."""

    async def load(clock: Clock) -> Loaded:
        fresh = _blank()
        loader = await load_kube_config(config_file=path, client_configuration=fresh)
        return _loaded(fresh, loader, clock)

    return load


def from_document(document: Mapping[str, Any]) -> Source:
    """Read a kubeconfig that is already parsed."""

    async def load(clock: Clock) -> Loaded:
        fresh = _blank()
        loader = await load_kube_config_from_dict(dict(document), client_configuration=fresh)
        return _loaded(fresh, loader, clock)

    return load


def in_cluster(
    environ: Mapping[str, str],
    *,
    token: str = SERVICE_TOKEN_FILENAME,
    certificate: str = SERVICE_CERT_FILENAME,
) -> Source:
    """Read the service account of the pod that we run in; the file names are Kubernetes' own."""

    async def load(clock: Clock) -> Loaded:
        fresh = _blank()
        InClusterConfigLoader(
            token, certificate, try_refresh_token=False, environ=dict(environ)
        ).load_and_set(fresh)
        return Loaded(fresh, clock.now() + TOKEN_FILE_PERIOD)

    return load


class Credentials:
    """The newest configuration; whoever finds it stale renews it once for all."""

    def __init__(self, source: Source, *, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._loaded: Loaded | None = None
        self._loading = asyncio.Lock()

    async def current(self) -> Loaded:
        """Return the configuration, read anew where it is due.

        Raises:
            Unreachable: it could not be read.
        """
        loaded = self._loaded
        if loaded is not None and (loaded.renew_at is None or self._clock.now() < loaded.renew_at):
            return loaded
        return await self.renew(loaded)

    async def renew(self, stale: Loaded | None) -> Loaded:
        """Return a configuration that is not `stale`: somebody else's renewal, or our own."""
        async with self._loading:
            if self._loaded is None or self._loaded is stale:
                self._loaded = await self._load()
            return self._loaded

    async def _load(self) -> Loaded:
        try:
            async with asyncio.timeout(LOADING_SECONDS):
                return await self._source(self._clock)
        except TimeoutError as error:
            raise Unreachable(
                f"the cluster's credentials were not there after {LOADING_SECONDS:.0f} s"
            ) from error
        except UNREADABLE as error:
            raise Unreachable(
                f"the cluster's credentials cannot be loaded: {str(error) or type(error).__name__}"
            ) from error


async def bearer(configuration: Configuration) -> str:
    """Return the value of the Authorization header, or "" where a client certificate speaks for us.

    A token file that ends with a newline would make every request fail in aiohttp.
    """
    return (await configuration.get_api_key_with_prefix("BearerToken") or "").strip()


def _blank() -> Configuration:
    # Calling the class would return a shallow copy of a process-wide default that shares its tokens.
    return cast("Configuration", type.__call__(Configuration))


def _loaded(configuration: Configuration, loader: KubeConfigLoader, clock: Clock) -> Loaded:
    expiry: datetime | None = getattr(loader, "exec_plugin_expiry", None)
    if expiry is None:
        return Loaded(configuration)
    return Loaded(configuration, max(expiry - EXPIRY_MARGIN, clock.now() + SHORTEST_PERIOD))
