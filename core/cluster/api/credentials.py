"""Who the bot is to the cluster: configuration, and tokens renewed before and when they are refused.

kubernetes_asyncio reads kubeconfig files, runs exec plugins and finds the service account; it renews nothing by
itself (its exec tokens die after about 15 minutes), so the renewal is here.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import yaml
from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)

from core.clock import Clock
from core.cluster.api.plugins import ExecPluginLoader, loader_of_document, loader_of_file
from core.errors import Unreachable

log = logging.getLogger(__name__)

# The kubelet replaces a projected token at 80 % of its life and never sooner than after minutes.
TOKEN_FILE_PERIOD = timedelta(minutes=1)
EXPIRY_MARGIN = timedelta(minutes=1)
# A plugin whose tokens are always about to expire must not be run for every request.
MIN_RENEWAL_PERIOD = timedelta(seconds=10)
# Shorter than the limit of a request, so that what is said is that the credentials are missing.
LOADING_SECONDS = 20.0
# A try that has failed stands for everybody who asks in the next seconds: else each would run the plugin again.
FAILED_FOR = timedelta(seconds=5)
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
class LoadedConfiguration:
    """One reading of the configuration.

    Attributes:
        renew_at: when to read it again; None means only when the cluster refuses it.
        ends_at: until when it is accepted; None where that is not known.
    """

    configuration: Configuration
    renew_at: datetime | None = None
    ends_at: datetime | None = None


ConfigurationSource = Callable[[Clock], Awaitable[LoadedConfiguration]]


def from_environment(environ: Mapping[str, str]) -> ConfigurationSource:
    """Return the source that a Kubernetes client would choose: `KUBECONFIG`, in-cluster, `~/.kube/config`."""
    if path := environ.get("KUBECONFIG"):
        return from_file(path)
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return in_cluster(environ)
    return from_file(str(Path.home() / ".kube" / "config"))


def from_file(path: str) -> ConfigurationSource:
    """Read a kubeconfig file (or several, as `KUBECONFIG` lists them); its plugins may write back to it."""

    async def load(clock: Clock) -> LoadedConfiguration:
        fresh = _blank()
        # The library speaks of a missing key of a file that is not there at all.
        if not _is_there(path):
            raise Unreachable(f"there is no kubeconfig at {path}")
        loader = loader_of_file(path)
        await loader.load_and_set(fresh)
        return _loaded(fresh, loader, clock)

    return load


def _is_there(paths: str) -> bool:
    return any(Path(path).expanduser().exists() for path in paths.split(os.pathsep) if path)


def from_document(document: Mapping[str, Any]) -> ConfigurationSource:
    """Read a kubeconfig that is already parsed."""

    async def load(clock: Clock) -> LoadedConfiguration:
        fresh = _blank()
        loader = loader_of_document(document)
        await loader.load_and_set(fresh)
        return _loaded(fresh, loader, clock)

    return load


def in_cluster(
    environ: Mapping[str, str],
    *,
    token: str = SERVICE_TOKEN_FILENAME,
    certificate: str = SERVICE_CERT_FILENAME,
) -> ConfigurationSource:
    """Read the service account of the pod that we run in; the file names are Kubernetes' own."""

    async def load(clock: Clock) -> LoadedConfiguration:
        fresh = _blank()
        InClusterConfigLoader(
            token, certificate, try_refresh_token=False, environ=dict(environ)
        ).load_and_set(fresh)
        return LoadedConfiguration(fresh, clock.now() + TOKEN_FILE_PERIOD)

    return load


class Credentials:
    """The newest configuration; whoever finds it stale renews it once for all."""

    def __init__(self, source: ConfigurationSource, *, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._loaded: LoadedConfiguration | None = None
        self._loading = asyncio.Lock()
        self._failed: tuple[datetime, str] | None = None
        self._reading: asyncio.Task[LoadedConfiguration] | None = None

    async def current(self) -> LoadedConfiguration:
        """Return the configuration, read anew where it is due; the one before while it lasts and that fails.

        Raises:
            Unreachable: it could not be read.
        """
        loaded, now = self._loaded, self._clock.now()
        if loaded is None:
            return await self.renew(None)
        if loaded.renew_at is None or now < loaded.renew_at:
            return loaded
        try:
            return await self.renew(loaded)
        except Unreachable:
            if loaded.ends_at is not None and now >= loaded.ends_at:
                raise
            return loaded

    async def renew(self, stale: LoadedConfiguration | None) -> LoadedConfiguration:
        """Return a configuration that is not `stale`: somebody else's renewal, or our own.

        Raises:
            Unreachable: it could not be read, now or some seconds ago.
        """
        async with self._loading:
            if self._loaded is not None and self._loaded is not stale:
                return self._loaded
            if self._failed is not None and self._clock.now() < self._failed[0] + FAILED_FOR:
                raise Unreachable(self._failed[1])
            try:
                self._loaded, self._failed = await self._read(), None
            except Unreachable as error:
                self._failed = self._clock.now(), str(error)
                log.warning("%s", error)
                raise
            return self._loaded

    async def close(self) -> None:
        """End a reading that nobody waits for any more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> LoadedConfiguration:
        """Await the one reading under way; whoever runs out of time leaves it to the next one who asks.

        A request may have less time than a plugin needs: if it ended the plugin, none would ever get to its end.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._load(), name="credentials of the cluster")
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        reading = self._reading
        try:
            return await asyncio.shield(reading)
        finally:
            if reading.done():
                self._reading = None

    async def _load(self) -> LoadedConfiguration:
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


def _loaded(configuration: Configuration, loader: ExecPluginLoader, clock: Clock) -> LoadedConfiguration:
    expiry: datetime | None = getattr(loader, "exec_plugin_expiry", None)
    if expiry is None:
        return LoadedConfiguration(configuration)
    return LoadedConfiguration(
        configuration, max(expiry - EXPIRY_MARGIN, clock.now() + MIN_RENEWAL_PERIOD), expiry
    )
