"""What people do to an app behind the bot's back, as kubectl sends it: under its name, as a strategic merge patch."""

from typing import Any

from bot.playground.kubelet.api import STRATEGIC
from tests.scenarios.harness import Stage


def path(stage: Stage, plural: str, name: str) -> str:
    root = "/apis/apps/v1" if plural == "deployments" else "/api/v1"
    return f"{root}/namespaces/{stage.namespace()}/{plural}/{name}"


async def patched(stage: Stage, spec: dict[str, Any], *, manager: str, service: str = "web") -> None:
    """Change the spec of a Deployment."""
    where = path(stage, "deployments", service)
    await stage.cluster.admin.call(
        "PATCH", where, {"spec": spec}, content=STRATEGIC, query={"fieldManager": manager}
    )


async def set_image(stage: Stage, image: str) -> None:
    """Do what `kubectl set image deployment/web main=…` does."""
    await main_container(stage, {"image": f"registry.example/myapp/web:{image}"})


async def set_env(stage: Stage, name: str, value: str) -> None:
    """Do what `kubectl set env deployment/web NAME=VALUE` does."""
    await main_container(stage, {"env": [{"name": name, "value": value}]})


async def main_container(stage: Stage, fields: dict[str, Any]) -> None:
    containers = [{"name": "main", **fields}]
    await patched(stage, {"template": {"spec": {"containers": containers}}}, manager="kubectl-set")


async def undo(stage: Stage, release: str) -> None:
    """Do what `kubectl rollout undo deployment/web --to-revision=…` does: put back the template of an older replica set."""
    for found in await stage.items("replicasets"):
        template = found["spec"]["template"]
        if template["metadata"]["labels"]["release"] == release:
            del template["metadata"]["labels"]["pod-template-hash"]
            await patched(stage, {"template": {"$patch": "replace", **template}}, manager="kubectl")
            return
    raise AssertionError(f"no replica set of {release}")


async def set_type(stage: Stage, service: str, kind: str) -> None:
    """Do what `kubectl patch service web -p '{"spec": {"type": "LoadBalancer"}}'` does."""
    await stage.cluster.admin.call(
        "PATCH",
        path(stage, "services", service),
        {"spec": {"type": kind}},
        content=STRATEGIC,
        query={"fieldManager": "kubectl-patch"},
    )


async def pause(stage: Stage, *, paused: bool = True) -> None:
    """Do what `kubectl rollout pause deployment/web` does, or `resume`."""
    await patched(stage, {"paused": paused or None}, manager="kubectl-rollout")


async def delete(stage: Stage, plural: str, name: str) -> None:
    """Do what `kubectl delete` does."""
    await stage.cluster.admin.call("DELETE", path(stage, plural, name))
