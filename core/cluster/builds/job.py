"""The Job of a build and its Secret, as they are sent: pure functions of what is to be built.

The pod is an ordinary user, or has users of its own (`security.py`), without a token of the cluster. Either takes a
namespace without the profile `baseline` of Pod Security (deploy/builds.yaml); everything else is as tight as it gets.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from core.cluster.builds.clone import BUILD_SCRIPT, CLONE, clone_environment
from core.cluster.builds.script import FETCH, SECRETS, SOURCE, build_script, secret_words
from core.cluster.builds.security import build_security
from core.cluster.builds.settings import BuildSettings
from core.cluster.kinds.job import JOB
from core.cluster.kinds.secret import SECRET
from core.cluster.labels import FIELD_MANAGER, MANAGED_LABEL
from core.cluster.rendering.registries import KEY, logins_data
from core.ports.builds import BuildJobSpec

Json = dict[str, Any]
BUILD_LABEL = "convox.com/build"
INSTALLATION_LABEL = "convox.com/installation"
SERVICE_ACCOUNT = "convox-builds"
CONTAINER, FETCHING = "build", "source"
USER = 1000  # of BuildKit's rootless image, and of whatever fetches
TOKEN_KEY, GIT_TOKEN_KEY = "source-token", "git-token"
# How long Kubernetes keeps a Job that the bot could not remove.
KEPT_SECONDS = 3600
# The pod is ended by the cluster only where the bot has not done so.
GRACE_SECONDS = 120


def job_name(build: str) -> str:
    return f"build-{build.lower()}"


def labels(spec: BuildJobSpec) -> dict[str, str]:
    return {
        MANAGED_LABEL: FIELD_MANAGER,
        BUILD_LABEL: spec.build,
        INSTALLATION_LABEL: spec.installation,
        "app": spec.app,
        "type": "process",
        "service-type": "build",
    }


def render_job(spec: BuildJobSpec, settings: BuildSettings, namespace: str) -> Json:
    """Return the Job; it is made once and never tried again, since half a build may have been pushed."""
    return {
        "apiVersion": JOB.resource.api_version,
        "kind": JOB.name,
        "metadata": {"name": job_name(spec.build), "namespace": namespace, "labels": labels(spec)},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": settings.seconds + GRACE_SECONDS,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": labels(spec)}, "spec": _pod(spec, settings)},
        },
    }


def render_secret(spec: BuildJobSpec, settings: BuildSettings, namespace: str, job: str) -> Json:
    """Return the Secret, which is the Job's own and goes with it."""
    accounts = [*spec.logins, *([settings.account] if settings.account else [])]
    values = {TOKEN_KEY: spec.token, **{_secret_key(name): value for name, value in spec.secrets.items()}}
    if spec.git and spec.git.account:
        values[GIT_TOKEN_KEY] = spec.git.account.secret
    owner = {
        "apiVersion": JOB.resource.api_version,
        "kind": JOB.name,
        "name": job_name(spec.build),
        "uid": job,
    }
    return {
        "apiVersion": "v1",
        "kind": SECRET.name,
        "metadata": {
            "name": job_name(spec.build),
            "namespace": namespace,
            "labels": labels(spec),
            "ownerReferences": [owner],
        },
        "immutable": True,
        "type": "Opaque",
        "data": {
            KEY: logins_data(accounts)[KEY],
            **{key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
        },
    }


def _pod(spec: BuildJobSpec, settings: BuildSettings) -> Json:
    return {
        **build_security(user_namespaces=settings.user_namespaces).pod,
        "restartPolicy": "Never",
        "serviceAccountName": SERVICE_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER},
        "initContainers": [_fetching(spec, settings)],
        "containers": [_building(spec, settings)],
        "volumes": _volumes(spec, settings),
    }


def _fetching(spec: BuildJobSpec, settings: BuildSettings) -> Json:
    address = f"{settings.address.rstrip('/')}/builds/{spec.build}"
    values: dict[str, str] = {"SOURCE_URL": f"{address}/source"}
    secrets: dict[str, Json] = {"SOURCE_TOKEN": {"key": TOKEN_KEY}}
    if spec.git:
        values = {"CLONE_URL": f"{address}/clone", **clone_environment(spec.git, settings.git_schemes)}
        # Optional, since it may be removed before the Secret is made: the pod must not wait for it till its time-out.
        secrets |= {"GIT_TOKEN": {"key": GIT_TOKEN_KEY, "optional": True}} if spec.git.account else {}
    return {
        "name": FETCHING,
        "image": settings.image,
        "command": ["/bin/sh", "-c", CLONE if spec.git else FETCH],
        "env": [
            *({"name": name, "value": value} for name, value in values.items()),
            *(
                {"name": name, "valueFrom": {"secretKeyRef": {"name": job_name(spec.build), **key}}}
                for name, key in secrets.items()
            ),
        ],
        # To unpack what git sends takes memory, which an archive does not.
        "resources": _resources("1", "1Gi" if spec.git else "256Mi", settings.disk),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "source", "mountPath": SOURCE}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }


def script_of(spec: BuildJobSpec, settings: BuildSettings, said: Sequence[str] = ()) -> str:
    """Return the script of the container that builds; of a clone it is told later, by the address that is asked."""
    return build_script(
        spec.images,
        repository=settings.repository(spec.app),
        build=spec.build,
        no_cache=spec.no_cache,
        said=said,
        check=build_security(user_namespaces=settings.user_namespaces).check,
    )


def _building(spec: BuildJobSpec, settings: BuildSettings) -> Json:
    words = secret_words(sorted(spec.secrets))
    confined = build_security(user_namespaces=settings.user_namespaces)
    environment = {**confined.environment, "DOCKER_CONFIG": f"{confined.home}/.docker"}
    script = ["-c", script_of(spec, settings), "build"]
    return {
        "name": CONTAINER,
        "image": settings.image,
        "command": ["/bin/sh", *([BUILD_SCRIPT] if spec.git else script), *words],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": _resources(settings.cpu, settings.memory, settings.disk),
        "securityContext": dict(confined.security),
        "volumeMounts": [
            {"name": "source", "mountPath": SOURCE, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
            {"name": "state", "mountPath": confined.state},
            {"name": "login", "mountPath": f"{confined.home}/.docker", "readOnly": True},
            *([{"name": "secrets", "mountPath": SECRETS, "readOnly": True}] if spec.secrets else []),
        ],
    }


def _resources(cpu: str, memory: str, disk: str) -> Json:
    limits = {"cpu": cpu, "memory": memory, "ephemeral-storage": disk}
    return {"limits": limits, "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "1Gi"}}


def _volumes(spec: BuildJobSpec, settings: BuildSettings) -> list[Json]:
    empty = [{"name": name, "emptyDir": {"sizeLimit": settings.disk}} for name in ("source", "tmp", "state")]
    secrets = _items("secrets", spec.build, {_secret_key(name): name for name in sorted(spec.secrets)})
    return [*empty, _items("login", spec.build, {KEY: "config.json"}), *([secrets] if spec.secrets else [])]


def _items(volume: str, build: str, files: Mapping[str, str]) -> Json:
    items: Sequence[Json] = [{"key": key, "path": path} for key, path in files.items()]
    return {"name": volume, "secret": {"secretName": job_name(build), "items": items}}


def _secret_key(name: str) -> str:
    return f"env.{name}"
