"""What is mounted into the pods of a service."""

import base64
from collections.abc import Iterable
from typing import Any

from core.cluster.labels import config_name
from core.manifest.configs import Config, ConfigMount
from core.manifest.service import Service
from core.manifest.volumes import Volume

Json = dict[str, Any]
# The one key of the Secret of a file.
CONFIG_KEY = "file"


def pod_volumes(service: Service, release: str) -> list[Json]:
    """Return the volumes of the pods of a service, each once, by name."""
    volumes, configs = service.volumes, service.configs
    if service.before:
        volumes, configs = volumes + service.before.volumes, configs + service.before.configs
    sources = {volume.name: _source(volume) for volume in volumes}
    sources |= {_config(each): _file(each, release) for each in configs}
    return [{"name": name, **sources[name]} for name in sorted(sources)]


def _config(mount: ConfigMount) -> str:
    return f"cfg-{mount.id}"


def _file(mount: ConfigMount, release: str) -> Json:
    return {"secret": {"secretName": config_name(mount.id, release)}}


def config_data(config: Config) -> dict[str, str]:
    """Return the data of the Secret of a file."""
    return {CONFIG_KEY: base64.b64encode(config.value.encode()).decode()}


def _source(volume: Volume) -> Json:
    if volume.claim:
        return {"persistentVolumeClaim": {"claimName": volume.claim}}
    if volume.host:
        return {"hostPath": {"path": volume.host}}
    return {"emptyDir": {"medium": "Memory"} if volume.memory else {}}


def mounts(volumes: Iterable[Volume], configs: Iterable[ConfigMount]) -> list[Json]:
    """Return the mounts of a container, in the order of the manifest."""
    disks = [
        {"name": volume.name, "mountPath": volume.path} | ({"readOnly": True} if volume.read_only else {})
        for volume in volumes
    ]
    files = [
        {"name": _config(each), "mountPath": each.path, "subPath": CONFIG_KEY, "readOnly": True}
        for each in configs
    ]
    return disks + files
