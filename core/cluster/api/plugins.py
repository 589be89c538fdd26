"""Kubeconfig files with exec plugins: the library leaves a plugin running for ever that does not end in time.

Everything else of a kubeconfig is read by kubernetes_asyncio, whose loader this one extends.
"""

import asyncio
import contextlib
import json
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from typing import Any, cast

from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.exec_provider import ExecProvider
from kubernetes_asyncio.config.kube_config import FileOrData, KubeConfigLoader, KubeConfigMerger

from core.cluster.documents import parse_timestamp

LONGEST_FAILURE = 500  # characters of what a plugin says of its failure


class ExecPluginLoader(KubeConfigLoader):
    """Reads one kubeconfig; its plugin ends with the reading."""

    cert_file: Any
    key_file: Any

    async def load_from_exec_plugin(self) -> bool:
        """Take token or certificate from the plugin, as the library does."""
        status = await run(ExecProvider(cast("Any", self._user)["exec"]))
        if "token" in status:
            self.token = f"Bearer {status['token']}"
        elif {"clientCertificateData", "clientKeyData"} <= status.keys():
            self.cert_file = _file(status, "clientCertificateData")
            self.key_file = _file(status, "clientKeyData")
        else:
            raise ConfigException("its exec plugin gave neither a token nor a certificate with its key")
        if expiry := parse_timestamp(status.get("expirationTimestamp")):
            self.exec_plugin_expiry = expiry
        return True


def loader_of_file(path: str) -> ExecPluginLoader:
    """Return the loader of a file, or of several as `KUBECONFIG` lists them; what changes is written back."""
    merger = KubeConfigMerger(path)
    return ExecPluginLoader(
        config_dict=merger.config, config_base_path=None, config_persister=merger.save_changes
    )


def loader_of_document(document: Mapping[str, Any]) -> ExecPluginLoader:
    return ExecPluginLoader(config_dict=dict(document), config_base_path=None)


async def run(plugin: ExecProvider) -> Mapping[str, Any]:
    """Run the plugin and return the status of its credential.

    Raises:
        ConfigException: it failed, or what it printed is no credential.
        OSError: there is no such command.
    """
    asked = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": {"interactive": False}}
    process = await asyncio.create_subprocess_exec(
        *plugin.args,
        env={**plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(asked)},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,  # so that what it has started itself is ended with it
    )
    try:
        printed, said = await process.communicate()
    finally:
        if process.returncode is None:
            await _end(process)
    if process.returncode:
        words = " ".join(said.decode("utf-8", "replace").split())[-LONGEST_FAILURE:]
        raise ConfigException(
            f"its exec plugin {plugin.args[0]} ended with code {process.returncode}: {words}"
        )
    return _status(printed, plugin)


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _status(printed: bytes, plugin: ExecProvider) -> Mapping[str, Any]:
    try:
        credential = json.loads(printed)
        version, status = credential["apiVersion"], credential["status"]
    except (ValueError, LookupError, TypeError) as error:
        # What was printed may hold a token; it is not repeated.
        raise ConfigException(f"what its exec plugin {plugin.args[0]} prints is no ExecCredential") from error
    if version != plugin.api_version or not isinstance(status, dict):
        raise ConfigException(f"its exec plugin {plugin.args[0]} speaks {version}, not {plugin.api_version}")
    return status


def _file(status: Mapping[str, Any], key: str) -> Any:
    return FileOrData(status, None, data_key_name=key, base64_file_content=False).as_file()
