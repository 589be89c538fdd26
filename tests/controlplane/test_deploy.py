"""The manifests in deploy/ against a real API server: valid to the letter, and the fence of self-service holds."""

import json
from pathlib import Path

import pytest
import yaml

from bot.playground.kubelet.api import APPLY, ApiClientError, connect
from core.cluster.namespace_objects import namespace_objects
from tests.controlplane.support import eventually

DEPLOY = Path(__file__).parents[2] / "deploy"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings"


async def test_everything_in_deploy_is_accepted_with_strict_validation(control_plane):
    said = await control_plane.kubectl("apply", "-k", str(DEPLOY), "--dry-run=server", "--validate=strict")
    assert "deployment.apps/convox-bot created (server dry run)" in said
    await control_plane.kubectl(
        "apply", "-f", str(DEPLOY / "self-service.yaml"), "--dry-run=server", "--validate=strict"
    )


async def test_the_bots_pod_is_admitted_by_the_standard_that_its_namespace_enforces(control_plane):
    documents = yaml.safe_load_all((DEPLOY / "bot.yaml").read_text())
    (template,) = [each["spec"]["template"] for each in documents if each["kind"] == "Deployment"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        **template,
        "metadata": {**template["metadata"], "name": "convox-bot"},
    }
    pods, dry = "/api/v1/namespaces/convox-system/pods", {"dryRun": "All"}
    async with connect(control_plane.kubeconfig()) as admin:
        await admin.call("POST", pods, pod, query=dry)
        del pod["spec"]["securityContext"]["runAsNonRoot"]
        with pytest.raises(ApiClientError, match=r"403 Forbidden: .*violates PodSecurity"):
            await admin.call("POST", pods, pod, query=dry)


async def rights(control_plane, namespace):
    """Return {resource: verbs} of the bot in a namespace."""
    listing = await control_plane.kubectl(
        "auth", "can-i", "--list", f"-n{namespace}", "--no-headers", user="convox-bot"
    )
    lines = [line for line in listing.splitlines() if not line.startswith(" ")]
    return {line.split()[0]: line.rpartition("[")[2].strip("] ") for line in lines}


async def test_the_bot_has_exactly_the_rights_it_needs(control_plane, app_namespace):
    own = await rights(control_plane, await app_namespace())
    everybodys = await rights(control_plane, "default")
    objects, look, workloads = (
        "get create patch delete",
        "list watch",
        "get list watch create patch delete",
    )
    assert {resource: verbs for resource, verbs in own.items() if resource not in everybodys} == {
        "configmaps": "get create patch",
        "secrets": objects,
        "services": objects,
        "cronjobs.batch": objects,
        "horizontalpodautoscalers.autoscaling": objects,
        "jobs.batch": "list",
        "poddisruptionbudgets.policy": objects,
        "httproutes.gateway.networking.k8s.io": objects,
        "ingresses.networking.k8s.io": objects,
        "serviceaccounts": objects,
        "deployments.apps": workloads,
        "daemonsets.apps": workloads,
        "statefulsets.apps": workloads,
        "controllerrevisions.apps": look,
        "persistentvolumeclaims": "get create patch",
        "deployments.apps/scale": "patch",
        "replicasets.apps": look,
        "pods": look,
        "events": look,
        "events.events.k8s.io": "create",
        "pods/log": "get",
        "namespaces": "get",
    }
    assert "selfsubjectaccessreviews.authorization.k8s.io" in everybodys


@pytest.fixture
async def self_service(control_plane):
    await control_plane.kubectl("apply", "-f", str(DEPLOY / "self-service.yaml"))
    yield
    await control_plane.kubectl("delete", "-f", str(DEPLOY / "self-service.yaml"))


def binding(name, *, role="convox-bot-app", subject="convox-bot"):
    about = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subjects = [{"kind": "ServiceAccount", "name": subject, "namespace": "convox-system"}]
    return {"metadata": {"name": name}, "roleRef": about, "subjects": subjects}


def namespace_of(name):
    labels = {"app.kubernetes.io/managed-by": "convox-bot"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


async def test_self_service_makes_app_namespaces_and_touches_no_other(control_plane, self_service):
    await control_plane.kubectl("create", "namespace", "convox-foreign")
    async with connect(control_plane.kubeconfig("convox-bot")) as bot:

        async def refused(method, path, body, *, content="application/json"):
            query = {"fieldManager": "convox-bot", "force": "true"} if content == APPLY else None
            try:
                await bot.call(method, path, body, content=content, query=query)
            except ApiClientError as error:
                return str(error)
            return ""

        async def fenced():  # the server takes a moment to obey a new policy
            query = {"dryRun": "All"}
            try:
                await bot.call("POST", "/api/v1/namespaces", namespace_of("payroll"), query=query)
            except ApiClientError as error:
                return "may only touch the namespaces of its apps" in str(error)

        await eventually(fenced)
        assert not await refused("POST", "/api/v1/namespaces", namespace_of("convox-fresh"))
        assert not await refused("POST", BINDINGS.format("convox-fresh"), binding("convox-bot"))
        assert "may only touch" in await refused(
            "POST", BINDINGS.format("kube-system"), binding("convox-bot")
        )
        own = json.loads(json.dumps(namespace_of("convox-system")))
        assert "cannot patch resource" in await refused(
            "PATCH", "/api/v1/namespaces/convox-system", own, content=APPLY
        )
        assert "may only touch" in await refused(
            "POST", BINDINGS.format("convox-system"), binding("convox-bot")
        )
        taken = await refused(
            "PATCH", "/api/v1/namespaces/convox-foreign", namespace_of("convox-foreign"), content=APPLY
        )
        assert "cannot patch resource" in taken
        assert "does not belong" in await refused(
            "POST", BINDINGS.format("convox-foreign"), binding("convox-bot")
        )
        admin = await refused("POST", BINDINGS.format("convox-fresh"), binding("more", role="cluster-admin"))
        assert admin.startswith("403 Forbidden")
        other = await refused("POST", BINDINGS.format("convox-fresh"), binding("other", subject="mallory"))
        assert "to itself only" in other


async def test_the_app_manifest_can_be_applied_twice(control_plane):
    for _ in range(2):
        await control_plane.kubectl(
            "apply", "--validate=strict", "-f", "-", stdin=namespace_objects("convox", "twice")
        )
    namespace = json.loads(await control_plane.kubectl("get", "namespace", "convox-twice", "-o", "json"))
    assert namespace["metadata"]["labels"]["convox.com/app"] == "twice"
    await control_plane.kubectl("delete", "namespace", "convox-twice", "--wait=false")
